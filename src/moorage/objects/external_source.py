"""Model data in an S3 endpoint elsewhere, AWS's own or any other, read with boto3 in threads."""

from __future__ import annotations

import hashlib
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from moorage.objects.external_endpoint import ExternalEndpoint
from moorage.objects.model_sources import Changed, Unreachable, Unreadable
from moorage.objects.model_urls import ObjectLocation
from moorage.objects.workers import Workers

_THREADS = 4
_PIECE_BYTES = 1024 * 1024
_REFUSED_STATUSES = range(400, 500)
_THROTTLED_STATUSES = (408, 429)


class ExternalSource:
    """Reads from an external endpoint. The client is made at the first use, for it is slow to make."""

    def __init__(self, endpoint: ExternalEndpoint) -> None:
        self._endpoint = endpoint
        self._threads = Workers("external-s3", _THREADS)

    async def has_bucket(self, bucket: str) -> bool:
        """Always: whoever configured the endpoint wants it asked, and its refusal says more than ours."""
        return True

    async def etag(self, location: ObjectLocation) -> str:
        return await self._threads.run(self._head, location)

    async def download(self, location: ObjectLocation, etag: str, path: Path) -> str:
        return await self._threads.run(self._download, location, etag, path)

    async def close(self) -> None:
        """Wait for the downloads under way."""
        self._threads.close()

    @cached_property
    def _client(self) -> Any:
        endpoint = self._endpoint
        session = boto3.session.Session(
            profile_name=endpoint.profile,
            aws_access_key_id=endpoint.access_key_id,
            aws_secret_access_key=endpoint.secret_access_key,
            aws_session_token=endpoint.session_token,
            region_name=endpoint.region,
        )
        config = Config(
            s3={"addressing_style": endpoint.addressing_style},
            connect_timeout=endpoint.connect_timeout_s,
            read_timeout=endpoint.read_timeout_s,
            retries={"mode": "standard", "total_max_attempts": endpoint.attempts_max},
            request_checksum_calculation=endpoint.checksums,
            response_checksum_validation=endpoint.checksums,
            ignore_configured_endpoint_urls=True,  # AWS_ENDPOINT_URL is likely to name this very Moorage
        )
        return session.client("s3", endpoint_url=endpoint.endpoint_url, verify=endpoint.ca_bundle, config=config)

    def _head(self, location: ObjectLocation) -> str:
        try:
            answer = self._client.head_object(Bucket=location.bucket, Key=location.key)
        except (ClientError, BotoCoreError) as error:
            raise _translate(error) from error
        return str(answer["ETag"]).strip('"')

    def _download(self, location: ObjectLocation, etag: str, path: Path) -> str:
        digest = hashlib.sha256()
        try:
            answer = self._client.get_object(Bucket=location.bucket, Key=location.key, IfMatch=f'"{etag}"')
            with path.open("xb") as file, closing(answer["Body"]) as body:
                for piece in body.iter_chunks(_PIECE_BYTES):
                    digest.update(piece)
                    file.write(piece)
        except (ClientError, BotoCoreError) as error:
            raise _translate(error) from error
        return digest.hexdigest()


def _translate(error: ClientError | BotoCoreError) -> Unreadable | Changed | Unreachable:
    if isinstance(error, BotoCoreError):
        return Unreachable(str(error))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
    if status == 412:
        return Changed()
    if status not in _REFUSED_STATUSES or status in _THROTTLED_STATUSES:
        return Unreachable(str(error))
    if status == 404:
        return Unreadable("the object does not exist")
    if status == 403:
        return Unreadable("access was denied")
    return Unreadable(str(error))
