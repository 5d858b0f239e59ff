"""Write what is derived from the fixes' cards: `catalogue.json`, which is shipped, and the pages in `docs/fixes`.

Run `python -m remediator.catalogue.publish`, with `--check` to compare only: exit status 1 if a file is out of date.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.catalogue import policies, registry
from remediator.catalogue.pages import index_page, page
from remediator.catalogue.spec import OneWay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.catalogue.spec import JSON, Fix, Grant

    AnyFix = Fix[Any, Any, Any]


def card(fix: AnyFix) -> dict[str, JSON]:
    """Return all there is to know about a fix without its code, as JSON."""
    return {
        "title": fix.title(),
        "consequence": fix.consequence(),
        "severity": fix.severity.value,
        "service": fix.service,
        "target": {"title": fix.target.title, "example": dict(fix.target.example), "schema": fix.target.schema()},
        "parameters": fix.parameter_schema(),
        "irreversible": fix.why if isinstance(fix, OneWay) else None,
        "reads": [_grant(grant) for grant in fix.reads],
        "writes": [_grant(grant) for grant in fix.writes],
        "operations": sorted(policies.operations(fix)),
        "answers": {scanner: sorted(found) for scanner, found in sorted(fix.answers.items())},
    }


def catalogue(fixes: Sequence[AnyFix]) -> dict[str, JSON]:
    """Return the cards by id, and each cloud's findings; raise `ValueError` if two fixes of a cloud answer one."""
    findings: dict[str, dict[str, JSON]] = {}
    for fix in fixes:
        of_cloud = findings.setdefault(fix.id.partition(".")[0], {})
        for scanner, answered in fix.answers.items():
            for finding, parameters in answered.items():
                name = f"{scanner}:{finding}"
                if name in of_cloud:
                    raise ValueError(f"{of_cloud[name]['fix']} and {fix.id} both answer {name}")
                of_cloud[name] = {"fix": fix.id, "parameters": dict(parameters)}
    by_name = {cloud: dict(sorted(found.items())) for cloud, found in sorted(findings.items())}
    return {"fixes": {fix.id: card(fix) for fix in fixes}, "findings": by_name}


def published(fixes: Sequence[AnyFix], root: Path) -> dict[Path, str]:
    """Return every generated file below `root`, the repository's top, with what belongs in it."""
    docs = root / "docs" / "fixes"
    cards = root / "functions" / "remediator" / "catalogue" / "catalogue.json"
    pages = {docs / f"{fix.id}.md": page(fix) for fix in fixes}
    text = json.dumps(catalogue(fixes), indent=2, ensure_ascii=False) + "\n"
    return {cards: text, docs / "README.md": index_page(fixes), **pages}


def stale(files: Mapping[Path, str], root: Path) -> list[Path]:
    """Return the generated files that aren't as they should be, and those that nothing generates any more."""
    wrong = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    left = [path for path in (root / "docs" / "fixes").glob("*.md") if path not in files]
    return sorted((*wrong, *left))


def main(arguments: Sequence[str], root: Path) -> int:
    """Write, or with `--check` compare, the generated files; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m remediator.catalogue.publish", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args(arguments).check
    files = published(registry.all_fixes(), root)
    old = stale(files, root)
    for path in old:
        sys.stdout.write(f"{'out of date' if check else 'written'}: {path.relative_to(root)}\n")
    if check:
        return 1 if old else 0
    for path in old:
        _replace(path, files.get(path))
    return 0


def _replace(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _grant(grant: Grant) -> dict[str, JSON]:
    return {"actions": list(grant.actions), "on": "target" if grant.on_target else "all"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).parents[3]))
