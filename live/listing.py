"""Say what would be made, for how long and at what cost, without asking any cloud."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from live.workshop import PREFIX, TAGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from live.clouds import Cloud
    from live.verdicts import Making, Probe

PRICES: Final = Path(__file__).parents[1] / "benchmarks" / "prices.json"


def cost(makes: Making) -> float:
    """Return what something costs, in US dollars by the price table; what isn't in `calls` is free, or far below."""
    prices: Mapping[str, float] = _told()["usd"]
    return sum(prices[name] * amount for name, amount in makes.calls.items())


def listed(cloud: Cloud, probes: Sequence[Probe[Any]], *, demo: bool) -> list[dict[str, Any]]:
    """Return what would be made, as JSON has it."""
    found = [{"probe": one.name, "relies_on": one.relies, **_document(one.makes)} for one in probes]
    return [*found, {"demo": cloud.demo.tells, **_document(cloud.demo.makes)}] if demo else found


def shown(cloud: Cloud, probes: Sequence[Probe[Any]], *, demo: bool) -> str:
    """Return what would be made, as people read it."""
    lines = [f"Nothing is made without --yes-create. This would be, in {cloud.place}:", ""]
    lines += [_entry(one.name, one.makes, f"shows whether {one.relies}") for one in probes]
    makes = [one.makes for one in probes]
    if demo:
        lines.append(_entry("--demo", cloud.demo.makes, cloud.demo.tells))
        makes.append(cloud.demo.makes)
    total, minutes = sum(map(cost, makes)), sum(one.minutes for one in makes)
    lines += ["", f"Together about {minutes:g} minutes and {total:.4f} USD, by prices of {_told()['as_of']}."]
    tags = ", ".join(f"{key}={value}" for key, value in TAGS.items())
    lines += [f"Every name begins with {PREFIX}; {cloud.marks} {tags}."]
    lines += ["All of it is removed after each probe; what a crash leaves, by --cleanup."]
    return "\n".join(lines + ([cloud.demo.stays] if demo else []))


def _entry(name: str, makes: Making, tells: str) -> str:
    return f"  {name:<14} {', '.join(makes.creates)}; {makes.minutes:g} min; {cost(makes):.4f} USD\n  {'':<14} {tells}"


def _document(makes: Making) -> dict[str, Any]:
    return {"creates": list(makes.creates), "minutes": makes.minutes, "usd": round(cost(makes), 6)}


def _told() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(PRICES.read_bytes())
    return told
