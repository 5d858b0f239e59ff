"""`remediator code`: the live code with a countdown, and what admitting it leaves where."""

from __future__ import annotations

import io
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from remediator.cli.code_view import code_document, code_view, watch
from remediator.cli.exits import Exit
from remediator.core.codes import code_of
from remediator.core.gate import opening
from remediator.core.windows import PERIOD, Window, window_at
from remediator.operator.codes import CodeBook
from remediator.vendor.clock import CorrectedClock
from remediator.vendor.keyring import Keyring
from tests.cli.conftest import document
from tests.vendor.speaking import DEPLOYMENT_ID, START, HandClock, Ring, seed_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    from remediator.core.gate import Opening
    from tests.cli.conftest import Deployed

WINDOW = window_at(START)


class Desk:
    """A desk in memory."""

    def __init__(self) -> None:
        self.left: dict[Window, Opening] = {}

    def admit(self, window: Window, opening: Opening) -> None:
        self.left[window] = opening

    def admitted(self, window: Window) -> bool:
        return window in self.left


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def book(clock: HandClock, desk: Desk) -> CodeBook:
    corrected = CorrectedClock(clock)
    return CodeBook(Keyring(DEPLOYMENT_ID, Ring(clock.now), corrected), desk, corrected)


def code_at(window: Window) -> str:
    return code_of(seed_of(window), window).reveal().decode()


@pytest.fixture
def by_hand(deployed: Deployed) -> Deployed:
    """A deployment with manual delivery, its windows staged whole."""
    outputs = {name: {"Value": value} for name, value in (deployed.outputs | {"Delivery": "manual"}).items()}
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": outputs}
    deployed.client("cloudformation").update_stack(StackName="Remediator", TemplateBody=json.dumps(template))
    for window in deployed.windows:
        deployed.put(
            "remediator-state", pk=f"window/{window}", not_before=window.not_before, not_after=window.not_after
        )
    return deployed


def item(deployed: Deployed, window: Window) -> dict[str, Any]:
    table: dict[str, Any] = deployed.client("dynamodb").get_item(
        TableName="remediator-state", Key={"pk": {"S": f"window/{window}"}}
    )["Item"]
    return table


def test_the_document_has_the_code_and_how_long_it_lives(book: CodeBook) -> None:
    assert code_document(book.live()) == {
        "code": code_at(WINDOW),
        "window": WINDOW.number,
        "not_after": WINDOW.not_after,
        "seconds_left": PERIOD - 100,
        "admitted": False,
    }


@pytest.mark.parametrize(("into", "left"), [(0.0, 300), (0.4, 300), (1.0, 299), (299.5, 1), (299.999, 1)])
def test_the_countdown_ends_with_its_window(book: CodeBook, clock: HandClock, into: float, left: int) -> None:
    clock.at = WINDOW.not_before + into
    assert book.live().seconds_left == left


def test_looking_admits_nothing(book: CodeBook, desk: Desk) -> None:
    book.live()
    assert desk.left == {}


def test_admitting_leaves_the_live_windows_opening_and_says_what_for_and_until_when(book: CodeBook, desk: Desk) -> None:
    live = book.live(admit=True)
    assert desk.left == {WINDOW: opening(DEPLOYMENT_ID, WINDOW, seed_of(WINDOW))}
    shown = "\n".join(str(part) for part in code_view(live))
    until = time.strftime("%H:%M:%S", time.gmtime(WINDOW.not_after))
    assert f"admitted until {until} UTC: one plan and one apply" in shown


def test_nothing_but_the_code_is_shown_of_what_is_secret(book: CodeBook) -> None:
    live = book.live(admit=True)
    shown = json.dumps(code_document(live)) + "".join(str(part) for part in code_view(live)) + repr(live)
    secrets = [seed_of(WINDOW).reveal().hex(), opening(DEPLOYMENT_ID, WINDOW, seed_of(WINDOW)).hex()]
    assert not [secret for secret in secrets if secret in shown]
    assert repr(live).count(code_at(WINDOW)) == 0


def watched(book: CodeBook, seconds: int, *, interrupt: bool = False) -> str:
    """Return what a terminal was sent while somebody watched for so many seconds."""
    console = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)
    ticks = iter(range(seconds))

    def goes_on() -> bool:
        if next(ticks, None) is None:
            if interrupt:
                raise KeyboardInterrupt
            return False
        return True

    watch(console, book, book.live(), goes_on=goes_on)
    text: Any = console.file
    return str(text.getvalue())


