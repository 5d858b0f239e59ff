"""Invoke deployed functions: what Lambda does between a request and a sandbox."""

from __future__ import annotations

import os
import secrets
import struct
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from remediator.local.runtime import lines
from remediator.local.runtime.code import CodeStore
from remediator.local.runtime.environment import variables
from remediator.local.runtime.events import Launch, Request
from remediator.local.runtime.functions import Acting
from remediator.local.runtime.interpreters import interpreter_for
from remediator.local.runtime.pool import Environment, Pool
from remediator.local.runtime.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.clock import Clock
    from remediator.local.runtime.events import Outcome
    from remediator.local.runtime.functions import Account, Function

# The default quota of an account, per region.
CONCURRENCY: Final = 1000
_TAIL_BYTES: Final = 4096
LAMBDA: Final = "lambda.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Invocation:
    """Hold what one invocation gave. `log_tail` is at most the last 4 KB of its log."""

    identity: str
    outcome: Outcome
    cold: bool
    milliseconds: float
    log_tail: str


class LambdaHost:
    """Run the functions of one embedded account."""

    def __init__(self, account: Account, clock: Clock) -> None:
        self._account = account
        self._code = CodeStore()
        self._pools: dict[str, Pool] = {}
        self._lock = threading.Lock()
        self._shared_clock = tempfile.TemporaryFile(prefix="lambda-clock-")  # noqa: SIM115 - closed with the host
        self._share(clock.offset)
        clock.on_shift(self._share)
        self.on_invocation: list[Callable[[Function, Invocation], None]] = []

    def invoke(self, function: Function, event: bytes, identity: str | None = None) -> Invocation:
        """Carry out one event, in a warm sandbox if there is one.

        Raises `Throttled`; `Unassumable` if Lambda may not assume the function's role; `NoRuntime`.
        """
        pool = self._pool(function)
        environment = pool.borrow(function)
        try:
            invocation = self._invoke(function, environment, event, identity or str(uuid.uuid4()))
        finally:
            pool.give_back(environment)
        for listener in tuple(self.on_invocation):
            listener(function, invocation)
        return invocation

    def kill(self, access_key: str) -> bool:
        """Kill the sandbox that holds these credentials, as a crash would; return False if there is none."""
        with self._lock:
            pools = list(self._pools.values())
        return any(pool.kill(access_key) for pool in pools)

    def recycle(self) -> None:
        """End idle sandboxes, so that the next invocation of every function starts cold."""
        with self._lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.recycle()

    def close(self) -> None:
        """Kill every sandbox and remove the files."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()
        self._code.close()
        self._shared_clock.close()

    def _invoke(self, function: Function, environment: Environment, event: bytes, identity: str) -> Invocation:
        cold, environment.used = not environment.used, True
        environment.write(lines.started(function.log_format, identity))
        before = time.monotonic()
        request = Request(identity, event, function.arn, time.time() + function.timeout, _trace())
        outcome = environment.sandbox.invoke(request, float(function.timeout))
        milliseconds = (time.monotonic() - before) * 1000
        init = environment.init_seconds * 1000 if cold else None
        peak = environment.sandbox.peak_memory
        report = lines.Report(identity, milliseconds, init, function.memory, peak, outcome)
        for line in lines.ended(function.log_format, report):
            environment.write(line)
        written = environment.take()
        self._account.put_logs(function, environment.stream, environment.credentials.access_key, written)
        tail = "\n".join(entry.message for entry in written).encode()[-_TAIL_BYTES:].decode(errors="ignore")
        return Invocation(identity, outcome, cold, milliseconds, tail)

    def _start(self, function: Function) -> Environment:
        interpreter = interpreter_for(function.runtime)
        credentials = self._account.session(Acting(function.role_arn, LAMBDA), function.name)
        stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{secrets.token_hex(16)}"
        environment = Environment(function.revision, credentials, stream)
        environment.write(lines.initialized(function.log_format, function.runtime, interpreter.remark))
        task_root = self._code.task_root(function)
        runtime_directory = self._code.runtime_directory(interpreter)
        launch = Launch(
            interpreter=interpreter,
            runtime_directory=runtime_directory,
            task_root=task_root,
            bytecode_cache=self._code.bytecode_cache(function, interpreter),
            handler=function.handler,
            environment=variables(
                function,
                credentials,
                stream=stream,
                endpoint=self._account.endpoint,
                task_root=task_root,
                runtime_directory=runtime_directory,
            ),
        )
        before = time.monotonic()
        environment.sandbox = Sandbox(launch, self._shared_clock.fileno(), environment.write)
        if not environment.sandbox.initialize():
            # Lambda tries once more then, and counts the function's own timeout.
            environment.sandbox.kill()
            environment.sandbox = Sandbox(launch, self._shared_clock.fileno(), environment.write)
        environment.init_seconds = time.monotonic() - before
        return environment

    def _pool(self, function: Function) -> Pool:
        with self._lock:
            return self._pools.setdefault(function.arn, Pool(self._start, CONCURRENCY))

    def _share(self, offset: float) -> None:
        os.pwrite(self._shared_clock.fileno(), struct.pack("d", offset), 0)


def _trace() -> str:
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Sampled=0"
