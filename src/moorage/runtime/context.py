"""What a hook learns about the request, and may add to the answer, through its optional last argument.

The method names are those of the model server that the AWS containers run, because scripts call them.
"""

from __future__ import annotations

from pathlib import Path

from moorage.wire.messages import HeaderList


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
        """Add a header to the answer, `X-Amzn-SageMaker-Custom-Attributes` for one."""
        self.answer_headers[key] = value

    def set_response_content_type(self, index: int, value: str) -> None:
        """Say what the answer is, in place of what was asked for."""
        self.answer_type = value
