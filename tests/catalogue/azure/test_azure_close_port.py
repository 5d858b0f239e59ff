from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from remediator.catalogue.azure.arm import Changed
from remediator.catalogue.azure.network.close_port import ClosePort, Ports
from remediator.catalogue.azure.network.examples import DENY_ALL, TO_ONE, group, rule
from remediator.catalogue.engine import Outcome
from remediator.catalogue.errors import NotApplicable, Overtaken
from tests.catalogue.azure.packets import PARTNER, STRANGER, Packet, admits
from tests.laws.azure.azure_trials import AT_ONCE, Case, Trial

if TYPE_CHECKING:
    from remediator.local.azure.arm.embedded import Asked

FIX = ClosePort()
TO_APP = Packet(STRANGER, PARTNER, "Tcp", 22, 50_000)


def closed(*rules: Any, port: int = 22, **more: Any) -> list[Any]:
    return FIX.desired(list(rules), Ports(port=port, **more))


def numbers(rules: list[Any]) -> list[tuple[str, int]]:
    return [(one["name"], one["properties"]["priority"]) for one in rules]


@pytest.mark.parametrize(
    "source", ["*", "Any", "any", "Internet", "internet", "INTERNET", "0.0.0.0/0", "::/0", "1.2.3.4/0"]
)
def test_every_way_to_say_the_internet_is_known(source: str) -> None:
    assert closed(rule("ssh", 100, "Tcp", source, "22")) == []


@pytest.mark.parametrize(
    "source",
    ["VirtualNetwork", "AzureCloud.WestEurope", "Storage", "10.0.0.0/8", "8.8.8.8", "128.0.0.0/1", "fd00::/8"],
)
def test_every_other_source_keeps_its_access(source: str) -> None:
    kept = rule("ssh", 100, "Tcp", source, "22")
    assert closed(kept) == [kept]


@pytest.mark.parametrize(
    ("ports", "left"),
    [
        ("*", ["0-21", "23-65535"]),
        ("22-23", "23"),
        ("21-22", "21"),
        ("20-443", ["20-21", "23-443"]),
        (["22", "443"], ["443"]),
        (["80", "22-22", "443"], ["80", "443"]),
    ],
)
def test_a_range_is_narrowed_to_the_ports_around(ports: Any, left: Any) -> None:
    assert closed(rule("web", 100, "Tcp", "Internet", ports)) == [rule("web", 100, "Tcp", "Internet", left)]


def test_a_rule_that_lets_nothing_else_in_goes() -> None:
    assert closed(rule("ssh", 100, "Tcp", "*", "22"), rule("web", 101, "Tcp", "*", "443")) == [
        rule("web", 101, "Tcp", "*", "443")
    ]


@pytest.mark.parametrize(
    "harmless",
    [
        rule("ssh", 100, "Udp", "*", "22"),
        rule("ssh", 100, "Icmp", "*", "*"),
        rule("ssh", 100, "Tcp", "*", "23-65535"),
        rule("ssh", 100, "Tcp", "*", "0-21"),
        rule("ssh", 100, "Tcp", "*", "22", access="Deny"),
    ],
)
def test_what_is_about_something_else_stays(harmless: Any) -> None:
    assert closed(harmless) == [harmless]


def test_named_sources_of_the_same_rule_keep_the_whole_range() -> None:
    assert closed(rule("mixed", 100, "Tcp", ["0.0.0.0/0", "198.51.100.0/24"], "20-30")) == [
        rule("mixed", 100, "Tcp", ["198.51.100.0/24"], "20-30"),
        rule("mixed-split", 101, "Tcp", ["0.0.0.0/0"], ["20-21", "23-30"]),
    ]


def test_named_sources_of_a_rule_for_the_port_alone_need_no_other_rule() -> None:
    assert closed(rule("mixed", 100, "Tcp", ["::/0", "2001:db8::/32"], "22")) == [
        rule("mixed", 100, "Tcp", ["2001:db8::/32"], "22")
    ]


def test_a_rule_for_all_protocols_on_some_ports_becomes_one_for_tcp_and_one_for_udp() -> None:
    assert closed(rule("low", 100, "*", "Internet", "20-30"), port=25, protocol="udp") == [
        rule("low", 100, "Udp", "Internet", ["20-24", "26-30"]),
        rule("low-split", 101, "Tcp", "Internet", "20-30"),
    ]


def test_pieces_keep_destination_groups_source_ports_and_description() -> None:
    more: Any = {
        "destinationAddressPrefix": None,
        "destinationApplicationSecurityGroups": group("apps"),
        "sourcePortRange": None,
        "sourcePortRanges": ["1024-2048", "4096"],
        "description": "mind the gap",
    }
    low = rule("low", 100, "*", "Internet", "20-30", **more)
    pieces = closed(low)
    assert len(pieces) == 2
    changed = {"protocol", "priority", "destinationPortRange", "destinationPortRanges"}
    for piece in pieces:
        assert {key: value for key, value in piece["properties"].items() if key not in changed} == {
            key: value for key, value in low["properties"].items() if key not in changed
        }


