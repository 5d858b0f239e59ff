from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from remediator.catalogue import registry
from remediator.catalogue.spec import Home
from remediator.cli.exits import Exit
from remediator.local.emulator import lambda_policies
from remediator.local.emulator.hooks import Hooks
from remediator.local.mess import Mess, make_mess
from tests.cli.conftest import ACCOUNT, REGION, document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from remediator.vendor import Finding

HOME = Home("aws", ACCOUNT)


@pytest.fixture(scope="module")
def clients() -> Iterator[Any]:
    session: Any = boto3.Session(region_name=REGION)
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        return made.setdefault(service, session.client(service))

    hooks = Hooks()
    lambda_policies.install(hooks)
    with mock_aws():
        yield client
    hooks.remove()


@pytest.fixture(scope="module")
def mess(clients: Any) -> Mess:
    return make_mess(clients, REGION)


def setting(clients: Any, fix_id: str, target: Mapping[str, str]) -> tuple[Any, Any]:
    fix = registry.load(fix_id)
    return fix, fix.read(clients(fix.service), fix.target.parse(target, HOME))


def fix_of(finding: Finding) -> tuple[str, Mapping[str, Any]]:
    if finding.fix:
        return finding.fix, finding.parameters
    fix, implied = registry.answering(str(finding.finding))
    return fix.id, {**implied, **finding.parameters}


def test_every_fix_of_the_catalogue_has_something_to_do(mess: Mess) -> None:
    assert {fix_of(offence.finding)[0] for offence in mess.offences} == {fix.id for fix in registry.all_fixes("aws")}


def test_every_offence_is_wrong_by_its_fixs_own_judgement(clients: Any, mess: Mess) -> None:
    for offence in mess.offences:
        fix_id, parameters = fix_of(offence.finding)
        fix, now = setting(clients, fix_id, offence.finding.target)
        assert fix.desired(now, fix.parameters(**parameters)) != now, offence.what


def test_an_innocent_is_never_a_target(mess: Mess) -> None:
    targets = [(fix_of(offence.finding)[0], dict(offence.finding.target)) for offence in mess.offences]
    assert not [innocent for innocent in mess.innocents if (innocent.fix, dict(innocent.target)) in targets]


def test_a_mess_made_again_is_the_same_mess_once(clients: Any, mess: Mess) -> None:
    before = [setting(clients, innocent.fix, innocent.target)[1] for innocent in mess.innocents]
    assert make_mess(clients, REGION) == mess
    assert before == [setting(clients, innocent.fix, innocent.target)[1] for innocent in mess.innocents]
    assert len(clients("s3").list_buckets()["Buckets"]) == 6


def test_a_mess_that_was_repaired_is_made_again(clients: Any, mess: Mess) -> None:
    for offence in mess.offences:
        fix_id, parameters = fix_of(offence.finding)
        fix, now = setting(clients, fix_id, offence.finding.target)
        target = fix.target.parse(offence.finding.target, HOME)
        fix.write(clients(fix.service), target, now, fix.desired(now, fix.parameters(**parameters)))
    assert make_mess(clients, REGION) == mess
    test_every_offence_is_wrong_by_its_fixs_own_judgement(clients, mess)


def test_a_mess_is_made_in_an_embedded_account_only(run: Any, tmp_path: Path) -> None:
    assert run("local", "seed").exit_code == Exit.USAGE
    error = document(run("local", "seed", "--json"))["error"]
    assert "--account" in error["next"]
    (tmp_path / "other.json").write_text('{"aws_endpoint_url": "http://localhost:1", "region": "eu-west-1"}')
    assert run("local", "seed", "--account", str(tmp_path / "other.json")).exit_code == Exit.USAGE
