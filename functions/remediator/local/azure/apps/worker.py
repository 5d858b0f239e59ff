"""Hold one worker: a process that runs a function app, several invocations at a time."""

from __future__ import annotations

import base64
import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.apps.app import Function, LogLine, Outcome
from remediator.local.azure.apps.settings import BadApp
from remediator.local.azure.functions_worker.frames import Channel
from remediator.local.runtime.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.local.azure.apps.interpreters import Interpreter
    from remediator.local.azure.exchange import Request

_PACKAGE: Final = "functions_worker"
_FOLDER: Final = Path(__file__).resolve().parents[1]
_START: Final = (
    f"import runpy, sys; sys.path.insert(0, sys.argv[1]); runpy.run_module({_PACKAGE!r}, run_name='__main__')"
)
_READY_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Launch:
    """Describe a worker to start. `hosts` resolve to `port`; `clock` is the file of the shared clock."""

    name: str
    interpreter: Interpreter
    folder: Path
    paths: tuple[Path, ...]
    environment: Mapping[str, str]
    hosts: tuple[str, ...]
    port: int
    clock: Path


@dataclass(slots=True)
class _Pending:
    done: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None


class Worker:
    """Hold the process, and the invocations that are under way in it. `write` takes what it logs."""

    def __init__(self, launch: Launch, write: Callable[[LogLine], None]) -> None:
        self.name = launch.name
        self.functions: tuple[Function, ...] = ()
        self.driver = ""
        self.used = False
        self._write = write
        self._lock = threading.Lock()
        self._pending: dict[str, _Pending] = {}
        self._ready = threading.Event()
        self._problem = ""
        self._ended = False
        self._scratch = Path(tempfile.mkdtemp(prefix="functions-tmp-"))
        self._output = Output(self._printed)
        self._channel, self._process = self._start(launch)
        self._output.start()
        self._channel.send(
            {
                "folder": str(launch.folder),
                "paths": [str(path) for path in launch.paths],
                "hosts": list(launch.hosts),
                "port": launch.port,
                "clock": str(launch.clock),
                "driver": launch.interpreter.driver,
            }
        )
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Say whether it can take another invocation."""
        return not self._ended

    @property
    def busy(self) -> int:
        """Return how many invocations are under way."""
        return len(self._pending)

    def wait_ready(self) -> None:
        """Wait until the app's functions are known; raises `BadApp` with what went wrong otherwise."""
        if not self._ready.wait(_READY_SECONDS):
            self.kill()
            raise BadApp(f"the app isn't ready after {_READY_SECONDS:.0f} seconds")
        if self._problem:
            raise BadApp(self._problem)

    def invoke(self, function: str, identity: str, payload: Mapping[str, Any], seconds: float) -> Outcome:
        """Call a function, within `seconds` of real time, or kill the process."""
        pending = _Pending()
        with self._lock:
            if self._ended:
                return self._exited()
            self._pending[identity] = pending
        with contextlib.suppress(OSError):  # it has just ended: `_listen` says so
            self._channel.send({"function": function, "invocation": identity, **payload})
        in_time = pending.done.wait(seconds)
        self._output.drain()
        with self._lock:
            self._pending.pop(identity, None)
        if in_time:
            return pending.outcome or self._exited()
        self.kill()
        what = f"Timeout value of {_span(seconds)} exceeded by function 'Functions.{function}' (Id: '{identity}')."
        return Outcome("timeout", message=what)

    def kill(self) -> None:
        """End the process at once, whatever it is doing."""
        self._ended = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def close(self) -> None:
        """End the process, and wait until nothing of it is left."""
        self.kill()
        self._process.wait()

    def _start(self, launch: Launch) -> tuple[Channel, subprocess.Popen[bytes]]:
        ours, theirs = socket.socketpair()
        command = [str(launch.interpreter.executable), "-I", "-c", _START, str(_FOLDER), str(theirs.fileno())]
        process = subprocess.Popen(  # noqa: S603 - the app that the customer deployed: running it is the purpose
            command,
            cwd=launch.folder,
            env={**launch.environment, "TMPDIR": str(self._scratch)},
            stdin=subprocess.DEVNULL,
            stdout=self._output.lines_end,
            stderr=self._output.lines_end,
            pass_fds=(theirs.fileno(),),
            process_group=0,
        )
        theirs.close()
        return Channel(ours), process

    def _listen(self) -> None:
        while (message := self._channel.receive()) is not None:
            if message["kind"] == "log":
                self._logged(message)
            elif message["kind"] == "done":
                self._finish(message)
            else:
                self._loaded(message)
        self._reap()

    def _logged(self, message: Mapping[str, Any]) -> None:
        parts = (message["level"], message["category"], message["message"], message["invocation"])
        self._write(LogLine(time.time(), *parts))

    def _printed(self, line: str) -> None:
        self._write(LogLine(time.time(), "INFO", "Host.Function.Console", line))

    def _loaded(self, message: Mapping[str, Any]) -> None:
        self.driver = message["driver"]
        if message["kind"] == "failed":
            self._problem = message["message"]
        else:
            self.functions = tuple(Function(one["name"], tuple(one["bindings"])) for one in message["functions"])
        self._ready.set()

    def _finish(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            pending = self._pending.get(message["invocation"])
        if pending is not None:
            outcome = Outcome(message["status"], message["http"], message.get("message", ""), message.get("stack", ""))
            pending.outcome = outcome
            pending.done.set()

    def _reap(self) -> None:
        self._process.kill()  # it closed the channel: nothing reaches it any more
        self._process.wait()
        self._output.drain()
        with self._lock:
            self._ended = True
            pending = list(self._pending.values())
        if not self._ready.is_set():
            self._problem = f"the worker ended while it started ({self._reason()})"
            self._ready.set()
        for one in pending:
            one.done.set()
        self._channel.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _exited(self) -> Outcome:
        return Outcome("exit", message=f"The worker process ended ({self._reason()}).")

    def _reason(self) -> str:
        code = self._process.wait()
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def http_payload(request: Request, params: Mapping[str, str]) -> dict[str, Any]:
    """Return a request as a worker takes it, with what the platform's front end adds."""
    forwarded = {"x-forwarded-for": "203.0.113.7:40044", "x-forwarded-proto": "https", "disguised-host": request.host}
    return {
        "http": {
            "method": request.method,
            "url": f"https://{request.host}{request.target}",
            "headers": {**request.headers, **forwarded},
            "query": dict(request.query),
            "params": dict(params),
            "body": base64.b64encode(request.body).decode(),
        }
    }


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"
