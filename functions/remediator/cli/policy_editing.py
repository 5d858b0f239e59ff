"""Take a policy from an editor, a file or the command line, and save it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from remediator.cli.difference import differences
from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.policy_view import explanation, policy_view
from remediator.cli.views import change_lines
from remediator.operator.policy import editor_of
from remediator.service.policy_document import PolicyUnfit, blank, checked
from remediator.service.policy_edits import EditedMeanwhile, current

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.catalogue.spec import JSON
    from remediator.cli.speech import Speech
    from remediator.operator.office import Office
    from remediator.service.policy_edits import Editor, Stored


def shown(office: Office, speech: Speech) -> None:
    """Show the policy; end with 1 if it can't be read."""
    editor = editor_of(office)
    met = editor.store.read()
    try:
        document = current(met, editor.cloud)
    except PolicyUnfit as unfit:
        speech.answer({"broken": str(unfit), "stored": met and met.text}, f"The policy can't be read: {unfit}.")
        raise typer.Exit(Exit.NOT_FIXED) from None
    edits = [asdict(one) for one in met.edits] if met else []
    speech.answer(
        {"policy": document, "revision": met.revision if met else 0, "edits": edits}, *policy_view(document, met)
    )


def edited(office: Office, speech: Speech, *, file: Path | None, changes: Sequence[str]) -> None:
    """Save the policy that is given, and show what changed."""
    if file is not None and changes:
        raise Failed("--file is the whole policy, --set a part of one", exit=Exit.USAGE, next="Leave one of them out.")
    editor = editor_of(office)
    met = editor.store.read()
    text = _given(editor, met, file, changes)
    before = _readable(met.text if met else None, editor.cloud)
    if met is not None and before and before == _readable(text, editor.cloud):
        speech.answer({"saved": False, "changes": []}, "Nothing was changed.")
        return
    document = _saved(editor, text, met)
    lines = differences(before, document)
    revision = met.revision + 1 if met else 1
    speech.answer(
        {"saved": True, "revision": revision, "policy": document, "changes": [line.document() for line in lines]},
        *change_lines(before, document),
        f"Saved as revision {revision}; it counts for whatever wasn't begun.",
    )


def _given(editor: Editor, met: Stored | None, file: Path | None, changes: Sequence[str]) -> str:
    if file is not None:
        return _bare(sys.stdin.read() if str(file) == "-" else _read(file))
    if changes:
        return json.dumps(_changed(editor, met, changes))
    return _bare(_from_editor(editor, met))


def _saved(editor: Editor, text: str, met: Stored | None) -> dict[str, JSON]:
    try:
        return editor.save(text, met, now=time.time())
    except PolicyUnfit as unfit:
        raise Failed(
            f"Nothing was saved: {unfit}",
            exit=Exit.USAGE,
            next=f"Correct it; {_kept(text)} has what you wrote. `remediator policy show` has every member.",
        ) from None
    except EditedMeanwhile as meanwhile:
        raise Failed(
            f"Nothing was saved: {meanwhile}",
            exit=Exit.NOT_NOW,
            next=f"Edit it again; {_kept(text)} has what you wrote.",
        ) from None


def _changed(editor: Editor, met: Stored | None, changes: Sequence[str]) -> dict[str, JSON]:
    """Return the stored policy with single members changed: their values are JSON, or else text."""
    try:
        document = current(met, editor.cloud)
    except PolicyUnfit as unfit:
        raise Failed(
            f"the stored policy can't be read: {unfit}", exit=Exit.USAGE, next="Put a whole one with --file."
        ) from None
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign:
            raise Failed(f"--set {change} has no =", exit=Exit.USAGE, next="Write --set member=value.")
        try:
            document[name.strip()] = json.loads(value)
        except ValueError:
            document[name.strip()] = value
    return document


def _from_editor(editor: Editor, met: Stored | None) -> str:
    """Let a person write, with the meaning of every member above; a broken policy is shown as it is."""
    try:
        text = json.dumps(current(met, editor.cloud), indent=2, ensure_ascii=False)
    except PolicyUnfit:
        text = met.text if met else ""
    with tempfile.TemporaryDirectory(prefix="remediator-") as folder:
        path = Path(folder, "policy.json")
        path.write_text(f"{explanation(editor.cloud)}\n{text}\n", encoding="utf-8")
        command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        try:
            ended = subprocess.run([*shlex.split(command), str(path)], check=False).returncode  # noqa: S603 - the person's own editor
        except OSError as error:
            raise Failed(
                f"{command} can't be started: {error.strerror}", exit=Exit.USAGE, next="Set EDITOR, or use --file."
            ) from None
        if ended != 0:
            raise Failed("Nothing was saved: the editor failed.", exit=Exit.USAGE, next="Set EDITOR, or use --file.")
        return path.read_text(encoding="utf-8")


def _bare(text: str) -> str:
    """Return a text without the lines that explain it."""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def _readable(text: str | None, cloud: str) -> dict[str, JSON]:
    """Return a policy's document, with nothing in it if it can't be read."""
    try:
        return checked(text, cloud) if text is not None else blank(cloud)
    except PolicyUnfit:
        return {}


def _kept(text: str) -> Path:
    """Keep what a person wrote where it can be corrected."""
    with tempfile.NamedTemporaryFile("w", prefix="policy-", suffix=".json", delete=False, encoding="utf-8") as kept:
        kept.write(text)
    return Path(kept.name)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise Failed(f"{file} can't be read: {error.strerror}", exit=Exit.USAGE, next="Check the path.") from None
    except UnicodeDecodeError:
        raise Failed(f"{file} isn't text in UTF-8", exit=Exit.USAGE, next="Check that it is the right file.") from None
