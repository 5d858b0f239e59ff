"""What the catalogue owes to there being more than one cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from remediator.catalogue import policies, publish, registry
from remediator.catalogue.engine import Change, Job, Outcome
from remediator.catalogue.errors import Overtaken, Underway, UnknownFix
from remediator.catalogue.pages import page
from remediator.catalogue.spec import Home, allow
from tests.catalogue.toys import BUCKET, Brightness, Lamp, TurnUp

if TYPE_CHECKING:
    from remediator.catalogue.spec import Target


class TurnUpSlowly(TurnUp):
    """Turn up a lamp in its own time.

    It gets brighter later.
    """

    id = "azure.lamp.turn-up"
    asynchronous = True
    reads = allow("Microsoft.Lamps/lamps/read")
    writes = allow("Microsoft.Lamps/lamps/write")


class WatchTurning(TurnUpSlowly):
    """Turn up a lamp in its own time, and see it turn.

    It gets brighter later.
    """

    def read(self, client: Lamp, target: Target) -> int:
        now = super().read(client, target)
        if client.coming is not None:
            raise Underway("it is being turned")
        return now


class TurnUpAgain(WatchTurning):
    """Turn up a lamp in its own time, and be refused since somebody is at it.

    It gets brighter later.
    """

    answers: ClassVar[dict[str, Any]] = {}

    def write(self, client: Lamp, target: Target, before: int, after: int) -> None:  # noqa: ARG002 - it never comes to that
        raise Overtaken("somebody turns it")


class TurnUpTooLate(TurnUp):
    """Turn up a lamp that somebody else just turned.

    It stays as they left it.
    """

    answers: ClassVar[dict[str, Any]] = {}

    def write(self, client: Lamp, target: Target, before: int, after: int) -> None:  # noqa: ARG002 - it never comes to that
        raise Overtaken("somebody else turned it")


def test_what_the_cloud_finishes_later_is_pending_where_it_does_not_stand_yet() -> None:
    slow = Job(TurnUpSlowly(), Lamp(2, stuck=True), BUCKET, Brightness())
    assert slow.apply(Change(2, 5), pauses=(None,)) is Outcome.PENDING
    slow = Job(TurnUpSlowly(), Lamp(5, stuck=True), BUCKET, Brightness())
    assert slow.roll_back(Change(2, 5), pauses=()) is Outcome.PENDING


def test_what_stands_already_is_not_pending() -> None:
    assert Job(TurnUpSlowly(), Lamp(2), BUCKET, Brightness()).apply(Change(2, 5), pauses=()) is Outcome.FIXED


def test_a_change_that_is_under_way_is_looked_at_until_it_stands() -> None:
    lamp = Lamp(2, late=2)
    assert Job(WatchTurning(), lamp, BUCKET, Brightness()).apply(Change(2, 5), pauses=(None, None)) is Outcome.FIXED
    assert lamp.looks == 3


def test_a_change_that_is_still_under_way_in_the_end_is_pending() -> None:
    lamp = Lamp(2, late=9)
    job = Job(WatchTurning(), lamp, BUCKET, Brightness())
    assert job.apply(Change(2, 5), pauses=(None,)) is Outcome.PENDING
    assert not job.shows(5)
    with pytest.raises(Underway):
        job.plan()
    with pytest.raises(Underway):
        job.roll_back(Change(2, 5), pauses=())
    assert lamp.written == [(2, 5)]


def test_a_change_that_is_under_way_when_it_is_gone_on_with_may_be_ones_own() -> None:
    lamp = Lamp(2, late=9, coming=5)
    assert Job(WatchTurning(), lamp, BUCKET, Brightness()).resume(Change(2, 5), pauses=()) is Outcome.UNVERIFIED
    assert lamp.written == []


def test_a_write_that_was_overtaken_has_drifted() -> None:
    late = Job(TurnUpTooLate(), Lamp(2), BUCKET, Brightness())
    assert late.apply(Change(2, 5), pauses=()) is Outcome.DRIFTED
    assert late.resume(Change(2, 5), pauses=()) is Outcome.DRIFTED
    late = Job(TurnUpTooLate(), Lamp(5), BUCKET, Brightness())
    assert late.roll_back(Change(2, 5), pauses=()) is Outcome.DRIFTED


def test_a_write_that_was_overtaken_by_its_own_first_try_is_done() -> None:
    again = Job(TurnUpTooLate(), Lamp(5), BUCKET, Brightness())
    assert again.apply(Change(2, 5), pauses=()) is Outcome.FIXED


@pytest.mark.parametrize(
    ("lamp", "outcome"),
    [
        (Lamp(2, late=9, coming=5), Outcome.UNVERIFIED),
        (Lamp(2), Outcome.UNVERIFIED),
        (Lamp(5), Outcome.FIXED),
        (Lamp(3), Outcome.DRIFTED),
    ],
)
def test_what_overtook_a_write_that_is_carried_out_later_may_be_its_own_first_try(lamp: Lamp, outcome: Outcome) -> None:
    assert Job(TurnUpAgain(), lamp, BUCKET, Brightness()).apply(Change(2, 5), pauses=()) is outcome


def test_two_clouds_may_answer_one_finding() -> None:
    findings = publish.catalogue([TurnUp(), TurnUpSlowly()])["findings"]
    assert findings["aws"]["prowler:lamp_dark"]["fix"] == "aws.lamp.turn-up"
    assert findings["azure"]["prowler:lamp_dark"]["fix"] == "azure.lamp.turn-up"


def test_a_finding_is_answered_by_a_fix_of_the_cloud_it_is_sent_to() -> None:
    assert registry.answering("cloudsploit:openSSH", Home("aws-cn", "123456789012").cloud)[0].id == "aws.ec2.close-port"
    with pytest.raises(UnknownFix):
        registry.answering("security-hub:S3.8", Home("azure", "00000000-0000-0000-0000-000000000001").cloud)


def test_azures_actions_are_its_operations() -> None:
    assert policies.operations(TurnUpSlowly()) == {"Microsoft.Lamps/lamps/read", "Microsoft.Lamps/lamps/write"}


def test_an_action_that_nobody_calls_is_no_operation() -> None:
    linked = allow("Microsoft.Network/applicationSecurityGroups/joinNetworkSecurityRule/action")
    assert policies.operations_of("Microsoft.Network", linked) == frozenset()


def test_a_page_of_a_fix_that_no_scanner_asks_for_says_so() -> None:
    assert page(TurnUpTooLate()).endswith("## Findings it answers\n\nNone.\n")
