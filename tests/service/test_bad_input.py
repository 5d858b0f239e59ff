"""Anything unparseable, oversized, doubled, unknown or hostile: a precise 4xx, and nothing changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remediator.catalogue.spec import Home
from remediator.service import requests
from remediator.service.problems import Refused
from tests.service.site import KEY, READER, Site, asking, lamp, problem
from tests.service.world import HOME

ONE = asking("desk")["findings"][0]
AZURE = Home("azure", "6f0b1f0e-0000-4000-8000-000000000001")


def refused_untouched(site: Site, reply: Any, status: int) -> None:
    assert reply.status == status, reply.body
    assert ("detail" in reply.body) is (status != 401), "each refusal says what is wrong, but that of a secret"
    assert not site.cloud.writes
    assert not site.ledger.records
    assert site.monitor.notes[-1][0].startswith("refused")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "isn't JSON"),
        (b"{", "isn't JSON"),
        (b"\xff\xfe", "isn't JSON"),
        (b"[" * 100_000, "isn't JSON"),
        (b"NaN", "isn't JSON"),
        (b'{"mode":"plan","mode":"apply","findings":[]}', "distinct names"),
        (b"[]", "must be object"),
        (b"{}", "must contain"),
        ({"mode": "apply", "findings": []}, "at least 1"),
        ({"mode": "apply", "findings": [ONE] * 501}, "or equal to 500"),
        ({"mode": "destroy", "findings": [ONE]}, "must be one of"),
        ({"mode": "apply", "findings": [ONE], "force": True}, "must not contain"),
        ({"mode": "apply", "findings": [ONE | {"dry_run": True}]}, "must not contain"),
        ({"mode": "apply", "findings": [{"target": ONE["target"]}]}, "exactly by one"),
        ({"mode": "apply", "findings": [ONE | {"finding": "cloudsploit:lampOff"}]}, "exactly by one"),
        ({"mode": "apply", "findings": [ONE | {"fix": "aws.lamp.explode"}]}, "findings[0]"),
        ({"mode": "apply", "findings": [ONE | {"fix": "../../etc/passwd"}]}, "findings[0]"),
        ({"mode": "apply", "findings": [ONE | {"fix": "aws.s3.__init__"}]}, "findings[0]"),
        ({"mode": "apply", "findings": [ONE | {"fix": 7}]}, "must be string"),
        ({"mode": "apply", "findings": [ONE | {"target": "desk"}]}, "must be object"),
        ({"mode": "apply", "findings": [ONE | {"target": {"arn": "arn:aws:lamp"}}]}, "six parts"),
        ({"mode": "apply", "findings": [ONE | {"target": {"arn": "a" * 1012}}]}, "shorter than or equal"),
        ({"mode": "apply", "findings": [ONE | {"parameters": {"colour": "blue"}}]}, "must be one of"),
        ({"mode": "apply", "findings": [ONE | {"parameters": {"watts": 60}}]}, "must not contain"),
        ({"mode": "apply", "findings": [ONE, ONE]}, "findings[1] asks for the same as findings[0]"),
        ({"mode": "apply", "findings": [ONE | {"acknowledge_irreversible": "yes"}]}, "must be boolean"),
        ({"mode": "apply", "findings": [{"finding": "nessus:1", "target": ONE["target"]}]}, "findings[0]"),
    ],
)
def test_a_body_that_the_schema_doesn_t_allow_is_refused_precisely(site: Site, body: Any, says: str) -> None:
    reply = site.post(body)
    refused_untouched(site, reply, 400)
    assert problem(reply) == "invalid_request"
    assert says in reply.body["detail"]


def test_a_body_over_a_mebibyte_is_refused_unread(site: Site) -> None:
    refused_untouched(site, site.post(b" " * ((1 << 20) + 1)), 413)
    assert site.post(json.dumps(asking("desk")).encode().ljust(1 << 20)).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-encoding": "gzip"}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": None}, 415),
        ({"remediation-code": "12345"}, 400),
        ({"remediation-code": "1234567"}, 400),
        ({"remediation-code": "١٢٣٤٥٦"}, 400),
        ({"remediation-code": "123456,123456"}, 400),
        ({"remediation-code": " 123456"}, 400),
        ({"remediation-code": None}, 400),
        ({"remediation-opening": "F" * 64}, 400),
        ({"remediation-opening": None}, 400),
        ({"idempotency-key": "short"}, 400),
        ({"idempotency-key": "../../../../../../../"}, 400),
        ({"idempotency-key": None}, 400),
        ({"content-digest": None}, 400),
        ({"signature": None}, 400),
        ({"signature-input": None}, 400),
    ],
)
def test_headers_that_the_protocol_doesn_t_allow_are_refused(
    site: Site, headers: dict[str, str | None], status: int
) -> None:
    refused_untouched(site, site.post(asking("desk"), headers=headers), status)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 404),
        ("POST", "/v1", 404),
        ("POST", "/v1/remediations/", 404),
        ("POST", "/v1/remediations/../fixes", 404),
        ("POST", "/v1/remediations/%2e%2e/rollback", 404),
        ("POST", f"/v1/remediations/{KEY}/destroy", 404),
        ("PUT", "/v1/remediations", 405),
        ("DELETE", f"/v1/remediations/{KEY}", 405),
        ("POST", "/v1/health", 405),
    ],
)
def test_a_path_or_method_that_isn_t_ours_is_refused(site: Site, method: str, path: str, status: int) -> None:
    refused_untouched(site, site.post(asking("desk"), method=method, path=path), status)


def test_a_get_with_a_body_is_refused(site: Site) -> None:
    refused_untouched(site, site.post(b"{}", method="GET", path="/v1/health"), 400)


def test_a_parameter_that_contradicts_the_finding_is_refused(site: Site) -> None:
    finding = {"finding": "cloudsploit:redLamp", "target": ONE["target"], "parameters": {"colour": "white"}}
    reply = site.post({"mode": "apply", "findings": [finding]})
    refused_untouched(site, reply, 400)
    assert "already says the parameter colour" in reply.body["detail"]


def test_a_query_is_refused(site: Site) -> None:
    refused_untouched(site, site.post(asking("desk"), query="dry_run=true"), 400)


def test_a_body_that_isn_t_the_signed_one_is_refused(site: Site) -> None:
    tampered = site.post(asking("hall"), headers={"content-digest": "sha-256=:" + "A" * 43 + "=:"})
    refused_untouched(site, tampered, 400)


def test_the_other_s_key_path_or_method_makes_a_signature_worthless(site: Site) -> None:
    reply = site.post(asking("desk"), headers={"idempotency-key": "ffffffff-2222-3333-4444-555555555555"})
    refused_untouched(site, reply, 401)


@pytest.mark.parametrize(
    ("target", "rule"),
    [
        (lamp("desk", account="999900001111"), "other_account"),
        (lamp("desk", partition="aws-cn"), "other_partition"),
        (lamp("desk", region="us-east-1"), "region_not_allowed"),
        (lamp("remediator-state"), "own_resource"),
        (lamp("REMEDIATOR-State"), "own_resource"),
    ],
)
def test_what_is_out_of_scope_is_refused_by_the_rule_s_name_and_nothing_is_opened(
    site: Site, target: dict[str, str], rule: str
) -> None:
    reply = site.post({"mode": "apply", "findings": [ONE | {"target": target}]})
    assert (reply.status, problem(reply)) == (403, "refused")
    (result,) = reply.body["results"]
    assert (result["outcome"], result["reason"]["code"]) == ("refused", rule)
    assert not site.sessions.opened
    assert not site.cloud.writes


def test_what_isn_t_in_the_given_part_of_the_account_is_refused(site: Site) -> None:
    remediator = site.endpoint.remediator
    scope = replace(remediator.scope, within=("arn:aws:lamp:*:*:hall", "arn:aws:lamp:*:*:roof*"))
    site.endpoint = replace(site.endpoint, remediator=replace(remediator, scope=scope))
    reply = site.post(asking("desk", "Hall"))
    assert reply.body["results"][0]["reason"]["code"] == "out_of_scope"
    assert "reason" not in reply.body["results"][1] or reply.body["results"][1]["reason"]["code"] != "out_of_scope"


def test_a_fix_that_the_customer_didn_t_enable_is_refused(site: Site) -> None:
    target = {"arn": "arn:aws:s3:::bucket", "region": "eu-west-1"}
    reply = site.post({"mode": "apply", "findings": [{"fix": "aws.s3.block-public-access", "target": target}]})
    assert reply.body["results"][0]["reason"]["code"] == "fix_not_enabled"


def test_one_refused_finding_doesn_t_stop_the_others(site: Site) -> None:
    findings = [ONE | {"target": lamp("desk", account="999900001111")}, asking("hall")["findings"][0]]
    reply = site.post({"mode": "apply", "findings": findings})
    assert reply.status == 200
    assert [result["outcome"] for result in reply.body["results"]] == ["refused", "fixed"]


def test_an_unknown_remediation_is_not_found_and_so_is_somebody_else_s(site: Site) -> None:
    assert site.get("/v1/remediations/there-is-no-such-one").status == 404
    site.post(asking("desk"))
    site.ledger.records[KEY] = type(site.ledger.records[KEY])(
        **{name: getattr(site.ledger.records[KEY], name) for name in site.ledger.records[KEY].__slots__}
        | {"caller": "AROASOMEBODYELSE"}
    )
    assert site.get(f"/v1/remediations/{KEY}").status == 404
    assert site.get(f"/v1/remediations/{KEY}/findings/0").status == 404


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_whatever_makes_it_fail(site: Site, body: bytes) -> None:
    assert site.post(body).status == 400


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["mode", "findings", "fix", "target", "arn", "parameters"]), inner, max_size=4),
)  # fmt: skip


@given(_JSON)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_whatever_makes_it_fail(site: Site, body: Any) -> None:
    assert site.post(body).status == 400
    findings = {"mode": "plan", "findings": [body]}
    assert site.post(findings).status == 400


@pytest.mark.parametrize(
    "findings",
    [[ONE, ONE | {"target": {"arn": "?"}}], [ONE, ONE], [ONE, {"finding": "nessus:1", "target": ONE["target"]}]],
)
def test_the_finding_that_is_wrong_is_told_by_its_index(site: Site, findings: list[Any]) -> None:
    reply = site.post({"mode": "apply", "findings": findings})
    refused_untouched(site, reply, 400)
    assert reply.body["index"] == 1


def test_parameters_in_another_order_ask_for_the_same() -> None:
    target = {"arn": f"arn:aws:ec2:eu-west-1:{HOME.account}:security-group/sg-00000000000000001"}
    asked = [
        {"fix": "aws.ec2.close-port", "target": target, "parameters": parameters}
        for parameters in ({"port": 22, "protocol": "udp"}, {"protocol": "udp", "port": 22})
    ]
    with pytest.raises(Refused, match="INVALID_REQUEST") as refused:
        requests.read_remediation(json.dumps({"mode": "plan", "findings": asked}).encode(), HOME)
    assert refused.value.detail == "findings[1] asks for the same as findings[0]."


@pytest.mark.parametrize(
    ("home", "target"),
    [
        (HOME, {"arn": f"arn:aws:ec2:eu-west-1:{HOME.account}:security-group/sg-00000000000000001"}),
        (AZURE, {"id": f"/subscriptions/{AZURE.account}/resourceGroups/shop/providers/Microsoft.Network"
                       "/networkSecurityGroups/front"}),
    ],
)  # fmt: skip
def test_a_scanner_s_id_that_both_clouds_answer_is_answered_by_the_deployment_s_own(
    home: Home, target: dict[str, str]
) -> None:
    body = {"mode": "plan", "findings": [{"finding": "cloudsploit:openSSH", "target": target}]}
    (asked,) = requests.read_remediation(json.dumps(body).encode(), home).findings
    assert asked.fix.id.partition(".")[0] == home.cloud
    assert asked.parameters["port"] == 22


def test_a_key_is_bound_to_method_path_and_body_and_to_no_header() -> None:
    call = requests.Call("POST", "/v1/remediations", "", {}, b"{}", READER, 170.0)
    others = [replace(call, method="PUT"), replace(call, path="/v1/fixes"), replace(call, body=b"[]")]
    assert len({requests.digest_of(one) for one in (call, *others)}) == 4
    assert requests.digest_of(replace(call, headers={"a": "b"})) == requests.digest_of(call)
