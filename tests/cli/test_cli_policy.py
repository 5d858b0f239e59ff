"""The customer's policy from the command line: shown in sentences, edited whole or in part, never half saved."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from remediator.cli.exits import Exit
from remediator.cli.policy_view import sentences_of
from remediator.operator.aws.policy import PolicyItem
from remediator.service.policy_document import MEMBERS, blank
from remediator.service.policy_edits import Editor
from tests.cli.conftest import Deployed, document

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    Run = Callable[..., Result]


def stored(deployed: Deployed) -> Any:
    met = PolicyItem(deployed.client("dynamodb"), "remediator-state").read()
    return met and json.loads(met.text)


def editor(folder: Path, script: str) -> str:
    """Return an editor that runs a script of Python on the file's text, which it finds as `text`."""
    path = folder / "editor"
    path.write_text(
        "#!/usr/bin/env python3\nimport sys, pathlib\nfile = pathlib.Path(sys.argv[1])\ntext = file.read_text()\n"
        f"{script}\nfile.write_text(text)\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def kept_text(result: Result) -> str:
    """Return what was kept of what a person wrote."""
    (path,) = re.findall(r"\S+policy-\S+\.json", result.stderr)
    text = Path(path).read_text()
    Path(path).unlink()
    return text


def test_where_nobody_edited_it_nothing_is_forbidden(run: Run, deployed: Deployed) -> None:
    shown = run("policy", "show")
    assert shown.exit_code == Exit.OK
    assert "The vendor may plan and apply." in shown.stdout
    assert "Nobody has edited it yet." in shown.stdout
    assert document(run("policy", "show", "--json")) == {"policy": blank("aws"), "revision": 0, "edits": []}
    assert stored(deployed) is None


def test_members_are_set_one_by_one_and_the_change_is_shown(run: Run, deployed: Deployed) -> None:
    told = run("policy", "edit", "--set", "plan_only=true", "--set", 'exclude=["arn:aws:s3:::payroll-*"]')
    assert told.exit_code == Exit.OK, told.output
    assert "plan_only" in told.stdout
    assert "revision 1" in told.stdout
    again = document(run("policy", "edit", "--set", "note=for the audit", "--json"))
    assert again["changes"] == [{"kind": "changed", "path": "note", "before": "", "after": "for the audit"}]
    assert (again["saved"], again["revision"]) == (True, 2)
    assert stored(deployed) == blank("aws") | {
        "plan_only": True, "exclude": ["arn:aws:s3:::payroll-*"], "note": "for the audit",
    }  # fmt: skip
    shown = document(run("policy", "show", "--json"))
    assert [one["revision"] for one in shown["edits"]] == [2, 1]
    assert all(":assumed-role/remediator-operator/" in one["by"] for one in shown["edits"])


def test_what_changes_nothing_isn_t_saved(run: Run, deployed: Deployed) -> None:
    run("policy", "edit", "--set", "plan_only=true")
    same = document(run("policy", "edit", "--set", "plan_only=true", "--json"))
    assert same == {"saved": False, "changes": []}
    assert document(run("policy", "show", "--json"))["revision"] == 1
    assert stored(deployed)["plan_only"] is True


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ("plan_only=yes", "plan_only"),
        ("findings_per_day=many", "findings_per_day"),
        ('regions=["Ireland"]', "regions"),
        ('fixes=["aws.s3.no-such-fix"]', "fixes[0]"),
        ("surprise=1", "surprise"),
        ("version=2", "version"),
        ("plan_only", "plan_only"),
    ],
)
def test_what_is_unfit_is_named_and_nothing_is_saved(run: Run, deployed: Deployed, change: str, member: str) -> None:
    told = run("policy", "edit", "--set", change)
    assert told.exit_code == Exit.USAGE
    assert member in told.stderr
    assert stored(deployed) is None
    if "=" in change:
        assert json.loads(kept_text(told))


