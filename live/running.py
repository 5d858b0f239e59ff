"""Run the probes one after the other; whatever happens, nothing stays behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from live import endpoint, gate, stores
from live.verdicts import Outcome, Probe, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from live.workshop import Workshop

PROBES: Final[Sequence[Probe]] = (*gate.PROBES, *endpoint.PROBES, *stores.PROBES)
PRICES: Final = Path(__file__).parents[1] / "benchmarks" / "prices.json"


class Unclean(Exception):  # noqa: N818 - errors are named for what is the case
    """Say what an earlier run left."""


class Unknown(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that there is no probe of this name."""


def chosen(names: Sequence[str], *, versions: bool) -> list[Probe]:
    """Return the probes of these names; without any, all but those that take hours, unless those are asked for."""
    strange = set(names) - {probe.name for probe in PROBES}
    if strange:
        raise Unknown(f"there is no probe {min(strange)}; there are {', '.join(one.name for one in PROBES)}")
    if names:
        return [probe for probe in PROBES if probe.name in names]
    return [probe for probe in PROBES if versions or not probe.by_request]


def cost(probe: Probe) -> float:
    """Return what a probe costs, in US dollars by the price table. Calls of IAM and STS are free."""
    prices: dict[str, float] = json.loads(PRICES.read_bytes())["usd"]
    return sum(prices[name] * amount for name, amount in probe.calls.items())


def run(shop: Workshop, probes: Iterable[Probe]) -> Iterator[tuple[Probe, Verdict]]:
    """Run the probes, removing after each what it made, also if it failed; refuse to begin among leftovers."""
    found = [f"{kind} {name}" for kind, name, _ in shop.leftovers()]
    if found:
        raise Unclean(f"an earlier run left {', '.join(found)}: run with --cleanup")
    for probe in probes:
        shop.say(f"{probe.name}: {probe.relies}; about {probe.minutes:g} minutes")
        try:
            yield probe, _tried(shop, probe)
        finally:
            shop.clean()


def _tried(shop: Workshop, probe: Probe) -> Verdict:
    """Let what the cloud refuses be a verdict, so that the other probes still run."""
    try:
        return probe.run(shop)
    except (ClientError, BotoCoreError) as error:
        return Verdict(Outcome.FAILS, f"the cloud refused: {error}")


def told(probe: Probe, verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as a JSON object."""
    return {
        "probe": probe.name,
        "relies_on": probe.relies,
        "outcome": verdict.outcome.value,
        "seen": verdict.seen,
        "figures": dict(verdict.figures),
    }
