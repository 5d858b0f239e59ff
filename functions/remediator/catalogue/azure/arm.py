"""Say what a fix may ask of Azure Resource Manager (ARM), and how ARM calls what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from remediator.catalogue.errors import Overtaken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON

VERBS: Final[Mapping[str, str]] = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


class ArmError(Exception):
    """Carry what ARM answered instead of doing as asked: its code, its message, and the HTTP status.

    `status` is 0 where the failure of a long-running operation was reported later. `unsure` tells that ARM may have
    accepted what was asked all the same: an earlier try's answer was lost, or the operation was lost sight of.
    """

    def __init__(self, code: str, message: str, status: int, *, unsure: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.unsure = unsure


class Missing(ArmError):  # noqa: N818 - named for what is the case
    """Say that there is no such resource."""


class Changed(ArmError, Overtaken):  # noqa: N818 - named for what is the case
    """Say that the resource isn't the one that was read: somebody else wrote it since."""


class Arm(Protocol):
    """Speak to ARM about the resource at a path, such as `/subscriptions/…/storageAccounts/name`.

    What was last read of a path is remembered where its provider tags it with an ETag, and a write of that path is on
    the condition that it is still so: else it raises `Changed`. A long-running operation is waited for, within bounds.
    Other refusals raise `ArmError`, for what isn't there `Missing`. Every method returns the answer's body; it is empty
    where the answer has none.
    """

    def get(self, path: str, *, api: str) -> Mapping[str, JSON]:
        """Read a resource, in a version of its provider's API."""

    def patch(self, path: str, body: Mapping[str, JSON], *, api: str) -> Mapping[str, JSON]:
        """Change what `body` says of a resource, and nothing else."""

    def put(self, path: str, body: Mapping[str, JSON], *, api: str) -> Mapping[str, JSON]:
        """Write a resource whole: only what was read before, with what is to change changed."""

    def delete(self, path: str, *, api: str) -> Mapping[str, JSON]:
        """Delete a resource."""

    def post(self, path: str, body: Mapping[str, JSON], *, api: str) -> Mapping[str, JSON]:
        """Do what the last part of the path says, with a resource."""


def operation(method: str, path: str) -> str:
    """Return the operation that ARM's access control knows a request as: `Microsoft.Sql/servers/databases/read`.

    A path names types and names in turn behind its provider; an action's name is the last part of what is posted to.
    Source: Azure role-based access control, "Azure resource provider operations".
    """
    provider, *parts = path.rpartition("/providers/")[2].strip("/").split("/")
    if method == "POST":
        *parts, action = parts
        return "/".join((provider, *parts[::2], action, "action"))
    return "/".join((provider, *parts[::2], VERBS[method]))
