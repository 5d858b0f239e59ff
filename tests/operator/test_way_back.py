"""The way back past the gate: the commands that are printed do what a rollback does, and printing writes nothing."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
import pytest
from azure.core.credentials import AccessToken
from botocore import xform_name
from requests.adapters import BaseAdapter

from remediator.catalogue import policies, registry
from remediator.catalogue.engine import Change
from remediator.operator.aws.captor import CLI_NAMES, AwsCaptor
from remediator.operator.azure.captor import AzureCaptor
from remediator.operator.way_back import Now, way_back
from remediator.service.records import Finding
from tests.laws import repairs
from tests.laws.azure import azure_trials
from tests.laws.azure.wire import Wire
from tests.laws.trials import HOME, Case, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from remediator.operator.way_back import WayBack
    from tests.laws.trials import Trial

AWS = [
    pytest.param(Case(fix, example), id=f"{fix.id}-{number}")
    for fix in registry.all_fixes("aws")
    for number, example in enumerate(fix.examples, start=1)
    if Case(fix, example).goes_back
]
AZURE = [
    pytest.param(azure_trials.Case(fix, example), id=f"{fix.id}-{number}")
    for fix in registry.all_fixes("azure")
    for number, example in enumerate(fix.examples, start=1)
    if Case(fix, example).goes_back
]
OWNER = "00000000-0000-0000-0000-00000000a0e2"


@pytest.fixture(autouse=True)
def _mended(monkeypatch: pytest.MonkeyPatch) -> None:
    repairs.keep_rotation_period(monkeypatch)


def receipt(trial: Any, change: Change) -> Finding:
    """Return what the remediator would have written down."""
    target = trial.job.target
    named = {"arn": target.id} if target.partition.startswith("aws") else {"id": target.id}
    if target.region and f":{target.region}:" not in target.id:
        named["region"] = target.region
    if target.item:
        named["access_key"] = target.item
    return Finding("0b7f6c1e-9a51-4f58-a7ce-2f4f5d1f4a11", 0, trial.fix.id, named, {}, 0, change=change)


def on_aws(trial: Trial, change: Change) -> WayBack:
    """Derive the way back, and see to it that nothing but the fix's declared reads is sent."""
    sent: list[str] = []

    def send(operation_name: str, **_: Any) -> None:
        sent.append(operation_name)

    session = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
    session.events.register("request-created", send)
    way = way_back(AwsCaptor(session), HOME, receipt(trial, change), change)
    reads = {name.partition(":")[2] for name in policies.operations_of(trial.fix.service, trial.fix.reads)}
    assert set(sent) <= reads
    assert sent
    return way


def run_on_aws(trial: Trial, command: str) -> None:
    """Do what the AWS CLI does with such a command."""
    aws, service, operation, *options = shlex.split(command)
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert aws == "aws"
    assert given.keys() == {"--region", "--cli-input-json"}
    sdk = {cli: name for name, cli in CLI_NAMES.items()}.get(service, service)
    session: Any = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing")
    client = session.client(sdk, region_name=given["--region"])
    methods = {xform_name(name, "-"): name for name in client.meta.service_model.operation_names}
    getattr(client, xform_name(methods[operation]))(**json.loads(given["--cli-input-json"]))
    assert sdk == trial.fix.service


class Owner:
    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(OWNER, 4_000_000_000)


