"""Model data in an S3 endpoint elsewhere, AWS's own or any other, read with boto3 in threads."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import cached_property
from itertools import islice
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from moorage.objects.download import Download
from moorage.objects.external_endpoint import ExternalEndpoint
from moorage.objects.model_sources import Changed, FoundObject, Unreachable, Unreadable
from moorage.objects.model_urls import ObjectLocation
from moorage.objects.workers import Workers

_LOOK_THREADS = 4
_DOWNLOAD_THREADS = 8
_PIECE_BYTES = 1024 * 1024
_REFUSED_STATUSES = range(400, 500)
_THROTTLED_STATUSES = (408, 429)


class ExternalSource:
    """Reads from an external endpoint. The client is made at the first use, for it is slow to make."""

    def __init__(self, endpoint: ExternalEndpoint) -> None:
        self._endpoint = endpoint
        self._looks = Workers("external-s3-looks", _LOOK_THREADS)  # so that no look waits behind large downloads
        self._downloads = Workers("external-s3-downloads", _DOWNLOAD_THREADS)

    async def has_bucket(self, bucket: str) -> bool:
        """Always: whoever configured the endpoint wants it asked, and its refusal says more than ours."""
        return True

    async def look(self, location: ObjectLocation) -> FoundObject:
        return await self._looks.run(self._look, location)

    async def list(self, prefix: ObjectLocation, *, limit: int) -> Sequence[FoundObject]:
        return await self._looks.run(self._list, prefix, limit)

    async def download(self, found: FoundObject, download: Download) -> None:
        await self._downloads.run(self._download, found, download)

    async def close(self) -> None:
        """Wait for what is under way."""
        self._looks.close()
        self._downloads.close()

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
            max_pool_connections=_LOOK_THREADS + _DOWNLOAD_THREADS,
            connect_timeout=endpoint.connect_timeout_s,
            read_timeout=endpoint.read_timeout_s,
            retries={"mode": "standard", "total_max_attempts": endpoint.attempts_max},
            request_checksum_calculation=endpoint.checksums,
            response_checksum_validation=endpoint.checksums,
            ignore_configured_endpoint_urls=True,  # AWS_ENDPOINT_URL is likely to name this very Moorage
        )
        return session.client("s3", endpoint_url=endpoint.endpoint_url, verify=endpoint.ca_bundle, config=config)

    def _look(self, location: ObjectLocation) -> FoundObject:
        try:
            answer = self._client.head_object(Bucket=location.bucket, Key=location.key)
        except (ClientError, BotoCoreError) as error:
            raise _translate(error) from error
        return FoundObject(location, answer["ETag"].strip('"'), answer["ContentLength"])

    def _list(self, prefix: ObjectLocation, limit: int) -> Sequence[FoundObject]:
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
            entries = (entry for page in pages for entry in page.get("Contents", ()))
            return [
                FoundObject(ObjectLocation(prefix.bucket, entry["Key"]), entry["ETag"].strip('"'), entry["Size"])
                for entry in islice(entries, limit)
            ]
        except (ClientError, BotoCoreError) as error:
            raise _translate(error) from error

    def _download(self, found: FoundObject, download: Download) -> None:
        if download.size == found.size > 0:
            return  # it broke off behind the last byte; a range of nothing would be refused
        wanted = {"Range": f"bytes={download.size}-"} if download.size else {}
        bucket, key = found.location.bucket, found.location.key
        try:
            answer = self._client.get_object(Bucket=bucket, Key=key, IfMatch=f'"{found.etag}"', **wanted)
            with closing(answer["Body"]) as body:
                for piece in body.iter_chunks(_PIECE_BYTES):
                    download.write(piece)
        except (ClientError, BotoCoreError) as error:
            raise _translate(error) from error


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