def test_the_pieces_take_the_next_free_priorities_behind_and_then_before() -> None:
    after = closed(
        rule("a", 4092, "Udp", "Internet", "53"),
        rule("everything", 4095, "*", "Internet", "*"),
        rule("b", 4096, "Udp", "Internet", "54"),
    )
    assert numbers(after) == [
        ("everything-split-4", 4090),
        ("everything-split-3", 4091),
        ("a", 4092),
        ("everything-split-2", 4093),
        ("everything-split", 4094),
        ("everything", 4095),
        ("b", 4096),
    ]


def test_the_pieces_do_not_jump_over_a_denial() -> None:
    after = closed(
        rule("no-web", 198, "Tcp", "*", "80", access="Deny"),
        rule("mixed", 200, "Tcp", ["0.0.0.0/0", "198.51.100.0/24"], "20-30"),
        rule("no-mail", 201, "Tcp", "*", "25", access="Deny"),
    )
    assert numbers(after) == [("no-web", 198), ("mixed-split", 199), ("mixed", 200), ("no-mail", 201)]


@pytest.mark.parametrize(("number", "denied", "split"), [(101, 102, 100), (4095, 4094, 4096)])
def test_the_first_and_the_last_priority_are_priorities_like_others(number: int, denied: int, split: int) -> None:
    after = closed(
        rule("mixed", number, "Tcp", ["0.0.0.0/0", "198.51.100.0/24"], "20-30"),
        rule("no-web", denied, "Tcp", "*", "80", access="Deny"),
    )
    assert ("mixed-split", split) in numbers(after)


@pytest.mark.parametrize(("own", "other"), [("WEB", "web-split"), ("web", "WEB-SPLIT")])
def test_names_that_differ_in_letter_case_alone_are_the_same_to_azure(own: str, other: str) -> None:
    after = closed(rule(own, 100, "*", "Internet", "20-30"), rule(other, 101, "Udp", "Internet", "53"))
    assert {one["name"] for one in after} == {own, other, f"{own}-split-2"}


def test_a_new_name_is_one_that_no_rule_has() -> None:
    after = closed(
        rule("x" * 70, 100, "*", "Internet", "20-30"),
        rule("X" * 60 + "-SPLIT", 101, "Udp", "Internet", "53"),
    )
    assert [one["name"] for one in after] == ["x" * 70, "X" * 60 + "-SPLIT", "x" * 60 + "-split-2"]


def test_neighbours_keep_their_access_where_a_rule_behind_would_deny_it() -> None:
    after = closed(rule("ssh", 300, "Tcp", "*", "20-30"), DENY_ALL)
    assert [(one["name"], one["properties"].get("sourceAddressPrefix")) for one in after] == [
        ("ssh", "*"),
        ("ssh-split", "VirtualNetwork"),
        ("ssh-split-2", "AzureLoadBalancer"),
        ("deny-all", "*"),
    ]
    assert [one["properties"].get("destinationPortRange") for one in after] == [None, "22", "22", "*"]


@pytest.mark.parametrize(
    "behind",
    [
        rule("no-web", 4096, "Tcp", "*", "80", access="Deny"),
        rule("no-internet", 4096, "*", "Internet", "*", access="Deny"),
        rule("no-enemy", 4096, "*", "203.0.113.0/24", "*", access="Deny"),
        rule("allowed", 4096, "*", "VirtualNetwork", "*"),
    ],
)
def test_neighbours_need_no_rule_where_nothing_behind_would_deny_them(behind: Any) -> None:
    assert closed(rule("ssh", 300, "Tcp", "*", "22"), behind) == [behind]


@pytest.mark.parametrize(
    "behind",
    [
        rule("no-office", 4096, "*", "10.0.0.0/8", "*", access="Deny"),
        rule("no-office", 4096, "Tcp", ["203.0.113.0/24", "10.9.0.0/16"], "22", access="Deny"),
        rule("no-v4", 4096, "*", "0.0.0.0/0", "*", access="Deny"),
        rule(
            "no-group", 4096, "*", "*", "*", access="Deny",
            sourceAddressPrefix=None, sourceApplicationSecurityGroups=group("x"),
        ),
    ],
)  # fmt: skip
def test_any_denial_behind_that_neighbours_may_meet_counts(behind: Any) -> None:
    after = closed(rule("ssh", 300, "Tcp", "*", "22"), behind)
    assert [one["properties"].get("sourceAddressPrefix") for one in after[:2]] == [
        "VirtualNetwork",
        "AzureLoadBalancer",
    ]


