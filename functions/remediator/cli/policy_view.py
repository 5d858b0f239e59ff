"""Say in sentences what a policy allows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rich.text import Text

from remediator.cli.views import moment
from remediator.service.policy_document import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

    from remediator.catalogue.spec import JSON
    from remediator.service.policy_edits import Stored

_LISTS: Final = {
    "fixes": ("All fixes that the deployment enables may run.", "No fix may run.", "No fix may run but"),
    "regions": ("All regions of the deployment are allowed.", "No region is allowed.", "No region is allowed but"),
    "resource_groups": (
        "All resource groups in the deployment's scopes are allowed.",
        "No resource group is allowed.",
        "No resource group is allowed but",
    ),
}
"""What it means if a list is null, if it is empty, and what stands before its members."""


def policy_view(document: Mapping[str, JSON], met: Stored | None) -> list[RenderableType]:
    """Return what a person sees: what holds, then the policy as it is stored, then who made it so."""
    sentences = [Text(f"• {one}") for one in sentences_of(document)]
    return [*sentences, Text(json.dumps(document, indent=2, ensure_ascii=False), style="dim"), Text(_edited(met))]


def sentences_of(document: Mapping[str, JSON]) -> Iterator[str]:
    """Yield what a policy allows and forbids."""
    yield "The vendor may plan, and nothing is applied." if document["plan_only"] else "The vendor may plan and apply."
    for name, (everything, nothing, some) in _LISTS.items():
        if name in document:
            listed = document[name]
            yield everything if listed is None else f"{some} {', '.join(listed)}." if listed else nothing
    if document["exclude"]:
        yield f"Never touched: {', '.join(document['exclude'])}."
    if document["exclude_tags"]:
        yield f"Never touched if tagged: {', '.join(document['exclude_tags'])}."
    most = document["findings_per_day"]
    yield "Any number of findings may be applied in a day." if most is None else _daily(most)
    yield "The operator's rollback is never stopped by it."
    if document["note"]:
        yield f"Note: {document['note']}"


def explanation(cloud: str) -> str:
    """Return what stands above a policy in an editor."""
    members = schema(cloud)["properties"]
    width = max(map(len, members))
    lines = [f"# {name:<{width}}  {form['description']}" for name, form in members.items()]
    head = "# What the vendor may do here. Lines that begin with # are dropped; save and close to put the rest."
    return "\n".join([head, "#", *lines])


def _daily(most: int) -> str:
    return f"At most {most} findings may be applied in a day (UTC), all callers together."


def _edited(met: Stored | None) -> str:
    if met is None:
        return "Nobody has edited it yet."
    return "\n".join(f"Revision {one.revision}: {moment(one.at)} by {one.by}" for one in met.edits)