class OnlyReads(BaseAdapter):
    """Carry reads; a write that comes through is what must never happen."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        assert request.method == "GET"
        return self._wire.send(request)

    def close(self) -> None: ...


def on_azure(trial: azure_trials.Trial, change: Change) -> WayBack:
    beyond = OnlyReads(Wire(trial.cloud.arm))
    return way_back(AzureCaptor(Owner(), beyond=beyond), azure_trials.HOME, receipt(trial, change), change)


def run_on_azure(trial: azure_trials.Trial, command: str) -> int:
    """Do what `az rest` does with such a command, and return the status."""
    az, rest, *options = shlex.split(command)
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert (az, rest) == ("az", "rest")
    assert given.keys() <= {"--method", "--uri", "--headers", "--body"}
    uri, headers = urlsplit(given["--uri"]), json.loads(given.get("--headers", "{}"))
    query, body = dict(parse_qsl(uri.query)), given.get("--body", "").encode()
    return int(trial.cloud.arm.handle(given["--method"], unquote(uri.path), query, headers, body, OWNER)[0])


@pytest.mark.parametrize("case", AWS)
def test_on_aws_the_printed_calls_bring_back_what_was_there(case: Case) -> None:
    with staged(case) as trial:
        change, _ = trial.apply()
        way = on_aws(trial, change)
        assert trial.job.read() == trial.fixed, "printing writes nothing"
        assert way.now is Now.AS_LEFT
        assert way.commands
        assert way.whole
        for command in way.commands:
            run_on_aws(trial, command)
        assert trial.job.read() == trial.broken


def test_calls_that_take_away_one_after_the_other_are_foreseen_too() -> None:
    fix = registry.load("aws.lambda.remove-public-permission")
    with staged(Case(fix, fix.examples[0])) as trial:
        way = on_aws(trial, Change(before=trial.fixed, after=trial.broken))
        assert way.whole
        assert len(way.commands) > 1
        assert "foreseen" not in "".join(way.commands), "a revision that isn't there yet is no condition"
        for command in way.commands:
            run_on_aws(trial, command)
        assert trial.job.read() == trial.fixed


@pytest.mark.parametrize("case", AZURE)
def test_on_azure_the_printed_calls_bring_back_what_was_there(case: azure_trials.Case) -> None:
    trial = azure_trials.Trial(case)
    change, _ = trial.apply()
    way = on_azure(trial, change)
    assert trial.job.read() == trial.fixed
    assert way.now is Now.AS_LEFT
    assert way.whole
    assert all(run_on_azure(trial, command) < 300 for command in way.commands)
    trial.cloud.clock.sleep(600)
    assert trial.fix.read(trial.cloud.client(), trial.job.target) == trial.broken


@pytest.mark.parametrize("case", AZURE[:3])
def test_what_is_back_already_needs_no_call(case: azure_trials.Case) -> None:
    trial = azure_trials.Trial(case)
    way = on_azure(trial, Change(trial.broken, trial.fixed))
    assert (way.now, way.commands) == (Now.ALREADY_BACK, ())


def azure_trial(fix_id: str) -> azure_trials.Trial:
    fix = registry.load(fix_id)
    return azure_trials.Trial(azure_trials.Case(fix, fix.examples[0]))


def with_others() -> Iterator[Any]:
    """Return one case of each fix that has a state which somebody else may have left."""
    listed: Any = (*AWS, *AZURE)
    return iter({one.values[0].fix.id: one for one in listed if one.values[0].example.others}.values())


@pytest.mark.parametrize("case", list(with_others()))
def test_what_somebody_changed_since_gets_no_calls(case: Any) -> None:
    if isinstance(case, azure_trials.Case):
        trial = azure_trials.Trial(case)
        change, _ = trial.apply()
        trial.change_to(trial.others[0])
        way = on_azure(trial, change)
    else:
        with staged(case) as played:
            change, _ = played.apply()
            played.change_to(played.others[0])
            way = on_aws(played, change)
    assert (way.now, way.commands) == (Now.DRIFTED, ())


def test_where_a_provider_tags_its_resources_the_call_is_on_that_condition() -> None:
    trial = azure_trial("azure.network.close-port")
    change, _ = trial.apply()
    [command] = on_azure(trial, change).commands
    assert "If-Match" in command
    trial.cloud.arm.set(trial.job.target.id, trial.cloud.arm.resource(trial.job.target.id))
    assert run_on_azure(trial, command) == 412


def test_a_setting_that_may_not_be_read_is_said_to_be_unread() -> None:
    trial = azure_trial("azure.storage.require-https")
    change, _ = trial.apply()
    trial.cloud.arm.allowed = lambda *_: False
    way = on_azure(trial, change)
    assert (way.now, len(way.commands)) == (Now.UNREAD, 1)


def test_no_token_is_printed() -> None:
    trial = azure_trial("azure.storage.require-https")
    change, _ = trial.apply()
    assert OWNER not in "".join(on_azure(trial, replace(change)).commands)
