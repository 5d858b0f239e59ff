"""Do everything that a deployment on Azure is for, act by act, and read who is allowed what."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from azure.identity import ClientSecretCredential

from remediator.azure.arm_client import ArmClient
from remediator.core.windows import PERIOD, window_at
from remediator.local.azure import places
from remediator.local.azure.mess import make_mess, paths
from remediator.operator.azure.office import AzureOffice
from remediator.operator.doctor import diagnose
from remediator.operator.evidence import read_evidence
from remediator.operator.history import Wanted, history
from remediator.operator.policy import editor_of
from remediator.service.control import Order
from remediator.vendor import Client
from remediator.vendor.azure_access import AzureAccess
from remediator.vendor.azure_deployment import AzureDeployment
from remediator.vendor.patience import Patience
from remediator.vendor.transport import HttpTransport
from tests.permissions.granted import Right

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.local.azure.calls import Call
    from remediator.local.azure.cloud import EmbeddedAzure
    from remediator.local.azure.identities import Identity
    from remediator.local.azure.rbac.roles import RoleAssignment
    from remediator.vendor import Finding

_DAY = 86_400


def credential(identity: Identity) -> ClientSecretCredential:
    return ClientSecretCredential(places.TENANT, identity.client_id, identity.secret)


def principals(azure: EmbeddedAzure) -> dict[str, str]:
    """Return the object ids of whoever holds a role in the deployment's name, and the names that the page has.

    The vendor is left out where it looks around: that role isn't the deployment's.
    """
    known = {azure.identities.vendor.object_id: "vendor", azure.identities.operator.object_id: "operator"}
    for one in azure.rbac.assignments():
        if one.principal not in known and one.principal != azure.identities.admin.object_id:
            principal = azure.directory.principal(one.principal)
            assert principal is not None
            known[one.principal] = principal.name
    return known


def azure_rights(azure: EmbeddedAzure, before: frozenset[str]) -> list[Right]:
    """Return every action of every role that the installation assigned: those in `before` were there without it."""
    names, suffix = principals(azure), _suffix(azure)
    return sorted(
        Right(names[one.principal], _told(one, suffix), action, (one.scope, f"{one.scope}/*"))
        for one in azure.rbac.assignments()
        if one.principal in names and one.name not in before
        for action in (*one.role.actions, *one.role.data_actions)
    )


def _suffix(azure: EmbeddedAzure) -> str:
    """Return what the installation's own names end with, all of it or its beginning."""
    [closer] = [role.name for role in azure.rbac.definitions() if role.name.startswith("remediator closer ")]
    return closer.rpartition(" ")[2]


def _told(one: RoleAssignment, suffix: str) -> str:
    """Return the role and the place, without what differs from installation to installation."""
    role, _, last = one.role.name.rpartition(" ")
    role = role if last == suffix or role.startswith("Remediator ") else one.role.name
    place = one.scope.rpartition("/")[2]
    ends = (suffix[:length] for length in range(len(suffix), 6, -1))
    ending = next((end for end in ends if place.endswith(end)), "")
    return f"{role}, {place.removesuffix(ending).rstrip('-')}"


