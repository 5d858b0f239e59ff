"""Rotate: make seeds, publish what is derived from them, move the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.core.gate import opening, verifier_of
from remediator.core.seeds import SeedRecord, new_seed
from remediator.core.windows import open_at, staged_at, window_at
from remediator.service.errors import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remediator.core.gate import Opening
    from remediator.core.seeds import Seed
    from remediator.core.windows import Window
    from remediator.service.ports import Deposits, Gate, SeedRing, Staged
    from remediator.service.staging import Staging


@dataclass(frozen=True, slots=True)
class Rotated:
    """Report a run: how many of the windows that must stand do, whether the gate is open, and what was written."""

    staged: int
    frozen: bool
    wrote: bool


@dataclass(frozen=True, slots=True)
class Rotator:
    """Make sure that the current window and those ahead stand.

    Every step is idempotent and keyed by the window, so the next run repairs whatever this one doesn't reach. The order
    is seed, verifier, gate: the gate never opens for a window whose requests couldn't be verified.
    """

    deployment: str
    seeds: SeedRing
    staged: Staged
    gate: Gate
    clock: Callable[[], float]
    entropy: Callable[[int], bytes]
    deposits: Deposits | None = None
    """Given where codes are passed on by hand: what is left for a window goes when the window is over."""

    def run(self, holder: str) -> Rotated:
        """Look without the lease; write under it. `holder` names this run alone.

        Raises `LeaseTaken` where another run is at work.
        """
        try:
            return self._run(holder)
        finally:
            if self.deposits is not None:
                self.deposits.clear(self.clock())

    def _run(self, holder: str) -> Rotated:
        now = self.clock()
        staging = self.staged.look(open_at(now))
        if self._in_place(staging, now):
            return Rotated(len(staged_at(now)), frozen=False, wrote=False)
        self.staged.take_lease(holder, now)
        fingerprint = staging.gate
        try:
            rotated, fingerprint = self._write(holder)
        finally:
            self.staged.give_lease_back(holder, fingerprint)
        return rotated

    def _in_place(self, staging: Staging, now: float) -> bool:
        wanted = staged_at(now)
        if staging.state != "open" or not staging.windows.issuperset(wanted):
            return False
        return self.gate.stands(wanted, staging.gate)

    def _write(self, holder: str) -> tuple[Rotated, str]:
        staging = self.staged.look(open_at(self.clock()))
        if staging.state is None:
            self.staged.open_first()
        elif staging.state != "open":
            return self._stay_closed()
        try:
            openings = self._stage(holder, staging)
        except Frozen:
            return self._stay_closed()
        fingerprint = self.gate.set(openings)
        standing = sum(window in openings for window in staged_at(self.clock()))
        return Rotated(standing, frozen=False, wrote=True), fingerprint

    def _stay_closed(self) -> tuple[Rotated, str]:
        return Rotated(0, frozen=True, wrote=True), self.gate.close()

    def _stage(self, holder: str, staging: Staging) -> dict[Window, Opening]:
        now = self.clock()
        windows = [window for window in open_at(now) if window in staging.windows or window >= window_at(now)]
        seeds = self._seeds(windows, now)
        missing = [window for window in windows if window not in staging.windows]
        if missing:
            self.staged.stage([verifier_of(self.deployment, window, seeds[window]) for window in missing], holder)
        return {window: opening(self.deployment, window, seed) for window, seed in seeds.items()}

    def _seeds(self, windows: Sequence[Window], now: float) -> dict[Window, Seed]:
        held = self.seeds.held()
        seeds: dict[Window, Seed] = {}
        for window in windows:
            seed = held.get(window) or self._seed(window, now)
            if seed is not None:
                seeds[window] = seed
        return seeds

    def _seed(self, window: Window, now: float) -> Seed | None:
        if window < window_at(now):
            return self.seeds.read(window)
        return self.seeds.keep(SeedRecord(self.deployment, window, new_seed(self.entropy)))
