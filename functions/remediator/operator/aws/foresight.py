"""Foresee what AWS would show once caught calls were made, for a fix that looks after each of its writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.catalogue.spec import JSON

FORESEEN: Final = "foreseen"
"""A revision that isn't there yet: a call on its condition is printed without that condition."""


def foresee(
    operation: str, seen: Mapping[str, Any], made: Sequence[tuple[str, Mapping[str, Any]]], wanted: JSON
) -> dict[str, Any] | None:
    """Return the answer to a read after `made`, or None where nobody here knows it.

    `seen` is what the read really showed last, `wanted` the state that the calls lead to.
    """
    if operation != "lambda:GetPolicy":
        return None
    known: dict[str, JSON] = {
        one["Sid"]: one for one in json.loads(seen.get("Policy", '{"Statement": []}'))["Statement"]
    }
    added = {one["Sid"]: one for one in wanted["statements"]}
    for call, given in made:
        name = given["StatementId"]
        if call == "lambda:AddPermission":
            known[name] = added[name]
        else:
            del known[name]
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": list(known.values())}
    return {"Policy": json.dumps(policy), "RevisionId": FORESEEN}