class AzureRun:
    """Hold one deployment and what has been done with it so far."""

    def __init__(self, azure: EmbeddedAzure) -> None:
        self.azure = azure
        self.findings: list[Finding] = []
        self.applied = ""
        self._admin = ArmClient(credential(azure.identities.admin), deadline=time.time() + 7 * _DAY)
        for path in paths(azure.targets):
            azure.arm.add(path)

    def access(self, *, operator: bool) -> AzureAccess:
        identities = self.azure.identities
        whose = identities.operator if operator else identities.vendor
        return AzureAccess(AzureDeployment.from_outputs(self.azure.outputs), credential(whose))

    def client(self, *, operator: bool = False) -> Client:
        deployment = AzureDeployment.from_outputs(self.azure.outputs)
        transport = HttpTransport(str(self.azure.authority.file))
        patience = Patience(seconds=0, stalls=0)
        return Client(deployment, self.access(operator=operator), transport=transport, patience=patience)

    def office(self) -> AzureOffice:
        transport = HttpTransport(str(self.azure.authority.file))
        group = self.azure.describe()["resource_group"]
        return AzureOffice(credential(self.azure.identities.operator), places.SUBSCRIPTION, group, transport=transport)

    def break_again(self) -> None:
        self.findings = [offence.finding for offence in make_mess(self._admin, self.azure.targets).offences]

    def rotate_next(self) -> None:
        self.azure.clock.shift(PERIOD)
        self.azure.rotate()

    def fresh_window(self) -> None:
        """Be at the beginning of the next window, rotated."""
        now = time.time()
        self.azure.clock.shift(window_at(now).not_after + 5 - now)
        self.azure.rotate()

    def acts(self) -> Mapping[str, Callable[[], Any]]:
        """Return the acts by the words that the page uses, in order: each does its own, and must succeed."""
        return {
            "rotate": self.azure.rotate,
            "rotate, with a window to stage": self.rotate_next,
            "ask for health and fixes": self._look,
            **self._asking(),
            "roll back": self._roll_back,
            "status": self._status,
            "show the policy": self._show_policy,
            "show a receipt": lambda: read_evidence(self.office(), self.applied, 0),
            "history": self._history,
            "doctor": lambda: list(diagnose(self.office(), None, time.time())),
            **self._restricting(),
            "freeze": lambda: self._order("freeze"),
            "rotate, while frozen": self._rotate_frozen,
            "unfreeze": lambda: self._order("unfreeze"),
            "unfreeze, where nothing is frozen": lambda: self._order("unfreeze"),
            "rotate, a day later": self._rotate_later,
        }

    def _asking(self) -> Mapping[str, Callable[[], Any]]:
        """Return what the vendor does."""
        return {
            "plan": lambda: self._remediate("plan", {"planned"}),
            "apply every fix": self._apply,
            "get": self._get,
            "refresh": lambda: self.client().refresh(self.applied),
        }

    def _restricting(self) -> Mapping[str, Callable[[], Any]]:
        """Return what the customer's policy is for."""
        return {
            "edit the policy": lambda: self._edit('{"version": 1, "exclude_tags": ["untouchable"]}'),
            "apply under the policy": self._apply_tagged,
            "lift the policy": lambda: self._edit('{"version": 1}'),
        }

    def used(self) -> dict[str, tuple[Call, ...]]:
        """Do it all; return the calls that were allowed, act by act."""
        found = {}
        for name, act in self.acts().items():
            mark = self.azure.calls.mark()
            act()
            found[name] = tuple(call for call in self.azure.calls.since(mark) if call.allowed)
        return found

    def _look(self) -> None:
        for client in (self.client(), self.client(operator=True)):
            assert client.health().gate == "open"
            assert client.fixes()

    def _remediate(self, how: str, outcomes: set[str], *, kind: str = "") -> str:
        self.break_again()
        asked = [one for one in self.findings if kind in one.target["id"]]
        answer = getattr(self.client(), how)(asked)
        assert {result.outcome for result in answer.results} <= outcomes, [one.reason for one in answer.results]
        return str(answer.id)

    def _apply(self) -> None:
        """What was one way the first time is as it must be the second."""
        self.applied = self._remediate("apply", {"fixed", "pending", "already_compliant"})

    def _show_policy(self) -> None:
        editor_of(self.office()).store.read()

    def _get(self) -> None:
        assert self.client().get(self.applied).results

    def _apply_tagged(self) -> None:
        """Of each kind that the catalogue reads tags of, storage accounts stand for all: one action reads them."""
        self._remediate("apply", {"fixed", "already_compliant"}, kind="/Microsoft.Storage/")

    def _roll_back(self) -> None:
        answer = self.client(operator=True).roll_back(self.applied)
        assert "rolled_back" in {result.outcome for result in answer.results}

    def _status(self) -> None:
        assert self.office().examine(time.time()).answers == "open"

    def _history(self) -> None:
        office = self.office()
        assert history(office, office.archive(), Wanted(), lambda _: None)

    def _edit(self, text: str) -> None:
        editor = editor_of(self.office())
        editor.save(text, editor.store.read(), now=time.time())

    def _order(self, act: str) -> None:
        office = self.office()
        order = Order(uuid.uuid4().hex, office.who(), int(time.time()), "a drill")
        steps = getattr(office.freezer(lambda _: None), act)(order)
        assert all(step.done for step in steps), steps

    def _rotate_frozen(self) -> None:
        self.azure.clock.shift(PERIOD)
        self.azure.rotate()

    def _rotate_later(self) -> None:
        self.azure.clock.shift(_DAY)
        self.azure.rotate()


def first_azure_uses(
    rights: list[Right], used: Mapping[str, tuple[Call, ...]], names: Mapping[str, str]
) -> dict[Right, str]:
    """Return the act in which each right was used first."""
    found: dict[Right, str] = {}
    for act, calls in used.items():
        asked = {(names.get(call.principal), pair) for call in calls for pair in call.checked}
        for right in rights:
            if right not in found and any(who == right.role and right.covers(*pair) for who, pair in asked):
                found[right] = act
    return found
