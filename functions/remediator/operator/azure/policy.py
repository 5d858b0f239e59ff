"""Keep the customer's policy beside the control item: read by the remediator, written by the operator alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode

from remediator.azure.verifiers import policy_of
from remediator.azure.windows_table import CONTROL, POLICY
from remediator.service.policy_edits import Edit, EditedMeanwhile, Stored, edits_of, edits_text

if TYPE_CHECKING:
    from azure.data.tables import TableClient


class PolicyEntity:
    """Read and write the policy, for the operator."""

    def __init__(self, control: TableClient) -> None:
        self._control = control

    def read(self) -> Stored | None:
        """Return the policy with its history; None if there never was one."""
        met = self._entity()
        if met is None:
            return None
        return Stored(policy_of(met) or "", int(met["revision"]), edits_of(met["edits"]))

    def write(self, text: str, edits: tuple[Edit, ...], *, revision: int) -> None:
        """Write the policy as the next revision after `revision`, 0 if there was none; else `EditedMeanwhile`."""
        entity = {
            "PartitionKey": CONTROL,
            "RowKey": POLICY,
            "document": text,
            "revision": revision + 1,
            "edits": edits_text(edits),
        }
        try:
            self._put(entity, revision)
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            raise EditedMeanwhile("somebody else saved the policy meanwhile") from None

    def _put(self, entity: dict[str, Any], revision: int) -> None:
        if revision == 0:
            self._control.create_entity(entity)
            return
        met = self._entity()
        if met is None or met["revision"] != revision:
            raise EditedMeanwhile("somebody else saved the policy meanwhile")
        self._control.update_entity(
            entity,
            mode=UpdateMode.REPLACE,
            etag=met.metadata["etag"],
            match_condition=MatchConditions.IfNotModified,
        )

    def _entity(self) -> Any:  # noqa: ANN401 - the SDK's entity
        try:
            return self._control.get_entity(CONTROL, POLICY)
        except ResourceNotFoundError:
            return None