def test_a_terminal_is_shown_the_code_anew_each_second_and_then_the_next_ones(book: CodeBook, clock: HandClock) -> None:
    clock.at = WINDOW.not_after - 2
    sent = watched(book, 4)
    assert clock.naps == [1.0] * 4
    for text in (code_at(WINDOW), "0:02 left", "0:01 left", code_at(WINDOW + 1), "5:00 left", "4:59 left"):
        assert text in sent
    assert sent.index(code_at(WINDOW)) < sent.index(code_at(WINDOW + 1))


def test_ctrl_c_ends_it_quietly(book: CodeBook) -> None:
    assert code_at(WINDOW) in watched(book, 2, interrupt=True)


def test_the_next_window_isnt_admitted_by_the_last_ones_admission(book: CodeBook, clock: HandClock) -> None:
    assert book.live(admit=True).admitted
    clock.at += PERIOD
    assert not book.live().admitted


def test_the_command_prints_one_document_and_admits_nothing(by_hand: Deployed, run: Callable[..., Result]) -> None:
    result = run("code", "--json")
    assert result.exit_code == Exit.OK, result.output
    shown = document(result)
    window = Window(shown["window"])
    assert (shown["code"], shown["admitted"]) == (code_at(window), False)
    assert (shown["not_after"], 0 < shown["seconds_left"] <= PERIOD) == (window.not_after, True)
    assert "opening" not in item(by_hand, window)


def test_the_command_admits_the_live_window_where_nobody_watches_once(
    by_hand: Deployed, run: Callable[..., Result]
) -> None:
    result = run("code", "--admit")
    assert result.exit_code == Exit.OK, result.output
    assert "one plan and one apply" in result.output
    window = next(one for one in by_hand.windows if code_at(one) in result.output)
    assert item(by_hand, window)["opening"]["B"] == opening(DEPLOYMENT_ID, window, seed_of(window)).reveal()
    assert document(run("code", "--json"))["admitted"] is True


@pytest.mark.usefixtures("by_hand")
def test_verbose_shows_steps_and_no_secret(run: Callable[..., Result]) -> None:
    result = run("code", "--admit", "--json", "--verbose")
    window = Window(document(result)["window"])
    secret = seed_of(window)
    for text in (secret.reveal().hex(), opening(DEPLOYMENT_ID, window, secret).hex()):
        assert text not in result.output
    assert code_at(window) not in result.stderr


def test_a_frozen_deployment_admits_nothing_but_shows_the_code(by_hand: Deployed, run: Callable[..., Result]) -> None:
    by_hand.put("remediator-state", pk="control", state="frozen")
    result = run("code", "--admit", "--json")
    assert result.exit_code == Exit.NOT_NOW
    assert "isn't open" in document(result)["error"]["message"]
    assert document(run("code", "--json"))["admitted"] is False


def test_a_window_that_wrong_codes_have_closed_is_said_to_be(by_hand: Deployed, run: Callable[..., Result]) -> None:
    for window in by_hand.windows:
        by_hand.put(
            "remediator-state", pk=f"window/{window}", not_before=window.not_before, not_after=window.not_after, tries=3
        )
    result = run("code", "--admit")
    assert result.exit_code == Exit.NOT_NOW
    assert "three wrong codes" in result.output


@pytest.mark.usefixtures("deployed")
def test_with_automatic_delivery_there_is_nothing_to_pass_on(run: Callable[..., Result]) -> None:
    result = run("code")
    assert result.exit_code == Exit.NOT_FOUND
    assert "automatically" in result.output


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("mode", ["plan", "apply"])
def test_the_vendors_command_refuses_a_code_in_another_form_before_it_sends_it(
    run: Callable[..., Result], mode: str
) -> None:
    target = "arn:aws:s3:::a-bucket"
    result = run("vendor", mode, "--fix", "aws.s3.require-tls", "--target", target, "--target-region", "eu-west-1",
                 "--code", "12345")  # fmt: skip
    assert result.exit_code == Exit.USAGE
    assert "six ASCII digits" in result.output
