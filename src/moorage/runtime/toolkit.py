"""From a request's bytes to an answer's bytes: the hooks a script defines, with the defaults in between.

Who is at fault decides the status. 400, 415, 406: the request, as found by our own decoding, by the model's `predict`
under the default predict_fn, or by a ValueError from the script's input_fn, whose work it is to check input. Anything
else that a script raises is the model's fault and leaves here as it is, to be answered with 500.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moorage.runtime import codecs, handlers, media
from moorage.runtime.context import Context
from moorage.runtime.failures import RequestRefused, say
from moorage.runtime.script import Hooks, load_hooks
from moorage.runtime.streaming import Pieces, is_stream


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer. A generator may set its type and headers until its first piece is made: ask it first."""

    body: bytes | Pieces
    _type: str
    _context: Context

    @property
    def content_type(self) -> str:
        """What the script says it is, else what was asked for."""
        return self._context.answer_type or self._type

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that the script added."""
        return self._context.answer_headers


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with its hooks, ready for requests. `transform` is called by one thread at a time."""

    model: Any
    hooks: Hooks
    folder: Path
    default_accept: str = media.JSON

    def transform(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer one request; `headers` with names in lower case. Raises RequestRefused, or what a hook raises."""
        context = Context(self.folder, headers)
        content_type = headers.get("content-type", media.JSON)
        accept = headers.get("accept", "")
        if self.hooks.transform_fn is not None:
            return self._transform(body, content_type, accept, context)
        if self._is_plain():
            return self._answer_plainly(body, content_type, accept, context)
        return self._run_hooks(body, content_type, accept, context)

    def _is_plain(self) -> bool:
        hooks = self.hooks
        return hooks.input_fn is None and hooks.predict_fn is None and hooks.output_fn is None

    def _answer_plainly(self, body: bytes, content_type: str, accept: str, context: Context) -> Answer:
        answer_type = self._negotiated(accept)
        request = codecs.decode(body, media.media_type(content_type))
        return Answer(handlers.answer(self.model, request, answer_type), answer_type, context)

    def _transform(self, body: bytes, content_type: str, accept: str, context: Context) -> Answer:
        assert self.hooks.transform_fn is not None
        answer_type = media.first_choice(accept, default=self.default_accept)
        data = _as_scripts_get_it(body, content_type)
        result = self.hooks.transform_fn(self.model, data, content_type, answer_type, context=context)
        return _made_by_script(result, answer_type, context)

    def _run_hooks(self, body: bytes, content_type: str, accept: str, context: Context) -> Answer:
        hooks = self.hooks
        # Only our own output_fn can say which types it cannot write, and it says so before the model works.
        answer_type = (
            self._negotiated(accept)
            if hooks.output_fn is None
            else media.first_choice(accept, default=self.default_accept)
        )
        data = self._input(body, content_type, context)
        prediction = (
            handlers.predict(data, self.model)
            if hooks.predict_fn is None
            else hooks.predict_fn(data, self.model, context=context)
        )
        if hooks.output_fn is not None:
            prediction = hooks.output_fn(prediction, answer_type, context=context)
        elif not is_stream(prediction):
            prediction = codecs.encode(prediction, answer_type)
        return _made_by_script(prediction, answer_type, context)

    def _input(self, body: bytes, content_type: str, context: Context) -> Any:
        if self.hooks.input_fn is None:
            return codecs.decode(body, media.media_type(content_type)).data
        data = _as_scripts_get_it(body, content_type)
        try:
            return self.hooks.input_fn(data, content_type, context=context)
        except ValueError as error:
            raise RequestRefused(400, say(error)) from error

    def _negotiated(self, accept: str) -> str:
        chosen = media.negotiate(accept, codecs.ANSWER_TYPES, default=self.default_accept)
        if chosen is None:
            types = ", ".join(codecs.ANSWER_TYPES)
            raise RequestRefused(406, f"Unsupported Accept {accept!r}: ask for one of {types}")
        return chosen


def load(folder: Path, environment: Mapping[str, str]) -> LoadedModel:
    """Load the model in `folder` the way its script, or else its file, says.

    Raises ModelUnusable, or whatever the model's code raises.
    """
    hooks = load_hooks(folder, environment)
    if hooks.model_fn is None:
        model = handlers.load_model(folder)
    else:
        model = hooks.model_fn(str(folder), context=Context(folder, {}))
    accept = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", media.JSON)
    return LoadedModel(model, hooks, folder, accept)


def _as_scripts_get_it(body: bytes, content_type: str) -> str | bytes:
    if not media.is_text(media.media_type(content_type)):
        return body
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RequestRefused(400, say(error)) from error


def _made_by_script(result: Any, answer_type: str, context: Context) -> Answer:
    """`body` or `(body, content type)`. What is neither text nor bytes nor a stream is written as the answer's type."""
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str):
        result, answer_type = result
    if is_stream(result):
        return Answer(result, answer_type, context)
    if isinstance(result, str):
        body = result.encode()
    elif isinstance(result, bytes | bytearray | memoryview):
        body = bytes(result)
    else:
        body = codecs.encode(result, media.media_type(context.answer_type or answer_type))
    return Answer(body, answer_type, context)
