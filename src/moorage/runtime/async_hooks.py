"""A call through hooks of which some are `async def`.

Those run on the instance's event loop, any number of calls at a time: what takes long there must be awaited, for
`/ping` and every other call run there too. The others run in the model's thread, one at a time, as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from moorage.runtime.calls import Answer, Call
from moorage.runtime.context import Context
from moorage.runtime.failures import RequestRefused, attempt_in, say
from moorage.runtime.script import Hook
from moorage.runtime.streaming import is_stream
from moorage.runtime.toolkit import Form, LoadedModel, as_scripts_get_it


async def converse(model: LoadedModel, call: Call, thread: Executor) -> Answer:
    """Answer one call. Raises RequestRefused, or what a hook raises."""
    form, context = model.form(call), model.context(call)
    asking = _Asking(context, thread)
    hooks = model.hooks
    if hooks.transform_fn is not None:
        data = as_scripts_get_it(call.body, form)
        result = await asking.hook(hooks.transform_fn, model.native, data, form.content_type, form.answer)
    else:
        data = await _input(model, call, form, asking)
        result = await _prediction(model, data, asking)
        if hooks.output_fn is not None:
            result = await asking.hook(hooks.output_fn, result, form.answer)
        elif not is_stream(result):
            return Answer(await asking.thread(model.model.encode, result, form.answer), form.answer, context)
    return model.made_by_script(result, form.answer, context)


class _Asking:
    """Where each step of one call runs."""

    def __init__(self, context: Context | None, thread: Executor) -> None:
        self._context = context
        self._thread = thread

    async def hook(self, hook: Hook, *values: Any) -> Any:
        if hook.is_async:
            return await hook(*values, context=self._context)
        return await self.thread(lambda: hook(*values, context=self._context))

    async def thread(self, step: Callable[..., Any], *values: Any) -> Any:
        return await attempt_in(self._thread, step, *values)


async def _input(model: LoadedModel, call: Call, form: Form, asking: _Asking) -> Any:
    if model.hooks.input_fn is None:
        return (await asking.thread(model.model.decode, call.body, form.media)).data
    try:
        return await asking.hook(model.hooks.input_fn, as_scripts_get_it(call.body, form), form.content_type)
    except ValueError as error:
        raise RequestRefused(400, say(error)) from error


async def _prediction(model: LoadedModel, data: Any, asking: _Asking) -> Any:
    if model.hooks.predict_fn is not None:
        return await asking.hook(model.hooks.predict_fn, data, model.native)
    return await asking.thread(lambda: model.model.predict(data, detailed=False))
