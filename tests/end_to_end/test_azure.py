"""The main job on Azure: installed by our own installer, rotated, asked, attacked, and closed by time."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.keyvault.secrets import SecretClient

from remediator.core.codes import Code
from remediator.core.gate import Opening
from remediator.core.windows import PERIOD
from remediator.local.azure import places
from remediator.local.azure.cloud import EmbeddedAzure
from tests.end_to_end.azure_side import Side, named, outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("embedded azure")

HTTPS = "azure.storage.require-https"


@pytest.fixture(scope="module")
def azure() -> Iterator[EmbeddedAzure]:
    with EmbeddedAzure() as azure:
        azure.deploy()
        azure.rotate()
        yield azure


@pytest.fixture
def vendor(azure: EmbeddedAzure) -> Side:
    azure.rotate()
    return Side(azure, "vendor")


@pytest.fixture
def operator(azure: EmbeddedAzure) -> Side:
    return Side(azure, "operator")


@pytest.fixture
def account(azure: EmbeddedAzure) -> str:
    """A storage account of the customer's that answers without encryption."""
    described = azure.describe()
    group = f"/subscriptions/{described['subscription_id']}/resourceGroups/{described['target_resource_group']}"
    name = f"{group}/providers/Microsoft.Storage/storageAccounts/s{uuid.uuid4().hex[:16]}"
    azure.arm.add(name)
    return name


def asking(account: str, mode: str = "apply") -> dict[str, Any]:
    return {"mode": mode, "findings": [{"fix": HTTPS, "target": {"id": account}}]}


def encrypted(azure: EmbeddedAzure, account: str) -> bool:
    return bool(azure.arm.resource(account)["properties"]["supportsHttpsTrafficOnly"])


def test_a_plan_changes_nothing_and_an_apply_changes_the_setting(
    azure: EmbeddedAzure, vendor: Side, account: str
) -> None:
    assert outcomes(vendor.post(asking(account, "plan"))) == ["planned"]
    assert not encrypted(azure, account)
    answer = vendor.post(asking(account))
    assert outcomes(answer) == ["fixed"]
    assert encrypted(azure, account)
    assert answer[1]["results"][0]["calls"] == [
        "Microsoft.Storage/storageAccounts/read",
        "Microsoft.Storage/storageAccounts/write",
        "Microsoft.Storage/storageAccounts/read",
    ]


def test_a_change_and_its_rollback_reach_the_topic_and_a_plan_does_not(
    azure: EmbeddedAzure, vendor: Side, operator: Side, account: str
) -> None:
    told = len(azure.services.events.taken)
    vendor.post(asking(account, "plan"))
    assert len(azure.services.events.taken) == told
    applied = vendor.post(asking(account))[1]["id"]
    assert outcomes(operator.post({}, path=f"/v1/remediations/{applied}/rollback")) == ["rolled_back"]
    fixed, back = (event for _, event in azure.services.events.taken[told:])
    assert (fixed["id"], fixed["subject"]) == (f"{applied}/0", account)
    assert (fixed["data"]["before"], fixed["data"]["after"]) == (False, True)
    assert fixed["data"]["way_back"] == f"remediator rollback {applied} --finding 0 --cloud azure"
    assert (back["data"]["outcome"], back["data"]["undoes"]) == ("rolled_back", f"{applied}/0")
    keys = vendor.keys()
    for secret in (keys.opening.reveal().hex(), keys.code.reveal().decode()):
        assert f'"{secret}"' not in str([fixed, back])


def test_only_the_remediator_puts_events_on_the_topic(
    azure: EmbeddedAzure, vendor: Side, operator: Side, account: str
) -> None:
    assert outcomes(vendor.post(asking(account))) == ["fixed"]
    (name,) = {topic for topic, _ in azure.services.events.taken}
    token = operator.credential.get_token("https://eventgrid.azure.net/.default").token
    url = f"https://{name}{places.EVENTS}/api/events?api-version=2018-01-01"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/cloudevents-batch+json"}
    assert requests.post(url, data="[]", headers=headers, timeout=30).status_code == 403
    assert requests.post(url, data="[]", headers=headers | {"authorization": "Bearer x"}, timeout=30).status_code == 401


def test_the_operator_takes_it_back_and_the_vendor_may_not(
    azure: EmbeddedAzure, vendor: Side, operator: Side, account: str
) -> None:
    applied = vendor.post(asking(account))[1]["id"]
    path = f"/v1/remediations/{applied}/rollback"
    assert named(vendor.post({}, path=path)) == (403, "forbidden")
    assert outcomes(operator.post({}, path=path)) == ["rolled_back"]
    assert not encrypted(azure, account)


