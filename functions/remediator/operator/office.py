"""Say what the operator's commands need of a deployment, whatever cloud it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from remediator.catalogue.spec import Home
    from remediator.operator.archive import Archive
    from remediator.operator.codes import Desk
    from remediator.operator.condition import Condition
    from remediator.operator.doctor import Check
    from remediator.service.freeze import Freezer, Step
    from remediator.service.policy_edits import PolicyStore
    from remediator.vendor import Client, Finding
    from remediator.vendor.keyring import Access

CloudName: TypeAlias = Literal["aws", "azure"]


class Office(Protocol):
    """Reach one deployment with the operator's own rights; who is given one never asks which cloud it is on."""

    @property
    def cloud(self) -> CloudName:
        """Return the deployment's cloud, for people to read and for what the catalogue sorts by it."""

    @property
    def home(self) -> Home:
        """Return where the deployment lives."""

    @property
    def operator(self) -> str:
        """Return the unique id by which the remediator, and every record, knows the operator."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """Return what the deployment says of itself; raise `NoDeployment` if there is none."""

    @property
    def wanted_outputs(self) -> frozenset[str]:
        """Return the names of those outputs that some command takes."""

    def who(self) -> str:
        """Return who signed in, as the cloud calls them: for people to read, nothing is decided by it."""

    def client(self) -> Client:
        """Return a client of the protocol: the operator signs like any caller."""

    def access(self) -> Access:
        """Return the way to the endpoint and to the seeds."""

    def archive(self, former: str | None = None) -> Archive:
        """Return the deployment's archive, or that of a former one by its table's name; raise `NoFormer` on Azure."""

    def desk(self, clock: Callable[[], float]) -> Desk:
        """Return where openings are left with the remediator."""

    def freezer(self, tell: Callable[[Step], None]) -> Freezer:
        """Return what freezes and unfreezes the deployment; `tell` is given each step as it ends."""

    def policy_store(self) -> PolicyStore:
        """Return where the customer's policy is kept."""

    def examine(self, now: float) -> Condition:
        """Look at everything that tells how the deployment is; reads only."""

    def checks(self, condition: Condition) -> Iterator[Check]:
        """Yield the checks that only this cloud has; reads only."""

    def everybodys(self) -> Finding | None:
        """Return what can be planned in every account, a setting that each has, or None where nobody knows one."""
