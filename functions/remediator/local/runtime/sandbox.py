"""Run one execution environment: a process with the real runtime client, frozen between invocations."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from remediator.local.runtime.api import TOO_LARGE, RuntimeApi
from remediator.local.runtime.events import Outcome
from remediator.local.runtime.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.runtime.events import Launch, Request

INIT_SECONDS: Final = 10.0
_BOOTSTRAP: Final = Path(__file__).with_name("bootstrap.py")


class Sandbox:
    """Hold one process of a function. One invocation at a time; the pool sees to it."""

    def __init__(self, launch: Launch, clock: int, write: Callable[[str], None]) -> None:
        """Start the process. `clock` is the descriptor of the shared clock; `write` takes what the function logs."""
        self._events: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._current: Request | None = None
        self._init_error: Outcome | None = None
        self._initialized = threading.Event()
        self._state = threading.Lock()
        self._ended = False
        self._doomed = False
        self._scratch = Path(tempfile.mkdtemp(prefix="lambda-tmp-"))
        self.output = Output(write)
        self._api = RuntimeApi(self)
        self._process = self._start(launch, clock)
        self.output.start()
        threading.Thread(target=self._reap, daemon=True).start()

    def _start(self, launch: Launch, clock: int) -> subprocess.Popen[bytes]:
        cache = ["-X", f"pycache_prefix={launch.bytecode_cache}"] if launch.bytecode_cache else ["-B"]
        script = [str(_BOOTSTRAP), str(launch.task_root), str(launch.runtime_directory), str(clock), launch.handler]
        environment = {
            **launch.environment,
            "TMPDIR": str(self._scratch),
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "_LAMBDA_TELEMETRY_LOG_FD": str(self.output.frames_end),
        }
        # No site-packages (-S) and no script directory (-P) on the path: what the host has installed isn't there.
        # A process group in the host's session: if the host dies, the kernel hangs up on frozen members, too.
        return subprocess.Popen(  # noqa: S603 - the function that the customer deployed: running it is the purpose
            [str(launch.interpreter.executable), "-S", "-P", *cache, *script],
            cwd=launch.task_root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.output.lines_end,
            stderr=self.output.lines_end,
            pass_fds=(clock, self.output.frames_end),
            process_group=0,
        )

    @property
    def alive(self) -> bool:
        """Say if it can take another event."""
        return not (self._ended or self._doomed) and self._init_error is None

    @property
    def peak_memory(self) -> int:
        """Return the largest resident size so far, in MB; 0 once the process has gone."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) // 1024
        return 0

    def initialize(self) -> bool:
        """Wait for the function's module to be imported; return False if it takes longer than Lambda allows."""
        return self._initialized.wait(INIT_SECONDS)

    def invoke(self, request: Request, seconds: float) -> Outcome:
        """Carry out one event within `seconds` of real time, or kill the process."""
        if self._init_error is not None:
            return self._init_error
        with self._state:
            if self._ended:
                return self._exited(request)
            self._current = request
            self._signal(signal.SIGCONT)
        self._events.put(request)
        if request.done.wait(seconds):
            return request.outcome or self._init_error or self._exited(request)
        self.kill()
        return Outcome.failure(
            "Sandbox.Timedout",
            f"RequestId: {request.identity} Error: Task timed out after {seconds:.2f} seconds",
            "timeout",
        )

    def kill(self) -> None:
        """End the process at once, whatever it is doing."""
        self._doomed = True  # before it is dead, nobody may be lent it any more
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def ready(self) -> Request | None:
        """Freeze until there is an event: the runtime client has asked for the next one."""
        self.output.drain()
        self._initialized.set()
        with self._state:
            if self._current is None and not self._ended:
                self._signal(signal.SIGSTOP)
        return self._events.get()

    def finished(self, identity: str, outcome: Outcome) -> None:
        """Hand an outcome to whoever waits for it."""
        self.output.drain()
        with self._state:
            request, self._current = self._current, None
            # The runtime client gives up when it is told so; whatever is lent next mustn't be this process.
            self._doomed = self._doomed or outcome.error_type == TOO_LARGE
        if request is not None and request.identity == identity:
            request.finish(outcome)

    def init_failed(self, outcome: Outcome) -> None:
        """Keep the reason: every event for this sandbox gets it."""
        self.output.drain()
        self._init_error = outcome
        self._initialized.set()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, number)

    def _reap(self) -> None:
        self._process.wait()
        self.output.drain()
        with self._state:
            self._ended = True
            request = self._current
        self._initialized.set()
        if request is not None:
            request.done.set()
        self._events.put(None)
        self._api.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _exited(self, request: Request) -> Outcome:
        code = self._process.wait()
        reason = f"signal: {signal.Signals(-code).name[3:].lower()}" if code < 0 else f"exit status {code}"
        text = f"Runtime exited with error: {reason}" if code else "Runtime exited without providing a reason"
        return Outcome.failure("Runtime.ExitError", f"RequestId: {request.identity} Error: {text}")
