from __future__ import annotations

import copy
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue.aws.ec2 import rules
from remediator.catalogue.aws.ec2.close_port import GROUP, ClosePort, Ports, rule
from remediator.catalogue.engine import Outcome
from remediator.catalogue.spec import Example
from tests.catalogue.toys import unhurried
from tests.laws.trials import AT_ONCE, Case, Trial, staged

FIX = ClosePort()
V4, V6 = "0.0.0.0/0", "::/0"
SSH: Any = {"port": 22}


def desired(*found: dict[str, Any], **parameters: Any) -> list[dict[str, Any]]:
    return FIX.desired(rules.ordered(found), Ports(**SSH | parameters))


def test_closing_22_inside_20_to_443_leaves_20_to_21_and_23_to_443_open() -> None:
    assert desired(rule("tcp", 20, 443, V4, "web")) == [rule("tcp", 20, 21, V4, "web"), rule("tcp", 23, 443, V4, "web")]


@pytest.mark.parametrize(
    ("low", "high", "left"),
    [
        (22, 22, []),
        (22, 23, [(23, 23)]),
        (21, 22, [(21, 21)]),
        (21, 23, [(21, 21), (23, 23)]),
        (0, 65535, [(0, 21), (23, 65535)]),
        (-1, -1, [(0, 21), (23, 65535)]),
        (23, 443, [(23, 443)]),
        (0, 21, [(0, 21)]),
    ],
)
@pytest.mark.parametrize("source", [V4, V6])
@pytest.mark.parametrize("protocol", ["tcp", "6"])
def test_of_a_range_everything_but_the_port_is_left(
    protocol: str, source: str, low: int, high: int, left: list[tuple[int, int]]
) -> None:
    assert desired(rule(protocol, low, high, source)) == [rule(protocol, *ports, source) for ports in left]


@pytest.mark.parametrize("port", [0, 65535])
def test_the_outermost_ports_are_closed_too(port: int) -> None:
    (left,) = desired(rule("tcp", 0, 65535, V4), port=port)
    assert (left["from"], left["to"]) == ((1, 65535) if port == 0 else (0, 65534))


@pytest.mark.parametrize(("source", "icmp"), [(V4, "icmp"), (V6, "icmpv6")])
def test_a_rule_for_all_traffic_is_closed_not_skipped(source: str, icmp: str) -> None:
    assert desired(rule("-1", -1, -1, source, "all")) == rules.ordered(
        [
            rule("tcp", 0, 21, source, "all"),
            rule("tcp", 23, 65535, source, "all"),
            rule("udp", 0, 65535, source, "all"),
            rule(icmp, -1, -1, source, "all"),
            *(rule(number, -1, -1, source, "all") for number in ("47", "50", "51", "132")),
        ]
    )


@pytest.mark.parametrize("protocol", ["udp", "17"])
def test_udp_is_closed_when_udp_is_asked(protocol: str) -> None:
    tcp, udp = rule("tcp", 50, 60, V4), rule(protocol, 53, 60, V4)
    assert desired(tcp, udp, port=53, protocol="udp") == rules.ordered([tcp, udp | {"from": 54}])


def test_closing_a_udp_port_of_all_traffic_leaves_tcp_whole() -> None:
    left = desired(rule("-1", -1, -1, V4), port=53, protocol="udp")
    assert rule("tcp", 0, 65535, V4) in left
    assert rule("udp", 0, 52, V4) in left
    assert rule("udp", 54, 65535, V4) in left


@pytest.mark.parametrize("kept", [V4, V6])
def test_a_source_that_is_not_asked_keeps_its_rules(kept: str) -> None:
    asked = {V4: V6, V6: V4}[kept]
    assert desired(rule("tcp", 22, 22, V4), rule("tcp", 22, 22, V6), sources=[asked]) == [rule("tcp", 22, 22, kept)]


