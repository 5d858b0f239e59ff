"""Measure the Azure half in one run: what importing takes, and what is asked of Azure."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from benchmarks.azure_cold import measure
from benchmarks.azure_counting import count


def main() -> None:
    """Print each figure when it is there, or all of them as one JSON document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.azure", description=__doc__)
    parser.add_argument("--json", action="store_true", help="Print one JSON document and nothing else.")
    asked = parser.parse_args()
    found: dict[str, object] = {}
    for pair in measure():
        found[f"importing {pair.app}"] = pair.document()
        if not asked.json:
            _show(f"importing {pair.app}", pair.document())
    counted = asdict(count())
    found["requests"] = counted
    if not asked.json:
        for name, figures in counted.items():
            _show(f"requests: {name}", {**figures, "in all": sum(figures.values())})
        return
    print(json.dumps(found, indent=2))


def _show(name: str, figures: dict[str, float]) -> None:
    print(name)
    for key, value in figures.items():
        print(f"  {key:<45} {value:>8}")


if __name__ == "__main__":
    main()
