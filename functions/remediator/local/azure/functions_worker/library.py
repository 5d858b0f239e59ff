"""Run an app through `azure_functions_runtime`, the library that Azure's own worker loads on Python 3.13."""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import json
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from .driver import HttpTrigger, Message, NotLoaded, failed, response, succeeded
from .protos import messages

if TYPE_CHECKING:
    from collections.abc import Coroutine


class RuntimeLibrary:
    """Hold the library with its event loop; it keeps an app in its own globals, so one app per process."""

    def __init__(self) -> None:
        self._library: Any = importlib.import_module("azure_functions_runtime.handle_event")
        self._noted: Any = importlib.import_module("azure_functions_runtime.utils.executor").invocation_id_cv
        self._messages = messages()
        self._functions: dict[str, tuple[str, str]] = {}
        self._loop = asyncio.new_event_loop()
        version = importlib.metadata.version("azure-functions-runtime")
        self.name = f"azure-functions-runtime {version} on Python {sys.version_info.major}.{sys.version_info.minor}"
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def current(self) -> str | None:
        """Return the invocation that this thread is at work for, as the library has noted it."""
        noted: str | None = self._noted.get()
        return noted

    def load(self, folder: str) -> list[Message]:
        """Let the library index the app."""
        start = SimpleNamespace(capabilities={}, function_app_directory=folder)
        begun = self._wait(self._library.worker_init_request(self._event(worker_init_request=start)))
        if begun.result.status != self._messages.StatusResult.Success:
            raise NotLoaded(f"{begun.result.exception.message}\n{begun.result.exception.stack_trace}")
        found = self._wait(self._library.functions_metadata_request(self._event()))
        if found.function_metadata_results is None:
            raise NotLoaded("there is no function_app.py")
        return [self._indexed(one) for one in found.function_metadata_results]

    def call(self, function: str, invocation: str, trigger: HttpTrigger | str) -> Message:
        """Invoke a function through the library."""
        identity, parameter = self._functions[function]
        data = self._typed(trigger)
        request = SimpleNamespace(
            invocation_id=invocation,
            function_id=identity,
            trigger_metadata={},
            input_data=[self._messages.ParameterBinding(name=parameter, data=data)],
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
        answer = self._wait(self._library.invocation_request(self._event(invocation_request=request)))
        if answer.result.status != self._messages.StatusResult.Success:
            return failed(answer.result.exception.message, answer.result.exception.stack_trace)
        return succeeded(_http(answer.return_value) if isinstance(trigger, HttpTrigger) else None)

    def _indexed(self, function: Any) -> Message:  # noqa: ANN401 - the library's message
        bindings = [json.loads(one) for one in function.raw_bindings]
        trigger = next(one for one in bindings if one["type"].lower().endswith("trigger"))
        self._functions[function.name] = (function.function_id, trigger["name"])
        return {"name": function.name, "bindings": bindings}

    def _typed(self, trigger: HttpTrigger | str) -> Any:  # noqa: ANN401 - the library's message
        if not isinstance(trigger, HttpTrigger):
            return self._messages.TypedData(json=trigger)
        request = self._messages.RpcHttp(
            method=trigger.method,
            url=trigger.url,
            headers=trigger.headers,
            query=trigger.query,
            params=trigger.params,
            body=self._messages.TypedData(bytes=trigger.body),
        )
        return self._messages.TypedData(http=request)

    def _event(self, **request: Any) -> SimpleNamespace:  # noqa: ANN401 - one of the library's requests
        properties = {"host": "127.0.0.1", "protos": self._messages}
        return SimpleNamespace(request=SimpleNamespace(**request), properties=properties)

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - the library's answer
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _http(returned: Any) -> Message | None:  # noqa: ANN401 - the library's message
    if returned is None:
        return None
    if returned.http is None:
        text = returned.string if returned.string is not None else ""
        return response("200", {"content-type": "text/plain; charset=utf-8"}, text.encode())
    body = returned.http.body.bytes if returned.http.body is not None else b""
    headers = {name.lower(): value for name, value in returned.http.headers.items()}
    return response(returned.http.status_code, headers, body or b"")
