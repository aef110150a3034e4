"""From a request's bytes to an answer's bytes: the hooks a script defines, with the framework's defaults in between.

Who is at fault decides the status. 400, 415, 406: the request, as found by the framework's defaults, or by a ValueError
from the script's input_fn, whose work it is to check input. Anything else that a script raises is the model's fault and
leaves here as it is, to be answered with 500.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from moorage.runtime import batching, frameworks, media, script
from moorage.runtime.batching import REQUESTS_MAX, Work
from moorage.runtime.calls import Answer, Call, Outcome
from moorage.runtime.context import Context, check_field
from moorage.runtime.failures import ModelUnusable, RequestRefused, attempt, say
from moorage.runtime.frameworks.base import Model, Say
from moorage.runtime.script import Hooks, ImportScript, load_hooks
from moorage.runtime.settings import Settings
from moorage.runtime.streaming import is_stream
from moorage.runtime.trial import trial_of

_CONTENT_TYPE: Final = b"content-type"
_ACCEPT: Final = b"accept"
_FORMS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Form:
    """What a request's Content-Type and Accept come to."""

    content_type: str
    """As it was sent."""
    media: str
    """The body's type, without parameters."""
    answer: str
    """The type that the answer is to have."""


class LoadedModel:
    """A model with its hooks, ready for calls. One thread at a time uses it."""

    def __init__(self, model: Model, hooks: Hooks, folder: Path, settings: Settings, say: Say) -> None:
        self.hooks = hooks
        self.folder = folder
        self.settings = settings
        self.native = model.native
        self.is_quick = model.quick and not hooks.of_requests
        """Whether it answers sooner than another thread could be asked to."""
        self.is_async = any(hook.is_async for hook in hooks.of_requests)
        """Whether calls are for `async_hooks.converse`."""
        self.calls_max = REQUESTS_MAX if _batches(model, hooks, settings) else 1
        """How many calls to answer at once."""
        self._trial = trial_of(hooks, model.native, say) if settings.batching == "on" else None
        self._say = say
        self.model = model
        self._takes_context = any(hook.takes_context for hook in hooks.of_requests)
        self._forms: dict[tuple[bytes | None, bytes | None], Form] = {}

    def answer_all(self, calls: Sequence[Call]) -> list[Outcome]:
        """Answer up to `calls_max` calls."""
        if self.hooks.transform_fn is not None:
            return [attempt(self._transform, call) for call in calls]
        return batching.answer_all(self, calls)

    # -- the steps of a call, for `batching` --------------------------------------------------------------------------

    def read(self, call: Call) -> Work:
        """See `batching.Steps.read`."""
        form, context = self.form(call), self.context(call)
        if self.hooks.input_fn is None:
            decoded = self.model.decode(call.body, form.media)
            return Work(decoded.data, form.answer, self._is_detailed(decoded.enveloped, form), context)
        data = as_scripts_get_it(call.body, form)
        try:
            data = self.hooks.input_fn(data, form.content_type, context=context)
        except ValueError as error:
            raise RequestRefused(400, say(error)) from error
        return Work(data, form.answer, False, context)

    def predict(self, data: Any, work: Work) -> Any:
        """See `batching.Steps.predict`."""
        if self.hooks.predict_fn is None:
            return self.model.predict(data, detailed=work.detailed)
        prediction = self.hooks.predict_fn(data, self.native, context=work.context)
        if self._trial is not None:
            verdict = self._trial.note(data, prediction)
            if verdict is not None:
                self._trial = None
                self.calls_max = REQUESTS_MAX if verdict else 1
        return prediction

    def write(self, prediction: Any, work: Work) -> Answer:
        """See `batching.Steps.write`."""
        if self.hooks.output_fn is not None:
            prediction = self.hooks.output_fn(prediction, work.media, context=work.context)
        elif not is_stream(prediction):
            return Answer(self.model.encode(prediction, work.media), work.media, work.context)
        return self.made_by_script(prediction, work.media, work.context)

    def batch_no_more(self, reason: str) -> None:
        """See `batching.Steps.batch_no_more`."""
        if self.calls_max > 1:
            self.calls_max = 1
            self._say(f"requests are predicted one by one from now on: {reason}")

    # -- what they are made of, also for `async_hooks` ----------------------------------------------------------------

    def form(self, call: Call) -> Form:
        """The types of a call and its answer. Raises RequestRefused (406)."""
        asked = call.fields.get(_CONTENT_TYPE), call.fields.get(_ACCEPT)
        form = self._forms.get(asked)
        if form is None:
            if len(self._forms) >= _FORMS_MAX:
                self._forms.clear()
            form = self._forms[asked] = self._make_form(*(_text(value) for value in asked))
        return form

    def context(self, call: Call) -> Context | None:
        """The context of a call, if a hook wants one."""
        return Context(self.folder, call.headers) if self._takes_context else None

    def made_by_script(self, result: Any, answer_type: str, context: Context | None) -> Answer:
        """`body` or `(body, content type)`. What is neither text nor bytes nor a stream is written as that type."""
        if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str):
            result, answer_type = result
            check_field("content-type", answer_type)
        answer = Answer(result, answer_type, context)
        if isinstance(result, str):
            answer.body = result.encode()
        elif isinstance(result, bytes | bytearray | memoryview):
            answer.body = bytes(result)
        elif not is_stream(result):
            answer.body = self.model.encode(result, media.media_type(answer.content_type))
        return answer

    def _transform(self, call: Call) -> Answer:
        assert self.hooks.transform_fn is not None
        form, context = self.form(call), self.context(call)
        data = as_scripts_get_it(call.body, form)
        result = self.hooks.transform_fn(self.native, data, form.content_type, form.answer, context=context)
        return self.made_by_script(result, form.answer, context)

    def _is_detailed(self, enveloped: bool, form: Form) -> bool:
        return (
            enveloped and form.answer == media.JSON and self.hooks.predict_fn is None and self.hooks.output_fn is None
        )

    def _make_form(self, content_type: str, accept: str) -> Form:
        content_type = content_type or media.JSON
        types = self.model.answer_types
        asked = media.media_type(content_type)
        # Who sends JSON reads JSON, also of XGBoost, whose container answers CSV but is never sent any.
        usual = media.JSON if asked == media.JSON and media.JSON in types else types[0]
        default = self.settings.default_accept or usual
        if self.hooks.output_fn is not None or self.hooks.transform_fn is not None:
            answer: str | None = media.first_choice(accept, default=default)
        else:
            # Our own output can say which types it cannot write, and says so before the model works.
            answer = media.negotiate(accept, types, default=default)
        if answer is None:
            raise RequestRefused(406, f"Unsupported Accept {accept!r}: ask for one of {', '.join(types)}")
        return Form(content_type, asked, answer)