def test_the_same_request_again_gets_the_same_answer_and_runs_nothing(
    azure: EmbeddedAzure, vendor: Side, account: str
) -> None:
    key = str(uuid.uuid4())
    first = vendor.post(asking(account), key=key)
    mark = azure.calls.mark()
    assert vendor.post(asking(account), key=key) == first
    assert [call for call in azure.calls.since(mark) if call.service == "arm"] == []


def test_wrong_secrets_are_refused_with_one_answer_and_nobody_signs_in(
    azure: EmbeddedAzure, vendor: Side, account: str
) -> None:
    keys = vendor.keys()
    mark = azure.calls.mark()
    for wrong in (replace(keys, code=Code(b"000000")), replace(keys, opening=Opening(bytes(32)))):
        assert named(vendor.post(asking(account), keys=wrong)) == (401, "unauthorized")
    signed_in = [call for call in azure.calls.since(mark) if call.service == "entra" and call.origin]
    assert [call for call in signed_in if call.operation == "SignIn"] == []
    assert not encrypted(azure, account)


def test_a_tampered_key_or_body_is_refused(vendor: Side, account: str) -> None:
    moved = vendor.post(asking(account), headers={"idempotency-key": str(uuid.uuid4())})
    assert named(moved) == (401, "unauthorized")
    other = vendor.post(asking(account), headers={"content-digest": "sha-256=:" + "A" * 43 + "=:"})
    assert named(other) == (400, "invalid_request")


def test_a_token_that_isn_t_for_us_opens_nothing(vendor: Side, account: str) -> None:
    foreign = vendor.credential.get_token("https://vault.azure.net/.default").token
    for token in ("", foreign, "not.a.token"):
        assert named(vendor.post(asking(account), token=token)) == (403, "forbidden")
        assert vendor.get("/v1/health", token=token)[0] == 403


def test_what_is_out_of_scope_is_refused_by_the_rule_s_name(azure: EmbeddedAzure, vendor: Side) -> None:
    described = azure.describe()
    here = f"/subscriptions/{described['subscription_id']}/resourceGroups"
    kind = "providers/Microsoft.Storage/storageAccounts/anything"
    for target, rule in (
        (f"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/shop/{kind}", "other_account"),
        (f"{here}/{described['resource_group']}/{kind}", "own_resource"),
        (f"{here}/elsewhere/{kind}", "out_of_scope"),
    ):
        answer = vendor.post(asking(target))
        assert named(answer) == (403, "refused")
        assert answer[1]["results"][0]["reason"]["code"] == rule


def test_the_reader_reads_seeds_and_no_credential_and_no_table(azure: EmbeddedAzure, vendor: Side) -> None:
    with pytest.raises(HttpResponseError) as refused:
        SecretClient(azure.outputs["CredentialVault"], vendor.credential, api_version="7.4").get_secret(
            "remediator-credential"
        )
    assert refused.value.status_code == 403
    tables = TableServiceClient(azure.outputs["TablesEndpoint"], credential=vendor.credential)
    with pytest.raises(HttpResponseError) as refused:
        list(tables.get_table_client("remediatorwindows").list_entities())
    assert refused.value.status_code == 403


def test_an_old_window_s_keys_are_worth_nothing_and_a_dead_rotator_closes_the_gate(
    azure: EmbeddedAzure, vendor: Side, account: str
) -> None:
    old = vendor.keys()
    azure.clock.shift(2 * PERIOD)
    azure.rotate()
    assert named(vendor.post(asking(account), keys=old)) == (401, "unauthorized")
    assert outcomes(vendor.post(asking(account, "plan"))) == ["planned"]
    last = vendor.keys()
    azure.clock.shift(5 * PERIOD)
    assert vendor.get("/v1/health")[1]["gate"] == "unavailable"
    assert named(vendor.post(asking(account), keys=last)) == (401, "unauthorized")
    azure.rotate()
    assert outcomes(vendor.post(asking(account))) == ["fixed"]


def test_no_secret_of_a_request_is_in_a_function_s_log(azure: EmbeddedAzure, vendor: Side, account: str) -> None:
    keys = vendor.keys()
    vendor.post(asking(account))
    logs = "\n".join(str(line) for line in azure.apps.app(azure.outputs["RemediateApp"]).log)
    assert "Fixed" in logs
    assert keys.opening.hex() not in logs
    assert keys.proof_key.reveal().hex() not in logs
