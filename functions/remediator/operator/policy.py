"""Edit the customer's policy in the name of who signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.service.policy_edits import Editor

if TYPE_CHECKING:
    from remediator.operator.office import Office


def editor_of(office: Office) -> Editor:
    """Return what reads and saves a deployment's policy."""
    return Editor(office.policy_store(), office.cloud, office.who())