def load(
    folder: Path,
    environment: Mapping[str, str],
    settings: Settings,
    *,
    framework: str,
    say: Say,
    import_script: ImportScript = script.import_script,
) -> LoadedModel:
    """Load the model in `folder` the way its script, or else its framework, says.

    Raises ModelUnusable, or whatever the model's code raises.
    """
    defaults = frameworks.find(framework)
    hooks = load_hooks(folder, settings, import_script)
    if hooks.model_fn is None:
        native = defaults.load(folder, environment)
    else:
        native = hooks.model_fn(str(folder), context=Context(folder, []))
    predicts = hooks.predict_fn is None and hooks.transform_fn is None
    model = defaults.serve(native, environment, say, predicts=predicts)
    _check_accept(settings, model, hooks)
    return LoadedModel(model, hooks, folder, settings, say)


def as_scripts_get_it(body: bytes, form: Form) -> str | bytes:
    """Text as `str`, anything else as bytes. Raises RequestRefused for text that is not UTF-8."""
    if not media.is_text(form.media):
        return body
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RequestRefused(400, say(error)) from error


def _batches(model: Model, hooks: Hooks, settings: Settings) -> bool:
    own = hooks.predict_fn is None and hooks.transform_fn is None
    return own and model.batches and settings.batching != "off"


def _check_accept(settings: Settings, model: Model, hooks: Hooks) -> None:
    if hooks.output_fn is not None or hooks.transform_fn is not None or settings.default_accept is None:
        return
    if settings.default_accept not in model.answer_types:
        raise ModelUnusable(
            f"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT is {settings.default_accept!r}: without an output_fn it must be one"
            f" of {', '.join(model.answer_types)}"
        )


def _text(value: bytes | None) -> str:
    return value.decode("latin-1") if value is not None else ""
