"""Where model data is, from the URLs that SageMaker takes: `s3://` and the `https://` forms of S3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_S3_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com")


@dataclass(frozen=True, slots=True)
class ObjectLocation:
    """A bucket and a key."""

    bucket: str
    key: str

    @property
    def url(self) -> str:
        """As an `s3://` URL."""
        return f"s3://{self.bucket}/{self.key}"


def parse_model_url(url: str) -> ObjectLocation | None:
    """The object that `url` names, or None if it names none.

    >>> parse_model_url("s3://models/iris/model.tar.gz")
    ObjectLocation(bucket='models', key='iris/model.tar.gz')
    >>> parse_model_url("https://models.s3.eu-west-1.amazonaws.com/model.tar.gz")
    ObjectLocation(bucket='models', key='model.tar.gz')
    >>> parse_model_url("https://s3.amazonaws.com/models/model.tar.gz")
    ObjectLocation(bucket='models', key='model.tar.gz')
    """
    location = parse_place(url)
    return location if location is not None and location.key else None


def parse_place(url: str) -> ObjectLocation | None:
    """As `parse_model_url`, also for the URL of a bucket, whose key is empty.

    >>> parse_place("s3://models")
    ObjectLocation(bucket='models', key='')
    """
    scheme, _, rest = url.partition("://")
    if scheme == "s3":
        return _location(*_split(rest))
    match = _S3_HOST.fullmatch(urlsplit(url).hostname or "") if scheme == "https" else None
    if match is None:
        return None
    path = unquote(urlsplit(url).path).removeprefix("/")
    return _location(match["bucket"], path) if match["bucket"] else _location(*_split(path))


def _split(path: str) -> tuple[str, str]:
    bucket, _, key = path.partition("/")
    return bucket, key


def _location(bucket: str, key: str) -> ObjectLocation | None:
    return ObjectLocation(bucket, key) if bucket else None
