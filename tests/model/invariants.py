"""Say what must hold when everybody has ended or died, whatever the order was."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from remediator.core.gate import Opening, gate_value, opening, verifier_of
from remediator.core.seeds import slot_of
from remediator.core.windows import GRACE, PERIOD, staged_at
from remediator.service.by_hand import MOST_TRIES
from tests.model.explorer import require
from tests.model.house import LAMP
from tests.service.site import asking, problem
from tests.service.world import DEPLOYMENT

if TYPE_CHECKING:
    from tests.model.house import House

GUESSED = Opening(b"\x5a" * 32)


def require_all(house: House) -> None:
    """Check every invariant; those that look further come last, since they move the clock."""
    one_outcome(house)
    few_guesses(house)
    no_secret_told(house)
    few_writes(house)
    agreement(house)
    stays_stopped(house)
    repaired(house)
    nothing_opens_without_rotator(house)
    nothing_remembered_opens(house)


def one_outcome(house: House) -> None:
    """I2: what a finding ended as, it stays."""
    ended: dict[tuple[str, int], Any] = {}
    for one in house.ledger.history:
        if one.outcome is not None:
            met = ended.setdefault((one.remediation, one.index), one.outcome)
            require(met == one.outcome, f"I2: a finding ended as {met}, and then as {one.outcome}")


def few_guesses(house: House) -> None:
    """I9: three wrong codes at most are compared, one apply is let through, and a closed admission is emptied."""
    reasons = [facts.get("reason") for _, facts in house.monitor.notes]
    wrong = reasons.count("the code isn't the window's")
    require(wrong <= MOST_TRIES, f"I9: {wrong} wrong codes were compared")
    admitted = [key for key in house.ledger.records if key.endswith("by-hand")]
    require(len(admitted) <= 1, "I9: one admission let two requests through")
    if wrong == MOST_TRIES:
        house.tell(asking(LAMP), house.wrong(9), key="model-one-more-guess")
        require(
            all(left.opening is None for left in house.book.left.values()), "I9: a closed admission's deposit stays"
        )


def few_writes(house: House) -> None:
    """I5: a slot of the ring is written once for each of its windows, however often the rotator runs."""
    for slot, writes in house.ring.writes.items():
        windows = [window for window in house.ring.versions if slot_of(window) == slot]
        require(writes <= len(windows), "I5: a secret is written again for a window that it has")


def no_secret_told(house: House) -> None:
    """I8, as far as this world reaches."""
    told = repr((house.ledger.history, house.ledger.records, house.monitor.notes, house.replies)).lower()
    for window, seed in house.ring.versions.items():
        for secret in (seed.reveal(), opening(DEPLOYMENT, window, seed).reveal()):
            forms = (secret.hex(), base64.b64encode(secret).decode(), repr(secret))
            require(not any(form.lower() in told for form in forms), "I8: a secret was told")


def agreement(house: House) -> None:
    """I3: what stands for a window follows from the one seed that its reader sees."""
    for window, verifier in house.table.verifiers.items():
        true = verifier_of(DEPLOYMENT, window, house.ring.versions[window])
        require(verifier == true, "I3: a verifier of a seed that nobody sees")
    for value, window in house.gate.values.items():
        opened = opening(DEPLOYMENT, window, house.ring.versions[window])
        require(value == gate_value(DEPLOYMENT, window, opened).text(), "I3: a value of a seed that nobody sees")
        require(window in house.table.verifiers, "I3: the gate opens where no request can be verified")


def stays_stopped(house: House) -> None:
    """A freeze that did all its steps has closed the gate; one that came after an unfreeze's look wins."""
    if house.stopped():
        require(not house.gate.values, "freeze: the gate stands open after everything was stopped")
    taken = house.steps.taken
    if "switch.open" in taken and _last(taken, "switch.freeze") > _last(taken, "switch.read"):
        require(house.table.state_now == "frozen", "freeze: an unfreeze opened what was frozen again")


def repaired(house: House) -> None:
    """The next run repairs whatever was left: all that must stand does, or all is closed."""
    house.clock.now += 121
    house.rotate("repair")
    if house.table.state_now == "frozen":
        require(not house.gate.values, "freeze: a frozen deployment's gate stands open after the next run")
        return
    wanted = set(staged_at(house.clock()))
    require(wanted <= house.table.verifiers.keys(), "I4: a window that must stand isn't staged by the next run")
    require(wanted <= set(house.gate.values.values()), "I4: the gate isn't open for a window that must stand")
    agreement(house)
    if not house.desk.barrier.everything:
        reply = house.post(asking(LAMP, mode="plan"), key="model-key-repaired-1")
        require(reply.status == 200, f"I3: a right request is refused: {problem(reply) if reply.status != 200 else ''}")


def nothing_opens_without_rotator(house: House) -> None:
    """I4: no value opens after the last staged window."""
    last = max(house.table.verifiers)
    for moment in (last.closes, last.closes + PERIOD, last.closes + 100 * PERIOD):
        opens = any(house.gate.opens(value, moment) for value in house.gate.values)
        require(not opens, "I4: the gate of a dead rotator opens")


def nothing_remembered_opens(house: House) -> None:
    """I10: neither what the remediator was brought once, nor what it makes up, opens in a later window."""
    for window, remembered in house.remembered.items():
        for later in (window + ahead for ahead in range(1, 6)):
            for brought in (remembered, GUESSED):
                values = {gate_value(DEPLOYMENT, one, brought).text() for one in (window, later)}
                opens = any(house.gate.opens(value, later.not_before + GRACE) for value in values)
                require(not opens, "I10: the gate opens for who wasn't brought the window's opening")


def _last(taken: list[str], name: str) -> int:
    return max((place for place, one in enumerate(taken) if one == name), default=-1)