def test_literal_ranges_get_no_rule_for_neighbours_that_would_widen_them() -> None:
    assert closed(rule("ssh", 300, "Tcp", "0.0.0.0/0", "22"), DENY_ALL) == [DENY_ALL]


@pytest.mark.parametrize("more", [{}, TO_ONE, {"sourcePortRange": "1024-65535"}])
def test_a_port_that_is_denied_to_the_internet_before_is_closed_already(more: dict[str, Any]) -> None:
    before = rule("no-ssh", 100, "Tcp", "Internet", "22", access="Deny")
    rules = [before, rule("everything", 200, "*", "*", "*", **more)]
    assert closed(*rules) == rules


@pytest.mark.parametrize(
    "before",
    [
        rule("no-ssh", 300, "Tcp", "Internet", "22", access="Deny"),
        rule("no-ssh", 100, "Udp", "Internet", "22", access="Deny"),
        rule("no-ssh", 100, "Tcp", "Internet", "23", access="Deny"),
        rule("no-ssh", 100, "Tcp", "0.0.0.0/0", "22", access="Deny"),
        rule("no-ssh", 100, "Tcp", "8.8.8.0/24", "22", access="Deny"),
        rule("no-ssh", 100, "Tcp", "Internet", "22", access="Deny", **TO_ONE),
        rule("no-ssh", 100, "Tcp", "Internet", "22", access="Deny", sourcePortRange="1024-65535"),
        rule(
            "no-ssh", 100, "Tcp", "Internet", "22", access="Deny",
            destinationAddressPrefix=None, destinationApplicationSecurityGroups=group("apps"),
        ),
    ],
)  # fmt: skip
def test_a_denial_that_is_late_or_about_less_closes_nothing(before: Any) -> None:
    after = closed(before, rule("ssh", 200, "Tcp", "Internet", "22"))
    assert [one["name"] for one in after] == ["no-ssh"]


def test_a_denial_for_one_application_security_group_closes_nothing_for_another() -> None:
    to = {"destinationAddressPrefix": None}
    before = rule(
        "no-ssh", 100, "Tcp", "Internet", "22", access="Deny", destinationApplicationSecurityGroups=group("db"), **to
    )
    ours = rule("ssh", 200, "Tcp", "Internet", "22", destinationApplicationSecurityGroups=group("apps"), **to)
    assert closed(before, ours) == [before]
    theirs = rule("ssh", 200, "Tcp", "Internet", "22", destinationApplicationSecurityGroups=group("DB"), **to)
    assert closed(before, theirs) == [before, theirs]


def test_one_family_that_is_denied_leaves_the_other() -> None:
    denial = rule("no-v4", 100, "Tcp", "0.0.0.0/0", "22", access="Deny")
    literal = rule("v4", 200, "Tcp", "0.0.0.0/0", "22")
    assert closed(denial, literal, rule("v6", 201, "Tcp", "::/0", "22")) == [denial, literal]


TIGHT = (rule("everything", 100, "*", "*", "*"), rule("no-smb", 102, "Tcp", "*", "445", access="Deny"))


def test_where_the_first_priority_is_taken_the_denial_takes_it_and_the_offender_makes_room() -> None:
    assert numbers(closed(*TIGHT)) == [("deny-internet-tcp-22", 100), ("everything", 101), ("no-smb", 102)]
    denial = closed(*TIGHT)[0]["properties"]
    assert (denial["access"], denial["protocol"], denial["sourceAddressPrefix"], denial["destinationPortRange"]) == (
        "Deny", "Tcp", "Internet", "22",
    )  # fmt: skip


def test_where_there_is_room_before_the_offender_the_denial_goes_there() -> None:
    after = closed(
        rule("no-web", 199, "Tcp", "*", "80", access="Deny"),
        rule("everything", 200, "*", "*", "*"),
        rule("no-smb", 201, "Tcp", "*", "445", access="Deny"),
    )
    assert numbers(after) == [("deny-internet-tcp-22", 198), ("no-web", 199), ("everything", 200), ("no-smb", 201)]


def test_a_denial_goes_behind_those_who_may_stay() -> None:
    after = closed(
        rule("jump", 100, "Tcp", "198.51.100.7/32", "22"),
        rule("office", 102, "Tcp", "10.0.0.0/8", "22"),
        rule("everything", 103, "*", "*", "*"),
        rule("no-smb", 104, "Tcp", "*", "445", access="Deny"),
    )
    assert numbers(after)[:3] == [("jump", 100), ("deny-internet-tcp-22", 101), ("office", 102)]


