"""Function apps run as the Functions host runs them, by Azure's own runtime library and by plain calls."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from remediator.local.azure.apps.app import FunctionApp
from remediator.local.azure.apps.host import NoSuchApp
from remediator.local.azure.apps.interpreters import interpreter, plain
from remediator.local.azure.apps.settings import BadApp
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.faults import Match
from tests.local.azure.conftest import SAMPLE
from tests.local.hosting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from remediator.local.azure.apps.host import Deployed

pytestmark = pytest.mark.xdist_group("embedded Azure's apps")

URL = "https://sample.azurewebsites.net/tools"
SET = "Microsoft.KeyVault/vaults/secrets/setSecret/action"


@pytest.fixture(scope="module", params=["library", "plain"])
def shared(request: pytest.FixtureRequest) -> Iterator[EmbeddedAzure]:
    """Share one cloud with the sample app deployed."""
    chosen = plain() if request.param == "plain" else interpreter()
    if chosen.driver != request.param:
        pytest.skip(f"no Python has azure-functions-runtime here: {chosen.remark}")
    with EmbeddedAzure(python=lambda: chosen) as cloud:
        vault = cloud.estate.add_vault("appvault")
        identity = cloud.directory.add_managed_identity("app", "/subscriptions/s/app")
        cloud.rbac.assign(identity.object_id, "Key Vault Secrets Officer", vault.resource_id)
        settings = {"VAULT_URL": vault.url, "IDENTITY_CLIENT_ID": identity.app_id, "COLOUR": "red", "HOME": "/gone"}
        times = {"TIMES": "0 2/5 * * * *"}
        cloud.apps.deploy(FunctionApp("sample", SAMPLE, settings | times, (identity.object_id,)))
        yield cloud


@pytest.fixture
def cloud(shared: EmbeddedAzure) -> Iterator[EmbeddedAzure]:
    yield shared
    shared.faults.clear()
    if shared.clock.offset:
        shared.clock.shift(-shared.clock.offset)


@pytest.fixture
def app(cloud: EmbeddedAzure) -> Deployed:
    return cloud.apps.app("sample")


def messages(app: Deployed, category: str) -> list[str]:
    return [line.message for line in app.log if line.category == category]


def test_it_says_what_runs_the_app(app: Deployed) -> None:
    assert re.fullmatch(r"(azure-functions-runtime 1\.3\.0|plain calls) on Python 3\.\d+", app.driver)
    assert any("Worker sample/" in message for message in messages(app, "Host.Results"))


def test_a_request_comes_in_and_the_response_goes_out_as_they_are(cloud: EmbeddedAzure) -> None:
    assert cloud.apps.app("sample").functions
    body = bytes(range(256))
    answer = requests.post(f"{URL}/echo/a/b%20c?x=1&y=", data=body, headers={"X-Colour": "blue"}, timeout=10)
    assert (answer.status_code, answer.headers["x-taste"]) == (207, "sour")
    assert answer.headers["content-type"].startswith("application/json")
    seen: dict[str, Any] = answer.json()
    assert seen["url"] == f"{URL}/echo/a/b%20c?x=1&y="
    assert (seen["method"], seen["query"], seen["rest"]) == ("POST", {"x": "1", "y": ""}, "a/b c")
    assert (seen["header"], bytes(seen["body"])) == ("blue", body)


def test_bytes_and_text_and_coroutines_work(cloud: EmbeddedAzure) -> None:
    assert cloud.apps.app("sample").routes
    assert requests.get(f"{URL}/binary", timeout=10).content == bytes(range(256))
    text = requests.get(f"{URL}/text", timeout=10)
    assert (text.status_code, text.text) == (200, "plain words")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("DELETE", "/echo/x"), ("GET", ""), ("GET", "/../echo/x"), ("GET", "/binary/more")],
)
def test_what_no_route_takes_is_not_found(cloud: EmbeddedAzure, method: str, path: str) -> None:
    assert cloud.apps.app("sample").routes
    assert requests.request(method, f"{URL}{path}", timeout=10).status_code == 404
    assert requests.request(method, "https://sample.azurewebsites.net/echo/x", timeout=10).status_code == 404


def test_a_guarded_function_wants_its_key(app: Deployed) -> None:
    assert requests.get(f"{URL}/guarded", timeout=10).status_code == 401
    assert requests.get(f"{URL}/guarded", headers={"x-functions-key": "wrong"}, timeout=10).status_code == 401
    assert requests.get(f"{URL}/guarded?code={app.key}", timeout=10).text == "in"
    assert requests.get(f"{URL}/guarded", headers={"x-functions-key": app.key}, timeout=10).text == "in"


def test_settings_are_its_environment_but_not_over_the_platforms_and_the_network_is_off(app: Deployed) -> None:
    facts: dict[str, Any] = requests.get(f"{URL}/around", timeout=10).json()
    assert (facts["COLOUR"], facts["reached"]) == ("red", None)
    assert (facts["WEBSITE_HOSTNAME"], facts["WEBSITE_SITE_NAME"]) == ("sample.azurewebsites.net", "sample")
    assert facts["FUNCTIONS_WORKER_RUNTIME"] == "python"
    assert eventually(lambda: "written to standard output" in messages(app, "Host.Function.Console"), 5)


def test_its_clock_is_the_clouds(cloud: EmbeddedAzure) -> None:
    cloud.clock.shift(10 * 86_400)
    ahead = requests.get(f"{URL}/around", timeout=10).json()["time"]
    assert ahead == pytest.approx(time.time(), abs=5)
    cloud.clock.shift(-20 * 86_400)
    behind = requests.get(f"{URL}/around", timeout=10).json()["time"]
    assert ahead - behind == pytest.approx(20 * 86_400, abs=5)


def test_its_own_code_signs_in_and_calls_the_cloud_and_the_log_knows_from_where(cloud: EmbeddedAzure) -> None:
    vault = cloud.estate.vault("appvault")
    assert vault is not None
    cloud.services.vaults.put(vault, "held", b'{"value": "of the vault"}')
    mark = cloud.calls.mark()
    assert requests.get(f"{URL}/secret/held", timeout=10).text == "of the vault"
    calls = [call for call in cloud.calls.of("vault", since=mark) if call.principal]
    assert [call.operation.rpartition("/secrets/")[2] for call in calls] == ["getSecret/action", "setSecret/action"]
    assert {call.origin for call in calls} == {cloud.apps.app("sample").workers[-1].name}


def test_what_it_logs_is_kept_with_the_invocation_that_wrote_it(cloud: EmbeddedAzure, app: Deployed) -> None:
    seen: list[str] = []
    cloud.apps.on_invocation.append(lambda invocation: seen.append(invocation.identity))
    requests.get(f"{URL}/echo/x", timeout=10)
    cloud.apps.on_invocation.clear()
    line = next(line for line in reversed(app.log) if line.category == "sample")
    assert (line.message, line.level, line.invocation) == ("echoing GET", "INFO", seen[-1])
    assert "the app was imported" in messages(app, "sample")


def test_a_failure_is_a_bare_500_outside_and_in_the_log_with_its_stack(app: Deployed) -> None:
    answer = requests.get(f"{URL}/fail", timeout=10)
    assert (answer.status_code, answer.content) == (500, b"")
    failure = next(message for message in reversed(messages(app, "Host.Results")) if "Exception" in message)
    assert "LookupError: what was looked for isn't there" in failure
    assert "function_app.py" in failure


def test_what_takes_too_long_is_ended_and_the_next_call_gets_a_new_worker(app: Deployed) -> None:
    before = time.monotonic()
    assert requests.get(f"{URL}/hang", timeout=20).status_code == 500
    assert 1 <= time.monotonic() - before < 8
    assert any("Timeout value of 00:00:01 exceeded" in message for message in messages(app, "Host.Results"))
    assert requests.get(f"{URL}/text", timeout=10).status_code == 200


@pytest.mark.parametrize("after", [False, True])
def test_a_worker_crashes_before_or_after_a_call_of_its_own(cloud: EmbeddedAzure, *, after: bool) -> None:
    vault = cloud.estate.vault("appvault")
    assert vault is not None
    cloud.services.vaults.put(vault, "held", b'{"value": "v"}')
    secrets = cloud.services.vaults.secrets(vault)
    secrets.put("copied", secrets.secret("held").current)
    count = len(secrets.secret("copied").versions)
    match = Match(service="vault", operation=SET, origin="sample/*")
    (cloud.faults.crash_after if after else cloud.faults.crash_before)(match)
    before = requests.get(f"{URL}/around", timeout=10).json()["pid"]
    assert requests.get(f"{URL}/secret/held", timeout=10).status_code == 500
    assert len(cloud.faults.struck) == 1
    assert len(secrets.secret("copied").versions) == count + after
    assert requests.get(f"{URL}/around", timeout=10).json()["pid"] != before
    assert requests.get(f"{URL}/secret/held", timeout=10).text == "v"


def test_a_worker_is_cold_once(cloud: EmbeddedAzure) -> None:
    cloud.apps.recycle("sample")
    seen: list[bool] = []
    cloud.apps.on_invocation.append(lambda invocation: seen.append(invocation.cold))
    for _ in range(2):
        requests.get(f"{URL}/text", timeout=10)
    cloud.apps.on_invocation.clear()
    assert seen == [True, False]


def test_a_timer_fires_on_demand_late_and_doubled(cloud: EmbeddedAzure, app: Deployed) -> None:
    start = len(messages(app, "sample"))
    (invocation,) = cloud.apps.fire("sample")
    assert (invocation.function, invocation.outcome.status) == ("tick", "success")
    moment = 1_700_000_000.0
    cloud.apps.fire("sample", "tick", moment=moment, past_due=True)
    assert len(cloud.apps.fire("sample", copies=2)) == 2
    ticks = messages(app, "sample")[start:]
    assert [re.findall(r"past_due=(\w+)", tick)[0] for tick in ticks] == ["False", "True", "False", "False"]
    assert "next=2023-11-14T22:17:00+00:00" in ticks[1]
    assert any("Timer fired at 2023-11-14T22:13:20+00:00" in message for message in messages(app, "Host.Results"))


def test_nobody_else_can_be_called(cloud: EmbeddedAzure) -> None:
    with pytest.raises(NoSuchApp):
        cloud.apps.fire("sample", "echo")
    with pytest.raises(NoSuchApp):
        cloud.apps.fire("another")
    with pytest.raises(requests.ConnectionError):
        requests.get("https://another.azurewebsites.net/", timeout=10)


@pytest.mark.parametrize(
    ("host", "code", "said"),
    [
        ('{"version": "2.0"}', "raise RuntimeError('broken on import')", "broken on import"),
        ('{"version": "2.0"}', "x = 1", "function app"),
        ('{"version": "1.0"}', "x = 1", "version 2.0"),
        ('{"version": "2.0", "functionTimeout": "soon"}', "x = 1", "functionTimeout"),
        ("{", "x = 1", "host.json"),
    ],
)
def test_an_app_that_cannot_run_says_why(cloud: EmbeddedAzure, tmp_path: Path, host: str, code: str, said: str) -> None:
    (tmp_path / "host.json").write_text(host)
    (tmp_path / "function_app.py").write_text(code)
    with pytest.raises(BadApp, match=said):
        cloud.apps.deploy(FunctionApp("broken", tmp_path))


def test_an_app_is_replaced_and_removed(cloud: EmbeddedAzure, tmp_path: Path) -> None:
    for word in ("one", "two"):
        folder = tmp_path / word
        folder.mkdir()
        (folder / "host.json").write_text('{"version": "2.0"}')
        code = "import azure.functions as func\napp = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)\n"
        code += f"@app.route(route='say')\ndef say(req: func.HttpRequest) -> str:\n    return {word!r}\n"
        (folder / "function_app.py").write_text(code)
        cloud.apps.deploy(FunctionApp("changing", folder))
        assert requests.get("https://changing.azurewebsites.net/api/say", timeout=10).text == word
    cloud.apps.remove("changing")
    with pytest.raises(requests.ConnectionError):
        requests.get("https://changing.azurewebsites.net/api/say", timeout=10)


def test_two_instances_work_side_by_side(cloud: EmbeddedAzure, tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(
        "import os, time\nimport azure.functions as func\n"
        "app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)\n"
        "@app.timer_trigger(schedule='0 0 0 1 1 *', arg_name='timer')\n"
        "def work(timer: func.TimerRequest) -> None:\n    time.sleep(0.3)\n"
    )
    cloud.apps.deploy(FunctionApp("wide", tmp_path, instances=2))
    fired = cloud.apps.fire("wide", copies=2)
    assert len({invocation.worker for invocation in fired}) == 2
    cloud.apps.remove("wide")
