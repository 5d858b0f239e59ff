"""The functions' host against Lambda's documented behaviour, with the real runtime client."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from remediator.local.clock import Clock
from remediator.local.runtime.functions import Throttled
from remediator.local.runtime.host import LambdaHost
from tests.local.hosting import Notebook, error, eventually, function, result, state

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = 3600.0
ECHO = "def handler(event, context): return event"
PROCESS = """
    import os
    def handler(event, context): return os.getpid()
"""
WHEN = """
    import os, time
    def handler(event, context): return [os.getpid(), time.time(), context.get_remaining_time_in_millis()]
"""


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    yield clock
    clock.close()


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def host(notebook: Notebook, clock: Clock) -> Iterator[LambdaHost]:
    host = LambdaHost(notebook, clock)
    yield host
    host.close()


def test_an_event_comes_back_as_the_handler_returned_it(host: LambdaHost) -> None:
    assert result(host.invoke(function(ECHO), b'{"a": [1, "\\u00e4"]}')) == {"a": [1, "ä"]}


def test_a_warm_sandbox_is_used_again_and_a_cold_one_says_so(host: LambdaHost) -> None:
    program = function(PROCESS)
    first, second = host.invoke(program, b"{}"), host.invoke(program, b"{}")
    assert (first.cold, second.cold) == (True, False)
    assert result(first) == result(second)


def test_a_warm_invocation_costs_milliseconds_not_a_delayed_acknowledgement(host: LambdaHost) -> None:
    program = function(ECHO)
    host.invoke(program, b"{}")
    fastest = min(host.invoke(program, b"{}").milliseconds for _ in range(20))
    assert fastest < 30  # Nagle's algorithm alone would make it 40


def test_parallel_invocations_run_side_by_side(host: LambdaHost) -> None:
    program = function(
        """
        import os, time
        def handler(event, context):
            time.sleep(0.3)
            return os.getpid()
        """
    )
    with ThreadPoolExecutor(3) as pool:
        processes = list(pool.map(lambda _: result(host.invoke(program, b"{}")), range(3)))
    assert len(set(processes)) == 3


def test_reserved_concurrency_throttles(host: LambdaHost, notebook: Notebook) -> None:
    program = function("import time\ndef handler(event, context): time.sleep(event)", reserved=1)
    entered = threading.Thread(target=lambda: host.invoke(program, b"0.5"))
    entered.start()
    assert eventually(lambda: bool(notebook.sessions))
    with pytest.raises(Throttled):
        host.invoke(program, b"0")
    entered.join()
    assert host.invoke(program, b"0").outcome.error_type is None


def test_no_reserved_concurrency_at_all_stops_a_function(host: LambdaHost) -> None:
    with pytest.raises(Throttled):
        host.invoke(function(ECHO, reserved=0), b"{}")


def test_a_function_that_raises_fails_and_stays_warm(host: LambdaHost) -> None:
    program = function("def handler(event, context): return {}['gone'] if event else 1")
    failed = host.invoke(program, b'{"x": 1}')
    assert error(failed)["errorType"] == "KeyError"
    assert error(failed)["errorMessage"] == "'gone'"
    assert error(failed)["stackTrace"]
    assert not host.invoke(program, b"{}").cold


def test_a_timeout_kills_the_sandbox_and_says_so(host: LambdaHost, notebook: Notebook) -> None:
    program = function(
        """
        import os, time
        def handler(event, context):
            print("pid", os.getpid())
            time.sleep(60)
        """,
        timeout=1,
    )
    invocation = host.invoke(program, b"{}")
    assert invocation.outcome.status == "timeout"
    assert re.fullmatch(r"RequestId: \S+ Error: Task timed out after 1.00 seconds", error(invocation)["errorMessage"])
    assert any(line.endswith("Task timed out after 1.00 seconds") for line in notebook.lines)
    assert notebook.lines[-1].endswith("Status: timeout")
    process = int(next(line for line in notebook.lines if line.startswith("pid")).split()[1])
    assert eventually(lambda: state(process) == "")
    assert host.invoke(program, b"{}").cold


@pytest.mark.parametrize(
    ("code", "says"),
    [("os._exit(3)", "exit status 3"), ("os.kill(os.getpid(), 9)", "signal: kill"), ("os._exit(0)", "without")],
)
def test_a_process_that_dies_is_an_exit_error(host: LambdaHost, code: str, says: str) -> None:
    invocation = host.invoke(function(f"import os\ndef handler(event, context): {code}"), b"{}")
    assert error(invocation)["errorType"] == "Runtime.ExitError"
    assert says in error(invocation)["errorMessage"]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import not_there", "Runtime.ImportModuleError"),
        ("def handler(:", "Runtime.UserCodeSyntaxError"),
        ("x = 1", "Runtime.HandlerNotFound"),
        ("raise ValueError('at import')", "ValueError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_an_error_of_every_invocation(
    host: LambdaHost, source: str, kind: str
) -> None:
    program = function(source)
    for _ in range(2):
        assert error(host.invoke(program, b"{}"))["errorType"] == kind


def test_a_result_over_the_limit_is_refused(host: LambdaHost) -> None:
    program = function("def handler(event, context): return 'x' * event")
    assert error(host.invoke(program, b"6300000"))["errorType"] == "Function.ResponseSizeTooLarge"
    after = host.invoke(program, b"1")
    assert (result(after), after.cold) == ("x", True)


def test_a_result_below_the_limit_passes(host: LambdaHost) -> None:
    assert len(result(host.invoke(function("def handler(event, context): return 'x' * 6_200_000"), b"{}"))) == 6_200_000


def test_the_log_holds_the_platforms_lines_around_the_functions(host: LambdaHost, notebook: Notebook) -> None:
    program = function(
        """
        import logging, sys
        def handler(event, context):
            print("out")
            print("err", file=sys.stderr)
            logging.warning("two\\nlines")
        """
    )
    invocation = host.invoke(program, b"{}")
    first, start, *own, end, report = notebook.lines
    assert first.startswith("INIT_START Runtime Version: python:3.11")
    assert start == f"START RequestId: {invocation.identity} Version: $LATEST"
    assert own[:2] == ["out", "err"] or set(own[:2]) == {"out", "err"} or "out" in own
    assert next(line for line in own if "WARNING" in line).endswith("two\nlines")
    assert end == f"END RequestId: {invocation.identity}"
    assert re.search(r"Duration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+", report)
    assert "Init Duration" in report
    assert invocation.log_tail.endswith(report)


def test_each_sandbox_has_one_log_stream(host: LambdaHost, notebook: Notebook) -> None:
    program = function(ECHO)
    host.invoke(program, b"{}")
    host.invoke(program, b"{}")
    host.recycle()
    host.invoke(program, b"{}")
    streams = {stream for stream, _ in notebook.logs}
    assert len(streams) == 2
    assert all(re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream) for stream in streams)


def test_what_a_function_wrote_before_a_crash_is_in_the_log(host: LambdaHost, notebook: Notebook) -> None:
    host.invoke(function("import os\ndef handler(event, context):\n    print('last words')\n    os._exit(1)"), b"{}")
    assert "last words" in notebook.lines


def test_much_output_does_not_block_the_function(host: LambdaHost, notebook: Notebook) -> None:
    host.invoke(function("def handler(event, context):\n    for n in range(40_000): print('line', n)"), b"{}")
    assert "line 39999" in notebook.lines


def test_a_json_log_format_makes_the_platforms_lines_json(host: LambdaHost, notebook: Notebook) -> None:
    host.invoke(function(ECHO, log_format="JSON"), b"{}")
    assert '"type":"platform.start"' in notebook.lines[1]
    assert '"status":"success"' in notebook.lines[-1]


def test_the_environment_is_lambdas_and_the_functions_and_nothing_of_the_hosts(
    host: LambdaHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_HOST", "1")
    program = function(
        """
        import os
        def handler(event, context): return dict(os.environ)
        """,
        environment={"OWN": "yes", "AWS_REGION": "elsewhere", "AWS_ACCESS_KEY_ID": "forged"},
    )
    seen = result(host.invoke(program, b"{}"))
    assert seen["OWN"] == "yes"
    assert seen["AWS_REGION"] == "eu-west-1"
    assert seen["AWS_ACCESS_KEY_ID"] == "ASIA1"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == program.name
    assert "OF_THE_HOST" not in seen
    allowed = ("AWS_", "LAMBDA_", "_HANDLER", "_X_AMZN_TRACE_ID", "LANG", "LC_CTYPE", "PATH", "TZ", "TMPDIR", "OWN")
    assert [name for name in seen if not name.startswith(allowed)] == []


def test_packages_of_the_host_are_not_there(host: LambdaHost) -> None:
    program = function(
        """
        import importlib.util
        def handler(event, context): return [name for name in event if importlib.util.find_spec(name)]
        """
    )
    assert result(host.invoke(program, b'["boto3", "moto", "pytest", "remediator", "sandbox", "awslambdaric"]')) == [
        "awslambdaric"
    ]


def test_the_task_root_is_read_only_and_the_temporary_folder_is_not(host: LambdaHost) -> None:
    program = function(
        """
        import os, tempfile
        def handler(event, context):
            with tempfile.TemporaryFile() as file: file.write(b"x")
            refused = []
            for path in (os.environ["LAMBDA_TASK_ROOT"] + "/new", __file__):
                try: open(path, "w")
                except OSError as error: refused.append(type(error).__name__)
            return refused
        """
    )
    assert result(host.invoke(program, b"{}")) == ["PermissionError", "PermissionError"]


def test_the_context_tells_the_function_about_itself(host: LambdaHost) -> None:
    program = function(
        "def handler(_, c): return [c.function_name, c.invoked_function_arn, c.aws_request_id, c.memory_limit_in_mb]"
    )
    invocation = host.invoke(program, b"{}")
    assert result(invocation) == [program.name, program.arn, invocation.identity, "128"]


def test_changed_code_or_configuration_starts_cold(host: LambdaHost) -> None:
    before = function(ECHO, name="same")
    for changed in (
        function("def handler(event, context): return 2", name="same"),
        function(ECHO, name="same", environment={"A": "1"}),
        function(ECHO, name="same", role_arn="arn:aws:iam::123456789012:role/other"),
    ):
        host.invoke(before, b"{}")
        assert host.invoke(changed, b"{}").cold


def test_a_warm_sandbox_follows_the_clock_across_windows(host: LambdaHost, clock: Clock) -> None:
    program = function(WHEN)
    process, _, _ = result(host.invoke(program, b"{}"))
    for shift in (300, 300, -900):
        clock.shift(shift)
        invocation = host.invoke(program, b"{}")
        same, moment, left = result(invocation)
        assert same == process
        assert not invocation.cold
        assert abs(moment - time.time()) < 2
        assert 5000 < left <= 10_000


def test_a_cold_sandbox_knows_the_shifted_time_at_import(host: LambdaHost, clock: Clock) -> None:
    clock.shift(HOUR)
    program = function("import time\nSTART = time.time()\ndef handler(event, context): return START")
    assert abs(result(host.invoke(program, b"{}")) - time.time()) < 5


def test_a_sandbox_is_replaced_before_its_credentials_expire(
    host: LambdaHost, clock: Clock, notebook: Notebook
) -> None:
    program = function(PROCESS)
    host.invoke(program, b"{}")
    clock.shift(11 * HOUR)
    assert not host.invoke(program, b"{}").cold
    clock.shift(HOUR - 30)
    assert host.invoke(program, b"{}").cold
    assert len(notebook.sessions) == 2


def test_the_role_is_assumed_as_lambda(host: LambdaHost, notebook: Notebook) -> None:
    program = function(ECHO)
    host.invoke(program, b"{}")
    ((acting, name),) = notebook.sessions
    assert (acting.role_arn, acting.service, name) == (program.role_arn, "lambda.amazonaws.com", program.name)


def test_a_crash_can_be_injected_by_access_key(host: LambdaHost) -> None:
    program = function("import time\ndef handler(event, context): time.sleep(30)", timeout=30)
    outcome: list[str] = []
    thread = threading.Thread(target=lambda: outcome.append(error(host.invoke(program, b"{}"))["errorMessage"]))
    thread.start()
    while not host.kill("ASIA1"):
        threading.Event().wait(0.01)
    thread.join()
    assert "signal: kill" in outcome[0]
    assert not host.kill("ASIA-nobody")


def test_nothing_of_a_function_runs_between_invocations(host: LambdaHost) -> None:
    program = function(
        """
        import threading, time
        COUNT = [0]
        def work():
            while True:
                COUNT[0] += 1
                time.sleep(0.001)
        threading.Thread(target=work, daemon=True).start()
        def handler(event, context): return COUNT[0]
        """
    )
    host.invoke(program, b"{}")
    before = result(host.invoke(program, b"{}"))
    threading.Event().wait(0.3)
    assert result(host.invoke(program, b"{}")) - before < 100  # some 300 if it had gone on


def test_an_init_that_takes_too_long_is_tried_again_within_the_timeout(
    host: LambdaHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remediator.local.runtime.sandbox.INIT_SECONDS", 0.2)
    slow = "import time\ntime.sleep(0.5)\ndef handler(event, context): return 1"
    assert result(host.invoke(function(slow), b"{}")) == 1


def test_frozen_sandboxes_die_with_their_host(tmp_path: Path) -> None:
    script = """
import os, sys, threading
sys.path[:0] = sys.argv[1:]
from remediator.local.clock import Clock
from remediator.local.runtime.host import LambdaHost
from tests.local.hosting import Notebook, function, result
host = LambdaHost(Notebook(), Clock())
print(result(host.invoke(function("import os\\ndef handler(event, context): return os.getpid()"), b"{}")), flush=True)
sys.stdin.read(1)
os._exit(9)
"""
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(  # noqa: S603 - this interpreter, with the script above
        [sys.executable, "-c", script, str(root / "functions"), str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},  # a host that crashes removes nothing
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        sandbox = int(process.stdout.readline())
        assert eventually(lambda: state(sandbox) == "T")
        process.stdin.write("x")
    assert eventually(lambda: state(sandbox) in ("", "Z"))  # nobody reaps it in a container without an init


def test_a_closed_host_leaves_no_process(notebook: Notebook, clock: Clock) -> None:
    host = LambdaHost(notebook, clock)
    process = result(host.invoke(function(PROCESS), b"{}"))
    host.close()
    assert eventually(lambda: state(process) == "")
