"""What a hook learns about the request, and may add to the answer, through its optional last argument.

The method names are those of the model server that the AWS containers run, because scripts call them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from moorage.wire.messages import HeaderList

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTENT_TYPE: Final = "content-type"
_OF_THE_SERVER: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})
"""Header fields that say how an answer goes out."""


class Context:
    """One request's context. `index` arguments are the place in a batch, which here is always of one request."""

    def __init__(self, model_folder: Path, headers: HeaderList) -> None:
        self.system_properties = {"model_dir": str(model_folder), "gpu_id": None}
        self.answer_headers: dict[str, str] = {}
        self.answer_type: str | None = None
        self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}

    def get_request_header(self, index: int, key: str) -> str | None:
        """The value of a request header, whatever the case of its name."""
        return self._headers.get(key.lower())

    def get_all_request_header(self, index: int) -> dict[str, str]:
        """Every request header, names in lower case."""
        return dict(self._headers)

    def set_response_header(self, index: int, key: str, value: str) -> None:
        """Add a header to the answer, `X-Amzn-SageMaker-Custom-Attributes` for one. Raises TypeError, ValueError."""
        _check_name(key)
        check_field(key, value)
        if key.lower() == _CONTENT_TYPE:
            self.answer_type = value
        else:
            self.answer_headers[key] = value

    def set_response_content_type(self, index: int, value: str) -> None:
        """Say what the answer is, in place of what was asked for. Raises TypeError, ValueError."""
        check_field(_CONTENT_TYPE, value)
        self.answer_type = value


def check_field(name: str, value: object) -> None:
    """Raises TypeError or ValueError for a value that a header cannot have."""
    if not isinstance(value, str):
        raise TypeError(f"the header {name} has to be text and is {value!r}")
    if not value.isprintable():
        raise ValueError(f"the header {name} has to be one line of printable text and is {value!r}")


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.lower() in _OF_THE_SERVER:
        raise ValueError(f"{name!r} is no header that an answer can be given")