def test_a_whole_policy_comes_from_a_file_or_standard_input(run: Run, deployed: Deployed, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text('# for the audit\n{"version": 1, "findings_per_day": 7}\n')
    assert run("policy", "edit", "--file", str(file)).exit_code == Exit.OK
    assert stored(deployed) == blank("aws") | {"findings_per_day": 7}
    assert run("policy", "edit", "--file", "-", stdin='{"version": 1, "plan_only": true}').exit_code == Exit.OK
    assert stored(deployed) == blank("aws") | {"plan_only": True}
    for words in (("--file", str(tmp_path / "none.json")), ("--file", str(file), "--set", "plan_only=true")):
        assert run("policy", "edit", *words).exit_code == Exit.USAGE
    doubled = run("policy", "edit", "--file", "-", stdin='{"version": 1, "plan_only": true, "plan_only": false}')
    assert (doubled.exit_code, stored(deployed)["plan_only"]) == (Exit.USAGE, True)
    kept_text(doubled)


def test_an_editor_shows_every_member_s_meaning_and_its_text_is_saved(
    run: Run, deployed: Deployed, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    change = """text = text.replace('"plan_only": false', '"plan_only": true')"""
    script = f"pathlib.Path({str(seen)!r}).write_text(text)\n{change}"
    told = run("policy", "edit", env={"EDITOR": editor(tmp_path, script), "VISUAL": ""})
    assert told.exit_code == Exit.OK, told.output
    assert stored(deployed) == blank("aws") | {"plan_only": True}
    text = seen.read_text()
    assert all(f"# {name} " in text for name in MEMBERS if name != "resource_groups")
    assert MEMBERS["exclude_tags"] in text
    untouched = document(run("policy", "edit", "--json", env={"EDITOR": editor(tmp_path, "pass"), "VISUAL": ""}))
    assert untouched["saved"] is False


@pytest.mark.parametrize("broken", ["sys.exit(3)", None])
def test_an_editor_that_fails_or_isn_t_there_saves_nothing(
    run: Run, deployed: Deployed, tmp_path: Path, broken: str | None
) -> None:
    command = editor(tmp_path, broken) if broken else str(tmp_path / "none")
    assert run("policy", "edit", env={"EDITOR": command, "VISUAL": ""}).exit_code == Exit.USAGE
    assert stored(deployed) is None


def test_who_saved_meanwhile_wins_and_what_was_written_is_kept(
    run: Run, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("policy", "edit", "--set", "note=first")
    save = Editor.save

    def raced(self: Editor, text: str, met: Any, *, now: float) -> Any:
        save(self, '{"version": 1, "note": "theirs"}', met, now=now)
        return save(self, text, met, now=now)

    monkeypatch.setattr(Editor, "save", raced)
    told = run("policy", "edit", "--set", "note=ours")
    assert told.exit_code == Exit.NOT_NOW
    assert stored(deployed)["note"] == "theirs"
    assert json.loads(kept_text(told))["note"] == "ours"


def test_a_broken_policy_is_shown_as_such_and_replaced_whole(run: Run, deployed: Deployed, tmp_path: Path) -> None:
    deployed.put("remediator-state", pk="policy", document='{"version": 9}', revision=4, edits="[]")
    shown = run("policy", "show", "--json")
    assert (shown.exit_code, document(shown)["stored"]) == (Exit.NOT_FIXED, '{"version": 9}')
    assert run("policy", "edit", "--set", "plan_only=true").exit_code == Exit.USAGE
    script = "assert '{\"version\": 9}' in text\ntext = '{\"version\": 1}'"
    told = run("policy", "edit", env={"EDITOR": editor(tmp_path, script), "VISUAL": ""})
    assert told.exit_code == Exit.OK, told.output
    assert stored(deployed) == blank("aws")
    assert document(run("policy", "show", "--json"))["revision"] == 5


def test_every_rule_is_a_sentence() -> None:
    document = blank("azure") | {
        "plan_only": True, "fixes": [], "resource_groups": ["shop", "web"], "exclude": ["*/prod-*"],
        "exclude_tags": ["keep"], "findings_per_day": 5, "note": "until Monday",
    }  # fmt: skip
    assert list(sentences_of(document)) == [
        "The vendor may plan, and nothing is applied.",
        "No fix may run.",
        "No resource group is allowed but shop, web.",
        "Never touched: */prod-*.",
        "Never touched if tagged: keep.",
        "At most 5 findings may be applied in a day (UTC), all callers together.",
        "The operator's rollback is never stopped by it.",
        "Note: until Monday",
    ]
