"""Let one call of a request go wrong, and require that the same request under the same key ends in one outcome."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from remediator.core.windows import PERIOD
from tests.faults.kinds import Kind
from tests.service.world import Crash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.faults.kinds import Fault
    from tests.faults.stage import Answer, Stage

APPLY = "/v1/remediations"
WAYS_ON = frozenset({"internal_error", "gate_unavailable", "in_progress"})
"""The problems that a fault of ours may show: each says that the same request goes on."""

SEVERAL = 1
"""The finding of `break_settings` that takes several calls to write."""

SETTLED: Mapping[str, frozenset[str]] = {
    "apply": frozenset({"fixed"}),
    "plan": frozenset({"planned"}),
    "roll back": frozenset({"rolled_back", "already_rolled_back"}),
    "refresh": frozenset({"fixed"}),
}


@dataclass
class Asked:
    """Hold a request, the findings that it is about, and the states that they are to be left in."""

    stage: Stage
    path: str
    body: dict[str, Any]
    findings: list[dict[str, Any]]
    ends: list[Any]
    who: str = "vendor"
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    effects: Counter[str] = field(default_factory=Counter)

    def send(self, fault: Fault | None = None) -> Answer | None:
        """Send it; return nothing if that killed the function."""
        with self.stage.wire.watching(fault):
            try:
                return self.stage.send(self.path, self.body, self.key, who=self.who)
            except Crash:
                self.stage.restart()
                return None
            finally:
                for sent in self.stage.wire.calls:
                    self.effects[sent.name] += sent.effects

    @property
    def settings(self) -> list[Any]:
        """Return the settings as an administrator reads them."""
        return [self.stage.setting(finding) for finding in self.findings]


def begin_plan(stage: Stage) -> Asked:
    """Plan two repairs."""
    findings = stage.break_settings()
    return Asked(stage, APPLY, _asking("plan", findings), findings, [stage.setting(one) for one in findings])


def begin_apply(stage: Stage) -> Asked:
    """Apply two repairs, of which one is several calls."""
    findings = stage.break_settings()
    return Asked(stage, APPLY, _asking("apply", findings), findings, [])


def begin_roll_back(stage: Stage) -> Asked:
    """Bring back what two repairs found."""
    findings = stage.break_settings()
    before = [stage.setting(one) for one in findings]
    return Asked(stage, f"{_applied(stage, findings)}/rollback", {}, findings, before, who="operator")


def begin_refresh(stage: Stage) -> Asked:
    """Look again at what could not be read back."""
    findings = stage.break_settings()
    path = _applied(stage, findings)
    stage.unsettle(path.rpartition("/")[2])
    return Asked(stage, f"{path}/refresh", {}, findings, [stage.setting(one) for one in findings])


SCENES: Mapping[str, Callable[[Stage], Asked]] = {
    "plan": begin_plan,
    "apply": begin_apply,
    "roll back": begin_roll_back,
    "refresh": begin_refresh,
}


def play(stage: Stage, scene: str, fault: Fault) -> str:
    """Play a scene with a fault, and return what came of the request, and by whom."""
    stage.settle()
    asked = SCENES[scene](stage)
    found = asked.settings
    stage.metrics()
    with receipts_first(asked, scene):
        first = asked.send(fault)
        assert stage.wire.struck, "the fault struck nothing, so nothing was tried"
        assert (first is None) is fault.kind.kills
        if first is not None:
            require_answer(stage, first, fault)
        answers = list(go_on(asked, first))
    ended = answers[-1]
    require_one_outcome(asked, scene, fault, ended, found)
    stage.require_silence()
    whose = "the same request" if ended is first else "the same request again"
    return whose if set(ended.outcomes) <= SETTLED[scene] else "a new request"


def calls(stage: Stage, scene: str) -> list[str]:
    """Return what a scene calls when nothing goes wrong."""
    stage.settle()
    asked = SCENES[scene](stage)
    answer = asked.send()
    assert answer is not None
    assert set(answer.outcomes) <= SETTLED[scene]
    return stage.wire.names


def go_on(asked: Asked, first: Answer | None) -> Iterator[Answer]:
    """Send the same request under the same key until it is answered, in a later window if need be."""
    if first is not None:
        yield first
    if first is None or not _is_done(first):
        at_once = asked.send()
        assert at_once is not None
        require_way_on(at_once)
        yield at_once
        if not _is_done(at_once):
            asked.stage.pass_time(PERIOD)
            asked.stage.rotate()
            later = asked.send()
            assert later is not None
            yield later


def require_answer(stage: Stage, answer: Answer, fault: Fault) -> None:
    """Require that an answer shows a way to go on, and that alarms ring for our faults alone."""
    require_way_on(answer)
    counted = stage.metrics()
    assert "WrongCode" not in counted
    assert ("GateUnavailable" in counted) or answer.problem != "gate_unavailable"
    assert ("Failed" in counted) or answer.problem != "internal_error"
    if fault.kind is Kind.THROTTLED_ONCE:
        assert not counted.keys() & {"GateUnavailable", "Failed"}
        assert _is_done(answer)


def require_way_on(answer: Answer) -> None:
    """Require an outcome, or a problem document that says when to come again."""
    if answer.status == 200:
        assert "not_started" not in answer.outcomes or answer.body["state"] == "partial"
        return
    assert answer.problem in WAYS_ON
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["content-type"] == "application/problem+json"
    assert int(headers["retry-after"]) > 0


def require_one_outcome(asked: Asked, scene: str, fault: Fault, ended: Answer, found: list[Any]) -> None:
    """Require that the outcome stands, agrees with receipts and settings, and was reached by writing once."""
    assert _is_done(ended)
    again = asked.send()
    assert again is not None
    assert (again.status, again.body) == (200, ended.body)
    record = asked.stage.record(asked.key)
    assert record is not None
    assert record["state"] == "done"
    require_receipts(asked, scene, fault, ended, found)
    for name, effects in asked.effects.items():
        if name in asked.stage.writes and not (name == fault.call and fault.kind.repeats):
            assert effects <= 1, f"{name} took effect {effects} times"
    if set(ended.outcomes) <= SETTLED[scene]:
        assert asked.settings == (asked.ends or [result["after"] for result in ended.body["results"]])
        return
    if scene == "roll back" and "drifted" in ended.outcomes:
        require_half_way(asked, ended)
        return
    assert fault.call in asked.stage.on_targets
    assert not fault.kind.kills
    assert fault.kind is not Kind.THROTTLED_ONCE
    asked.stage.pass_time(60)  # what the cloud accepted and the reply was lost of may still be under way
    for outcome, before, now in zip(ended.outcomes, found, asked.settings, strict=True):
        assert outcome != "failed" or now == before, "what was said to have failed came later"
    answer = replace(asked, key=uuid.uuid4().hex, effects=Counter()).send()
    assert answer is not None
    if scene == "roll back" and "drifted" in answer.outcomes:
        require_half_way(asked, answer)
        return
    assert set(answer.outcomes) <= SETTLED[scene] | {"already_compliant"}


def require_half_way(asked: Asked, answer: Answer) -> None:
    """Require that only a way back of several calls was left between its states: nothing tramples on that.

    Nobody can tell such a setting from one that somebody else changed; the operator's own commands end it.
    """
    for result, now in zip(answer.body["results"], asked.settings, strict=True):
        if result["outcome"] == "drifted":
            assert result["index"] == SEVERAL
            assert now not in (result["before"], result["after"])


def require_receipts(asked: Asked, scene: str, fault: Fault, ended: Answer, found: list[Any]) -> None:
    """Require that each receipt says what its setting was, and what it is."""
    receipts = asked.stage.receipts(asked.key)
    for result, before, now in zip(ended.body["results"], found, asked.settings, strict=True):
        receipt = receipts[result["index"]]
        assert receipt.outcome == result["outcome"]
        if result["outcome"] in ("fixed", "rolled_back") and scene != "refresh":
            assert (receipt.before, receipt.after) == (before, now)
        if scene == "refresh" and result["outcome"] == "fixed":
            noted = asked.stage.receipts(asked.path.split("/")[3])[result["index"]].outcome
            assert noted == "fixed", "a refresh found how a write ended, and didn't note it on the receipt"
        if result["outcome"] in ("failed", "planned"):
            assert now == before, f"{fault} left a setting changed and said that nothing was"


class receipts_first:  # noqa: N801 - reads as what it requires
    """Require, at each write on a target, that its receipt is stored and open."""

    def __init__(self, asked: Asked, scene: str) -> None:
        self._asked = asked
        self._writes = scene in ("apply", "roll back")
        self._missed: list[str] = []

    def __enter__(self) -> None:
        self._asked.stage.wire.before = self._look

    def __exit__(self, kind: object, *_: object) -> None:
        self._asked.stage.wire.before = lambda _: None
        assert kind or not self._missed, self._missed

    def _look(self, call: str) -> None:
        if call not in self._asked.stage.writes:
            return
        receipt = self._asked.stage.receipts(self._asked.key).get(self._asked.stage.writes[call])
        if not self._writes:
            self._missed.append(f"{call} was sent by a request that only looks")
        elif receipt is None or receipt.outcome is not None or receipt.before == receipt.after:
            self._missed.append(f"{call} was sent before its receipt was stored")


def _asking(mode: str, findings: list[dict[str, Any]]) -> dict[str, Any]:
    return {"mode": mode, "findings": findings}


def _applied(stage: Stage, findings: list[dict[str, Any]]) -> str:
    """Apply repairs, and return the remediation's path."""
    key = uuid.uuid4().hex
    answer = stage.send(APPLY, _asking("apply", findings), key)
    assert answer.outcomes == ["fixed"] * len(findings)
    return f"{APPLY}/{key}"


def _is_done(answer: Answer) -> bool:
    return answer.status == 200 and answer.body["state"] == "done"
