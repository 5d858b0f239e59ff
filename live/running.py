"""Run the probes one after the other; whatever happens, nothing stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from live.verdicts import Outcome, Probe, Shop, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from live.workshop import Workshop


class Unclean(Exception):  # noqa: N818 - errors are named for what is the case
    """Say what an earlier run left."""


class Unknown(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that there is no probe of this name."""


def chosen(known: Sequence[Probe[Any]], names: Sequence[str], *, by_request: bool) -> list[Probe[Any]]:
    """Return the probes of these names; without any, all but those that take hours, unless those are asked for."""
    strange = set(names) - {probe.name for probe in known}
    if strange:
        raise Unknown(f"there is no probe {min(strange)}; there are {', '.join(one.name for one in known)}")
    if names:
        return [probe for probe in known if probe.name in names]
    return [probe for probe in known if by_request or not probe.by_request]


def demand_clean(shop: Workshop) -> None:
    """Refuse to begin among what an earlier run left."""
    found = [str(one) for one in shop.leftovers()]
    if found:
        raise Unclean(f"an earlier run left {', '.join(found)}: run with --cleanup")


def run(shop: Shop, probes: Iterable[Probe[Shop]]) -> Iterator[tuple[Probe[Shop], Verdict]]:
    """Run the probes, removing after each what it made, also if it failed; refuse to begin among leftovers."""
    demand_clean(shop)
    for probe in probes:
        shop.say(f"{probe.name}: {probe.relies}; about {probe.makes.minutes:g} minutes")
        try:
            yield probe, _tried(shop, probe)
        finally:
            shop.clean()


def _tried(shop: Shop, probe: Probe[Shop]) -> Verdict:
    """Let what the cloud refuses be a verdict, so that the other probes still run."""
    try:
        return probe.run(shop)
    except shop.refusals as error:
        return Verdict(Outcome.FAILS, f"the cloud refused: {error}")


def told(probe: Probe[Any], verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as a JSON object."""
    return {
        "probe": probe.name,
        "relies_on": probe.relies,
        "outcome": verdict.outcome.value,
        "seen": verdict.seen,
        "figures": dict(verdict.figures),
    }