@pytest.mark.parametrize(
    "kept",
    [
        rule("tcp", 22, 22, "10.0.0.0/8"),
        rule("tcp", 22, 22, "203.0.113.7/32"),
        rule("tcp", 22, 22, "fd00::/8"),
        rule("tcp", 22, 22, GROUP),
        rule("-1", -1, -1, GROUP),
        rule("-1", -1, -1, "10.0.0.0/8"),
        rule("tcp", 22, 22, "pl-0123456789abcdef0"),
        rule("udp", 22, 22, V4),
        rule("icmp", 22, 22, V4),
        rule("icmp", -1, -1, V4),
        rule("47", -1, -1, V4),
        rule("tcp", 443, 443, V4),
    ],
    ids=str,
)
def test_what_does_not_open_the_port_to_the_internet_stays(kept: dict[str, Any]) -> None:
    assert desired(kept) == [kept]
    assert kept in desired(kept, rule("tcp", 22, 22, V4), rule("tcp", 0, 65535, V6))


def test_a_piece_that_stands_already_is_not_added_again() -> None:
    stands = rule("tcp", 23, 443, V4, "mine")
    assert desired(stands, rule("tcp", 22, 443, V4, "theirs")) == [stands]


def test_two_rules_that_leave_the_same_piece_leave_it_once() -> None:
    assert desired(rule("tcp", 22, 30, V4), rule("tcp", 21, 30, V4)) == [
        rule("tcp", 21, 21, V4),
        rule("tcp", 23, 30, V4),
    ]


def test_several_ports_are_closed_at_once() -> None:
    left = desired(rule("tcp", 20, 23, V4), rule("udp", 22, 22, V4), also=["tcp/20", "udp/22"])
    assert left == [rule("tcp", 21, 21, V4), rule("tcp", 23, 23, V4)]


def test_where_nothing_is_open_nothing_changes() -> None:
    found = rules.ordered([rule("tcp", 443, 443, V4), rule("tcp", 22, 22, "10.0.0.0/8")])
    assert FIX.desired(found, Ports(**SSH)) is found


# What a random group admits, port by port, before and after.

EDGES = (0, 1, 20, 21, 22, 23, 24, 443, 65534, 65535)
PROTOCOLS = ("tcp", "udp", "icmp", "icmpv6", "47", "50", "51", "132", "2")
SOURCES = (V4, V6, "10.0.0.0/8", "fd00::/8", GROUP, "pl-0123456789abcdef0")
SPELT = {"tcp": ("tcp", "6"), "udp": ("udp", "17")}

ranges = st.tuples(st.sampled_from(EDGES), st.sampled_from(EDGES)).map(lambda ends: (min(ends), max(ends)))
ported = st.tuples(st.sampled_from(["tcp", "udp", "6", "17"]), ranges | st.just((-1, -1)))
portless = st.tuples(st.sampled_from(["-1", "icmp", "icmpv6", "47", "132", "2"]), st.just((-1, -1)))
any_rules = st.lists(
    st.builds(
        lambda admitted, source, said: rule(admitted[0], admitted[1][0], admitted[1][1], source, said),
        ported | portless,
        st.sampled_from(SOURCES),
        st.none() | st.sampled_from(["a", "b"]),
    ),
    max_size=12,
).map(rules.ordered)
any_ports = st.builds(
    Ports,
    port=st.sampled_from(EDGES),
    protocol=st.sampled_from(["tcp", "udp"]),
    also=st.lists(st.sampled_from(["tcp/21", "udp/443", "tcp/65535"]), max_size=2, unique=True),
    sources=st.lists(st.sampled_from([V4, V6]), min_size=1, unique=True),
)


def admits(found: list[dict[str, Any]], protocol: str, port: int, source: str) -> bool:
    def one_admits(one: dict[str, Any]) -> bool:
        if one["source"] != source:
            return False
        if one["protocol"] == "-1":
            return True
        names = SPELT.get(protocol, (protocol,))
        whole = one["from"] == -1 or protocol not in SPELT
        return one["protocol"] in names and (whole or one["from"] <= port <= one["to"])

    return any(one_admits(one) for one in found)


