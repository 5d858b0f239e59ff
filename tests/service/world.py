"""A world in memory: every port of the use cases, kept honest by the same rules as the real stores."""

from __future__ import annotations

import copy
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from remediator.catalogue.errors import BadTarget, NotApplicable, Underway
from remediator.catalogue.spec import Example, Fix, Home, OneWay, Severity, Tags, Target, allow, ids, parameter
from remediator.core.gate import gate_value
from remediator.core.seeds import slot_of
from remediator.service.errors import ClaimLost, Frozen, GateShut, LeaseTaken, SessionTooLarge
from remediator.service.records import MAX_FINDINGS, MAX_REQUESTS, Claimed, Refusal, State, decide
from remediator.service.staging import Staging
from remediator.service.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from remediator.core.gate import Opening, Verifier
    from remediator.core.seeds import Seed, SeedRecord
    from remediator.core.windows import Window
    from remediator.service.passage import Passage
    from remediator.service.records import Claim, Finding, Record

DEPLOYMENT = "3f0c9a52-7a52-4f0e-9d4f-0d3a4d6e8b11"
HOME = Home("aws", "111122223333")
START = 1_800_000_000 // 300 * 300 + 120


class Crash(BaseException):
    """The process died here."""


@dataclass
class Clock:
    """Time that only tests move."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Steps:
    """Count calls of the world, and crash before or after the one that a test chose."""

    taken: list[str] = field(default_factory=list)
    crash_before: int | None = None
    crash_after: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        with self._lock:
            self.taken.append(name)
            number = len(self.taken)
        if number == self.crash_before:
            raise Crash(f"before {name}")
        yield
        if number == self.crash_after:
            raise Crash(f"after {name}")


@dataclass
class Ring:
    """A ring of six slots that keeps old versions and never overwrites one."""

    steps: Steps
    versions: dict[Window, Seed] = field(default_factory=dict)
    slots: dict[int, Window] = field(default_factory=dict)
    writes: Counter[int] = field(default_factory=Counter)
    stale: bool = False

    def held(self) -> Mapping[Window, Seed]:
        with self.steps.step("ring.held"):
            shown = {} if self.stale else self.slots
            return {window: self.versions[window] for window in shown.values()}

    def read(self, window: Window) -> Seed | None:
        with self.steps.step("ring.read"):
            return self.versions.get(window)

    def keep(self, record: SeedRecord) -> Seed:
        assert record.deployment == DEPLOYMENT
        with self.steps.step("ring.keep"):
            if record.window not in self.versions:
                self.versions[record.window] = record.seed
                self.slots[slot_of(record.window)] = record.window
                self.writes[slot_of(record.window)] += 1
            return self.versions[record.window]


@dataclass
class Table:
    """The state table: control item, lease, verifiers."""

    steps: Steps
    state_now: str | None = None
    policy: str | None = None
    verifiers: dict[Window, Verifier] = field(default_factory=dict)
    holder: str = ""
    until: float = 0
    gate: str = ""

    def look(self, windows: Sequence[Window]) -> Staging:
        with self.steps.step("table.look"):
            return Staging(self.state_now, frozenset(w for w in windows if w in self.verifiers), self.gate)

    def take_lease(self, holder: str, now: float) -> None:
        with self.steps.step("table.take_lease"):
            if self.until > now:
                raise LeaseTaken("taken")
            self.holder, self.until = holder, now + 120

    def give_lease_back(self, holder: str, gate: str) -> None:
        with self.steps.step("table.give_lease_back"):
            if self.holder != holder:
                raise LeaseTaken("lost")
            self.until, self.gate = 0, gate

    def open_first(self) -> None:
        with self.steps.step("table.open_first"):
            self.state_now = self.state_now or "open"

    def stage(self, verifiers: Sequence[Verifier], holder: str) -> None:
        with self.steps.step("table.stage"):
            if self.state_now != "open":
                raise Frozen("frozen")
            if self.holder != holder or any(one.window in self.verifiers for one in verifiers):
                raise LeaseTaken("lost")
            self.verifiers.update({one.window: one for one in verifiers})

    def standing(self, window: Window | None = None) -> Standing:
        with self.steps.step("table.standing"):
            return Standing(self.state_now, self.policy, self.verifiers.get(window) if window else None)


@dataclass
class Gate:
    """A gate that knows values and dates, as a trust policy does."""

    steps: Steps
    deployment: str = DEPLOYMENT
    values: dict[str, Window] = field(default_factory=dict)

    def stands(self, windows: Sequence[Window], fingerprint: str) -> bool:
        with self.steps.step("gate.stands"):
            return fingerprint == self._fingerprint() and set(self.values.values()) >= set(windows)

    def set(self, openings: Mapping[Window, Opening]) -> str:
        with self.steps.step("gate.set"):
            self.values = {gate_value(self.deployment, w, o).text(): w for w, o in openings.items()}
            return self._fingerprint()

    def close(self) -> str:
        with self.steps.step("gate.close"):
            self.values = {}
            return self._fingerprint()

    def opens(self, value: str, now: float) -> bool:
        return value in self.values and self.values[value].honoured_at(now)

    def _fingerprint(self) -> str:
        return repr(sorted(self.values))


@dataclass
class Ledger:
    """Execution records and receipts, written on the same conditions as the real table."""

    steps: Steps
    records: dict[str, Record] = field(default_factory=dict)
    stored: dict[str, dict[int, Finding]] = field(default_factory=dict)
    requests: Counter[tuple[str, Window]] = field(default_factory=Counter)
    asked: Counter[tuple[str, Window]] = field(default_factory=Counter)
    history: list[Finding] = field(default_factory=list)
    days: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(self, claim: Claim) -> Claimed | Refusal | Record:
        with self.steps.step("ledger.claim"), self._lock:
            record = claim.record
            if record.id in self.records:
                decided = decide(self.records[record.id], claim)
                if isinstance(decided, Claimed):
                    self.records[record.id] = decided.record
                return decided
            counter = record.caller, claim.window
            if self.requests[counter] >= MAX_REQUESTS or self.asked[counter] + record.findings > MAX_FINDINGS:
                return Refusal.OVER_LIMIT
            self.requests[counter] += 1
            self.asked[counter] += record.findings
            self.records[record.id] = record
            return Claimed(record, resumed=False)

    def record(self, remediation: str) -> Record | None:
        return self.records.get(remediation)

    def findings(self, remediation: str) -> Sequence[Finding]:
        stored = self.stored.get(remediation, {})
        return [stored[index] for index in sorted(stored)]

    def store(self, claimed: Claimed, findings: Sequence[Finding]) -> None:
        with self.steps.step("ledger.store"), self._lock:
            self._require(claimed)
            for finding in findings:
                self.stored.setdefault(finding.remediation, {})[finding.index] = finding
                self.history.append(finding)

    def finish(self, claimed: Claimed, *, partial: bool) -> None:
        with self.steps.step("ledger.finish"), self._lock:
            self._require(claimed)
            state = State.PARTIAL if partial else State.DONE
            self.records[claimed.record.id] = replace(claimed.record, state=state)

    def spend(self, day: str, *, wanted: int, most: int) -> int:
        with self.steps.step("ledger.spend"), self._lock:
            granted = max(0, min(wanted, most - self.days[day]))
            self.days[day] += granted
            return granted

    def settle(self, finding: Finding) -> None:
        with self.steps.step("ledger.settle"):
            self.stored[finding.remediation][finding.index] = finding

    def _require(self, claimed: Claimed) -> None:
        met = self.records[claimed.record.id]
        if (met.attempt, met.state) != (claimed.record.attempt, State.RUNNING):
            raise ClaimLost("taken over")


class CloudError(Exception):
    """What the cloud answers when it refuses."""


@dataclass
class Lamps:
    """A cloud of lamps: each is a setting, `{"on": bool, "colour": str}`."""

    steps: Steps
    lamps: dict[str, Any] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    allowed: threading.local = field(default_factory=threading.local)
    broken_lamps: dict[str, Exception] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    hidden_tags: dict[str, Exception] = field(default_factory=dict)
    lost_replies: set[str] = field(default_factory=set)
    stubborn: set[str] = field(default_factory=set)
    warming: set[str] = field(default_factory=set)

    def get_lamp(self, name: str) -> Any:
        with self.steps.step(f"lamp.get {name}"):
            if name in self.warming:
                raise Underway(name)
            if name in self.broken_lamps:
                raise self.broken_lamps[name]
            return copy.deepcopy(self.lamps[name])

    def put_lamp(self, name: str, lamp: Any) -> None:
        with self.steps.step(f"lamp.put {name}"):
            self.writes.append(name)
            if name not in self.stubborn:
                self.lamps[name] = copy.deepcopy(lamp)
            if name in self.lost_replies:
                raise CloudError("Timeout")


@dataclass
class Session:
    client: Lamps
    shows_tags: bool = False
    tags_at_once: int = 2

    def tags(self, targets: Sequence[Target]) -> Mapping[str, Mapping[str, str]]:
        assert self.shows_tags, "the session wasn't opened for tags"
        assert len(targets) <= self.tags_at_once
        names = [target["lamp"] for target in targets]
        with self.client.steps.step(f"lamp.tags {' '.join(names)}"):
            for name in names:
                if name in self.client.hidden_tags:
                    raise self.client.hidden_tags[name]
            tags = self.client.tags
            return {target.id: tags[target["lamp"]] for target in targets if target["lamp"] in tags}

    @contextmanager
    def recording(self) -> Iterator[list[str]]:
        calls: list[str] = []
        before = len(self.client.steps.taken)
        yield calls
        calls += [name.split()[0] for name in self.client.steps.taken[before:] if name.startswith("lamp.")]


@dataclass
class Sessions:
    """A gate keeper that asks the gate, as STS does."""

    steps: Steps
    gate: Gate
    clock: Clock
    cloud: Lamps
    size: int = 3
    largest: int = 100
    opened: list[tuple[str, tuple[str, ...], bool]] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    sized: list[tuple[str, int, bool, bool]] = field(default_factory=list)
    says: str = "the cloud says so"
    refuse: bool = False
    failures: tuple[type[Exception], ...] = (CloudError,)

    def explain(self, error: Exception) -> tuple[str, str]:
        return str(error), self.says

    def may_be_accepted(self, error: Exception) -> bool:
        return str(error) == "Timeout"

    def chunks(
        self,
        fix: Any,
        targets: Sequence[Target],
        *,
        deadline: int,
        write: bool,
        tags: bool = False,
    ) -> list[int]:
        self.sized.append((fix.id, deadline, write, tags))
        whole, rest = divmod(len(targets), self.size)
        return [self.size] * whole + ([rest] if rest else [])

    def at(self, passage: Passage) -> Doorway:
        self.passages.append(passage)
        return Doorway(self, passage)

    @contextmanager
    def open(
        self, fix: Any, targets: Sequence[Target], *, passage: Passage, write: bool, tags: bool = False
    ) -> Iterator[Session]:
        with self.steps.step("sts.assume_role"):
            if len(targets) > self.largest:
                raise SessionTooLarge("too large")
            value = gate_value(DEPLOYMENT, passage.window, passage.opening).text()
            if self.refuse or not self.gate.opens(value, self.clock()):
                raise GateShut("AccessDenied")
            self.opened.append((fix.id, tuple(target.id for target in targets), write))
        yield Session(self.cloud, tags)


@dataclass
class Doorway:
    """The gate, as one request comes to it."""

    sessions: Sessions
    passage: Passage

    def open(
        self, fix: Any, targets: Sequence[Target], *, write: bool, tags: bool = False
    ) -> AbstractContextManager[Session]:
        return self.sessions.open(fix, targets, passage=self.passage, write=write, tags=tags)


@dataclass
class Notebook:
    """A monitor that remembers."""

    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    metrics: Counter[str] = field(default_factory=Counter)

    def note(self, message: str, **facts: str | float | None) -> None:
        self.notes.append((message, facts))

    def count(self, metric: str, value: float = 1) -> None:
        self.metrics[metric] += int(value)


class LampKind:
    """Names of lamps: `arn:aws:lamp:<region>:<account>:<name>`."""

    title = "lamp"
    example: Mapping[str, str] = MappingProxyType({"arn": "arn:aws:lamp:eu-west-1:111122223333:desk"})
    regional = True
    tags = Tags.SHOWN

    def names_account(self) -> bool:
        return True

    def patterns(self, home: Home) -> tuple[str, ...]:
        return (f"arn:{home.partition}:lamp:*:{home.account}:*",)

    def schema(self) -> dict[str, Any]:
        return {"type": "object"}

    def parse(self, raw: Mapping[str, str], home: Home) -> Target:  # noqa: ARG002
        parts = raw.get("arn", "").split(":")
        if len(parts) != 6:
            raise BadTarget("a lamp's ARN has six parts")
        return Target(raw["arn"], parts[1], parts[4], parts[3], {"lamp": parts[5]})


@dataclass(frozen=True, slots=True)
class Colour:
    colour: str = parameter("The colour of the light.", default="white", type="string", enum=["white", "red", "green"])


class SwitchOn(Fix[Lamps, Any, Colour]):
    """Switch a lamp on.

    It shines.
    """

    id = "aws.lamp.switch-on"
    target = LampKind()
    severity = Severity.LOW
    service = "lamp"
    reads = allow("lamp:Get")
    writes = allow("lamp:Put")
    answers: ClassVar[Mapping[str, Any]] = {"cloudsploit": ids("lampOff")}
    examples: ClassVar[Sequence[Example]] = [Example({"on": False}, {"on": True, "colour": "white"})]
    parameters = Colour

    def read(self, client: Lamps, target: Target) -> Any:
        return client.get_lamp(target["lamp"])

    def desired(self, current: Any, parameters: Colour) -> Any:
        if current.get("fixture") == "candle":
            raise NotApplicable("a candle has no switch")
        return current | {"on": True, "colour": parameters.colour}

    def write(self, client: Lamps, target: Target, before: Any, after: Any) -> None:  # noqa: ARG002
        client.put_lamp(target["lamp"], after)


class WarmUp(SwitchOn):
    """Switch on a lamp that takes its time.

    It shines later.
    """

    id = "aws.lamp.warm-up"
    asynchronous = True


class BurnOut(OneWay[Lamps, Any, Any]):
    """Burn a lamp out.

    It never shines again.
    """

    id = "aws.lamp.burn-out"
    target = LampKind()
    severity = Severity.LOW
    service = "lamp"
    reads = allow("lamp:Get")
    writes = allow("lamp:Put")
    answers: ClassVar[Mapping[str, Any]] = {}
    examples: ClassVar[Sequence[Example]] = [Example({"on": True}, {"burnt": True})]
    why = "The filament is gone."

    def goes_back(self, before: Any) -> bool:
        return bool(before.get("burnt"))

    def read(self, client: Lamps, target: Target) -> Any:
        return client.get_lamp(target["lamp"])

    def desired(self, current: Any, parameters: Any) -> Any:  # noqa: ARG002
        return {"burnt": True, "name": current.get("name")}

    def write(self, client: Lamps, target: Target, before: Any, after: Any) -> None:  # noqa: ARG002
        client.put_lamp(target["lamp"], after)
