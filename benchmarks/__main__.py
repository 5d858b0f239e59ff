"""Measure the AWS half in one run: cold starts, warm requests, a thousand findings."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.cold import MINOR, measure
from benchmarks.counting import count
from benchmarks.deployment import delaying
from infra.assets.bytecode import find_compiler

if TYPE_CHECKING:
    from collections.abc import Iterator

DELAY: int = 50
"""Milliseconds that every call takes when a thousand findings are timed."""


def figures() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a name and its figures, one after the other as they are measured."""
    compiler = find_compiler(MINOR)
    if compiler is None:
        print(f"no Python {MINOR} here: cold starts aren't measured", file=sys.stderr)
    else:
        for pair in measure(compiler):
            shown = {"ours_ms": round(pair.ours, 1), "boto3_ms": round(pair.bare, 1), "calls": pair.calls}
            yield pair.what, {**shown, "ratio": round(pair.ratio, 2)}
    yield "1,000 findings", _thousand()
    counted = count()
    yield "calls of a rotation that stages one window", dict(counted.rotation.calls)
    yield f"calls of an apply of {counted.findings} findings", dict(counted.request.calls)


def _thousand() -> dict[str, Any]:
    ours, ours_calls = _side("ours")
    bare, bare_calls = _side("one_by_one")
    return {
        "fixed": ours["fixed"],
        "wall_s": round(ours["wall"], 2),
        "boto3_one_by_one_wall_s": round(bare["wall"], 1),
        "times_faster": round(bare["wall"] / ours["wall"], 1),
        "cpu_s": round(ours["cpu"], 2),
        "boto3_cpu_s": round(bare["cpu"], 2),
        "memory_mb": round(ours["memory"]),
        "boto3_memory_mb": round(bare["memory"]),
        "calls": sum(ours_calls.values()),
        "boto3_calls_of_the_sample": sum(bare_calls.values()),
    }


def _side(side: str) -> tuple[dict[str, Any], dict[str, int]]:
    with delaying(DELAY) as cloud:
        command = [sys.executable, "-m", "benchmarks.many", side, cloud.endpoint]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
        if done.returncode:
            raise SystemExit(f"a measured process failed:\n{done.stderr[-2_000:]}")
        return json.loads(done.stdout), cloud.counts()["calls"]


def main() -> None:
    """Print each figure when it is there, or all of them as one JSON document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="Print one JSON document and nothing else.")
    asked = parser.parse_args()
    found = {}
    for name, figure in figures():
        found[name] = figure
        if not asked.json:
            print(f"{name}\n  " + "  ".join(f"{key} {value}" for key, value in figure.items()), flush=True)
    if asked.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