def lost(protocol: str, source: str) -> bool:
    """Tell whether a rule for all traffic from everywhere loses a protocol when it is split: as the docstring says."""
    kept = ("tcp", "udp", "icmpv6" if source == V6 else "icmp", "47", "50", "51", "132")
    return protocol not in kept


@unhurried
@given(any_rules, any_ports)
def test_what_is_admitted_is_what_was_but_for_the_ports(found: list[dict[str, Any]], ports: Ports) -> None:
    closed = {f"{ports.protocol}/{ports.port}", *ports.also}
    after = FIX.desired(found, ports)
    not_all_traffic = [one for one in found if one["protocol"] != "-1" or one["source"] not in ports.sources]
    for protocol in PROTOCOLS:
        for port in EDGES if protocol in SPELT else (0,):
            for source in SOURCES:
                shut = source in ports.sources and f"{protocol}/{port}" in closed
                split = source in ports.sources and lost(protocol, source)
                before = admits(not_all_traffic if split else found, protocol, port, source)
                assert admits(after, protocol, port, source) is (before and not shut), (protocol, port, source)


@unhurried
@given(any_rules, any_ports)
def test_judgement_is_pure_settles_at_once_and_leaves_other_rules_alone(
    found: list[dict[str, Any]], ports: Ports
) -> None:
    kept = copy.deepcopy(found)
    after = FIX.desired(found, ports)
    assert found == kept
    assert FIX.desired(after, ports) == after
    assert after == rules.ordered(after)
    closed_out = {rules.key(one) for one in found if one["source"] in ports.sources}
    for one in found:
        if rules.key(one) not in closed_out:
            assert rules.key(one) in {rules.key(left) for left in after}
    assert {one["source"] for one in after} <= {one["source"] for one in found}


@unhurried
@given(any_rules)
def test_a_rule_sent_to_ec2_comes_back_as_it_was(found: list[dict[str, Any]]) -> None:
    assert rules.flattened(rules.permission(one) for one in found) == found


def test_ports_that_mean_nothing_to_a_protocol_are_forgotten() -> None:
    (found,) = rules.flattened([{"IpProtocol": "50", "FromPort": 0, "ToPort": 0, "IpRanges": [{"CidrIp": V4}]}])
    assert found == rule("50", -1, -1, V4)


def test_the_kinds_of_icmp_are_not_forgotten() -> None:
    for protocol in ("icmp", "icmpv6", "1", "58"):
        (found,) = rules.flattened([{"IpProtocol": protocol, "FromPort": 8, "ToPort": 0, "IpRanges": [{"CidrIp": V4}]}])
        assert found == rule(protocol, 8, 0, V4)


def test_icmp_of_no_kind_is_icmp_of_every_kind() -> None:
    (found,) = rules.flattened([{"IpProtocol": "icmpv6", "Ipv6Ranges": [{"CidrIpv6": V6}]}])
    assert found == rule("icmpv6", -1, -1, V6)


# What is asked of EC2.


def broken(*found: dict[str, Any]) -> Case:
    return Case(FIX, Example(broken=rules.ordered(found), fixed=None, parameters=SSH))


def writes(trial: Trial) -> list[tuple[str, list[dict[str, Any]]]]:
    with trial.recording() as calls:
        trial.apply()
    return [(name, list(sent["IpPermissions"])) for name, sent in calls.made if "IpPermissions" in sent]


def test_adding_comes_before_removing() -> None:
    with staged(broken(rule("tcp", 20, 443, V4))) as trial:
        added, removed = writes(trial)
    assert added[0] == "ec2:AuthorizeSecurityGroupIngress"
    assert removed[0] == "ec2:RevokeSecurityGroupIngress"