def test_an_offender_goes_behind_those_who_may_stay_if_need_be() -> None:
    after = closed(
        rule("everything", 100, "*", "*", "*"),
        rule("jump", 101, "Tcp", "198.51.100.7/32", "22"),
        rule("no-smb", 104, "Tcp", "*", "445", access="Deny"),
    )
    assert numbers(after) == [("jump", 101), ("deny-internet-tcp-22", 102), ("everything", 103), ("no-smb", 104)]
    assert not admits(after, TO_APP)


@pytest.mark.parametrize(
    "rules",
    [
        (rule("everything", 100, "*", "*", "*"), rule("no-smb", 101, "Tcp", "*", "445", access="Deny")),
        (*TIGHT, rule("jump", 103, "Tcp", "198.51.100.7/32", "22")),
        (
            rule("everything", 100, "*", ["0.0.0.0/0", "198.51.100.0/24"], "*"),
            rule("no-smb", 103, "Tcp", "*", "445", access="Deny"),
        ),
    ],
)
def test_what_cannot_be_said_with_the_free_priorities_is_refused_with_the_rule_that_is_in_the_way(rules: Any) -> None:
    with pytest.raises(NotApplicable, match=r"the rule everything .* 100: renumber"):
        closed(*rules)


def test_the_denials_name_is_one_that_no_rule_has_and_it_says_nothing_of_its_own() -> None:
    everything = rule("everything", 100, "*", "*", "*", description="because")
    after = closed(everything, rule("Deny-Internet-TCP-22", 102, "Tcp", "*", "445", access="Deny"))
    assert after[0]["name"] == "deny-internet-tcp-22-2"
    assert "description" not in after[0]["properties"]
    assert after[1]["properties"]["description"] == "because"


def trial(number: int = 0) -> Trial:
    return Trial(Case(FIX, FIX.examples[number]))


def test_all_else_of_the_group_is_written_back_as_it_was() -> None:
    ours = trial()
    path = ours.job.target.id
    resource = ours.cloud.arm.resource(path)
    outbound = rule("no-mail", 100, "Tcp", "*", "25", access="Deny", direction="Outbound")
    resource["tags"] = {"owner": "ops", "empty": ""}
    resource["properties"]["securityRules"].append(outbound)
    ours.cloud.arm.set(path, resource)
    before = ours.cloud.arm.resource(path)
    change, outcome = ours.apply()
    assert outcome is Outcome.FIXED
    after = ours.cloud.arm.resource(path)
    assert (after["tags"], after["location"]) == (before["tags"], before["location"])
    assert after["properties"]["resourceGuid"] == before["properties"]["resourceGuid"]
    (left,) = [one for one in after["properties"]["securityRules"] if one["properties"]["direction"] == "Outbound"]
    assert left["properties"].items() >= outbound["properties"].items()
    (write,) = ours.writes()
    assert write.if_match == before["etag"]
    assert ours.job.roll_back(change, pauses=AT_ONCE) is Outcome.ROLLED_BACK
    again = ours.cloud.arm.resource(path)["properties"]["securityRules"]
    plain = [{"name": one["name"], "properties": one["properties"]} for one in again]
    assert plain == [
        {"name": one["name"], "properties": one["properties"]} for one in before["properties"]["securityRules"]
    ]


def test_a_group_without_tags_gets_none() -> None:
    ours = trial(1)
    resource = ours.cloud.arm.resource(ours.job.target.id)
    ours.cloud.arm.set(ours.job.target.id, resource | {"tags": {}})
    ours.apply()
    (write,) = ours.writes()
    assert "tags" not in write.body


def test_a_group_that_was_changed_after_the_last_look_is_not_written() -> None:
    ours = trial()
    change = ours.job.plan()

    def meddle(asked: Asked) -> None:
        if asked.method == "PUT":
            ours.cloud.arm.faults.clear()
            ours.cloud.arm.set(ours.job.target.id, ours.cloud.arm.resource(ours.job.target.id))

    ours.cloud.arm.faults.append(meddle)
    with pytest.raises(Changed):
        FIX.write(ours.client, ours.job.target, change.before, change.after)
    assert ours.job.read() == ours.broken


def test_rules_that_were_changed_before_the_write_are_not_written() -> None:
    ours = trial()
    change = ours.job.plan()
    ours.change_to(ours.others[0])
    with pytest.raises(Overtaken, match="looked at"):
        FIX.write(ours.client, ours.job.target, change.before, change.after)
    assert list(ours.writes()) == []


def test_an_empty_group_has_nothing_to_close() -> None:
    ours = trial()
    resource = ours.cloud.arm.resource(ours.job.target.id)
    del resource["properties"]["securityRules"]
    ours.cloud.arm.set(ours.job.target.id, resource)
    assert ours.job.read() == []
    assert not ours.job.plan().needed
