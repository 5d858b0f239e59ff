"""Run an app by calling its functions, where Azure's own runtime library isn't there for this Python.

What the library would do and this doesn't: decode and encode bindings other than HTTP and timer, check annotations.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import inspect
import json
import sys
import traceback
from typing import TYPE_CHECKING, Any, Final

from .driver import HttpTrigger, Message, NotLoaded, failed, response, succeeded

if TYPE_CHECKING:
    from collections.abc import Callable


_INVOCATION: Final[contextvars.ContextVar[str | None]] = contextvars.ContextVar("invocation", default=None)


class PlainCalls:
    """Hold the app's functions."""

    def __init__(self) -> None:
        self._functions: dict[str, tuple[Callable[..., Any], str]] = {}
        self.name = f"plain calls on Python {sys.version_info.major}.{sys.version_info.minor}"

    def current(self) -> str | None:
        """Return the invocation that this thread is at work for."""
        return _INVOCATION.get()

    def load(self, folder: str) -> list[Message]:
        """Import `function_app` and ask its one app for its functions; `folder` is on the path already."""
        del folder
        import azure.functions as func  # noqa: PLC0415 - the app's own copy, found only now that the path is set

        try:
            module = importlib.import_module("function_app")
        except Exception as error:  # noqa: BLE001 - whatever an app raises on import is for the host to report
            raise NotLoaded("".join(traceback.format_exception(error))) from None
        apps = [one for one in vars(module).values() if isinstance(one, func.FunctionApp)]
        if len(apps) != 1:
            raise NotLoaded(f"function_app.py has {len(apps)} function apps at its top level instead of one")
        return [self._indexed(one) for one in apps[0].get_functions()]

    def call(self, function: str, invocation: str, trigger: HttpTrigger | str) -> Message:
        """Call a function."""
        _INVOCATION.set(invocation)
        user, parameter = self._functions[function]
        argument = _request(trigger) if isinstance(trigger, HttpTrigger) else _timer(trigger)
        try:
            returned = user(**{parameter: argument})
            if inspect.iscoroutine(returned):
                returned = asyncio.run(returned)
            return succeeded(_response(returned) if isinstance(trigger, HttpTrigger) else None)
        except Exception as error:  # noqa: BLE001 - whatever an app raises is for the host to report
            return failed(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))

    def _indexed(self, function: Any) -> Message:  # noqa: ANN401 - the SDK's `Function`
        bindings = [json.loads(one) for one in function.get_raw_bindings()]
        trigger = function.get_trigger()
        self._functions[function.get_function_name()] = (function.get_user_function(), trigger.name)
        return {"name": function.get_function_name(), "bindings": bindings}


def _request(trigger: HttpTrigger) -> Any:  # noqa: ANN401 - the SDK's `HttpRequest`
    import azure.functions as func  # noqa: PLC0415 - the app's own copy

    return func.HttpRequest(
        trigger.method,
        trigger.url,
        headers=trigger.headers,
        params=trigger.query,
        route_params=trigger.params,
        body=trigger.body,
    )


def _timer(document: str) -> Any:  # noqa: ANN401 - the SDK's `TimerRequest`
    from azure.functions.timer import TimerRequest  # noqa: PLC0415 - the app's own copy

    facts = json.loads(document)
    return TimerRequest(
        past_due=facts["IsPastDue"], schedule_status=facts["ScheduleStatus"], schedule=facts["Schedule"]
    )


def _response(returned: Any) -> Message | None:  # noqa: ANN401 - whatever the app returned
    if returned is None:
        return None
    if isinstance(returned, str):
        return response("200", {"content-type": "text/plain; charset=utf-8"}, returned.encode())
    headers = {name.lower(): value for name, value in returned.headers.items()}
    headers.setdefault("content-type", returned.mimetype)
    return response(str(returned.status_code), headers, returned.get_body())