def test_of_a_permission_with_many_sources_only_the_open_one_is_removed() -> None:
    kept = [rule("tcp", 22, 22, source) for source in ("10.0.0.0/8", GROUP, "pl-0123456789abcdef0", "fd00::/8")]
    with staged(broken(*kept, rule("tcp", 22, 22, V4))) as trial:
        assert writes(trial) == [
            (
                "ec2:RevokeSecurityGroupIngress",
                [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": V4}]}],
            )
        ]


def test_only_what_is_new_is_added() -> None:
    with staged(broken(rule("tcp", 23, 443, V4), rule("tcp", 21, 443, V4, "theirs"))) as trial:
        (_, added), _ = writes(trial)
    assert added == [
        {
            "IpProtocol": "tcp",
            "FromPort": 21,
            "ToPort": 21,
            "IpRanges": [{"CidrIp": V4, "Description": "theirs"}],
        }
    ]


def test_a_rollback_removes_what_was_added_and_restores_what_was_removed() -> None:
    offending = rule("tcp", 22, 443, V4, "theirs")
    with staged(broken(offending, rule("udp", 22, 22, V4))) as trial:
        change, _ = trial.apply()
        with trial.recording() as calls:
            trial.job.roll_back(change, pauses=AT_ONCE)
        sent = [(name, sent["IpPermissions"]) for name, sent in calls.made if "IpPermissions" in sent]
        assert sent == [
            ("ec2:AuthorizeSecurityGroupIngress", [rules.permission(offending)]),
            ("ec2:RevokeSecurityGroupIngress", [rules.permission(offending | {"from": 23})]),
        ]


def test_nothing_is_asked_where_nothing_is_added_or_removed() -> None:
    with staged(broken(rule("tcp", 22, 22, V4))) as trial:
        change, _ = trial.apply()
        with trial.recording() as calls:
            trial.job.roll_back(change, pauses=AT_ONCE)
        assert "ec2:RevokeSecurityGroupIngress" not in calls.operations


def test_a_rule_of_the_group_itself_and_of_a_peer_in_another_account_stay() -> None:
    peer = GROUP.replace("123456789012", "999988887777")
    with staged(broken(rule("-1", -1, -1, peer), rule("tcp", 22, 22, V6))) as trial:
        trial.apply()
        (left,) = trial.job.read()
        assert left["source"].startswith("999988887777/sg-")


def test_rules_that_leave_the_group_are_not_touched() -> None:
    with staged(broken(rule("tcp", 22, 22, V4))) as trial:
        client, group = trial.job.client, trial.job.target["group"]
        ssh_out = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": V4}]}]
        client.authorize_security_group_egress(GroupId=group, IpPermissions=ssh_out)
        before = client.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
        trial.apply()
        after = client.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
        assert after == before
        assert len(after) == 2


def test_a_group_that_found_nothing_to_do_writes_nothing() -> None:
    with staged(broken(rule("tcp", 443, 443, V4))) as trial:
        assert not trial.job.plan().needed


def test_a_group_without_room_for_the_pieces_stays_as_it_was() -> None:
    full = [rule("udp", port, port, V4) for port in range(59)]
    with staged(broken(*full, rule("tcp", 22, 30, V4))) as trial:
        change = trial.job.plan()
        with pytest.raises(ClientError, match="RulesPerSecurityGroupLimitExceeded"):
            trial.job.apply(change, pauses=AT_ONCE)
        assert trial.job.read() == trial.broken


def test_what_a_crash_left_between_adding_and_removing_is_finished() -> None:
    with staged(broken(rule("tcp", 20, 443, V4))) as trial:
        change = trial.job.plan()
        added = [rules.permission(one) for one in change.after]
        trial.job.client.authorize_security_group_ingress(GroupId=trial.job.target["group"], IpPermissions=added)
        assert trial.job.resume(change, pauses=AT_ONCE) is Outcome.FIXED
        assert trial.job.read() == change.after


def test_a_group_that_is_not_there_is_an_error_not_a_closed_one() -> None:
    with staged(broken(rule("tcp", 22, 22, V4))) as trial:
        trial.job.client.delete_security_group(GroupId=trial.job.target["group"])
        with pytest.raises(ClientError, match=r"InvalidGroup\.NotFound"):
            trial.job.read()
