"""Take any one action away from any custom role of the template, and its holder's work fails: none is for nothing.

Both functions run in this process, with their own identities and settings, so that the clock passes what they would
wait. Codes are passed on by hand: then there is every custom role. What the app registration holds, the laws ask for.
"""

from __future__ import annotations

import dataclasses
import time
import uuid
from contextlib import contextmanager
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import azure.functions as func
import pytest
from azure.core.exceptions import HttpResponseError

from remediator.azure import remediate_function
from remediator.azure.admissions import SECRET
from remediator.azure.rotate_function import RotationFailed
from remediator.azure.windows_table import CONTROL, CONTROL_TABLE, POLICY
from remediator.azure_install import certificates
from remediator.catalogue.azure.arm import ArmError
from remediator.core.windows import PERIOD, window_at
from remediator.local.azure import places
from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.deployment import Order
from remediator.operator.azure.office import AzureOffice
from remediator.operator.doctor import diagnose
from remediator.service.errors import NotDone
from remediator.vendor import Client
from remediator.vendor.azure_deployment import AzureDeployment
from remediator.vendor.errors import NotServed
from remediator.vendor.transport import Call, HttpTransport, Reply
from tests.azure.azure_house import House, first_label
from tests.end_to_end.world import IMPATIENT
from tests.faults.conftest import never_wait
from tests.permissions.azure_run import credential, principals
from tests.permissions.azure_variants import HTTPS, AzureByHand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.azure.rbac.roles import RoleAssignment

pytestmark = [pytest.mark.xdist_group("embedded azure"), pytest.mark.deep]

REFUSED = (AssertionError, ArmError, HttpResponseError, NotDone, NotServed, RotationFailed)
"""How a work says that it failed."""

PLANES = ("actions", "data_actions")
HOLDERS = {"remediator-rotate": 4, "remediator-remediate": 7, "operator": 11}
"""Who holds custom roles of the template, and how many actions in all."""


class ToThisProcess(HttpTransport):
    """Carry what goes to the endpoint to the function here, and all else over the network."""

    def __init__(self, house: House) -> None:
        super().__init__(str(house.cloud.authority.file))
        self._host = urlsplit(house.cloud.outputs["Endpoint"]).hostname

    def send(self, call: Call) -> Reply:
        if urlsplit(call.url).hostname != self._host:
            return super().send(call)
        asked = func.HttpRequest(method=call.method, url=call.url, headers=dict(call.headers), body=call.body)
        answered = remediate_function.answer(asked)
        headers = {"date": formatdate(time.time(), usegmt=True), **answered.headers}
        return Reply(
            answered.status_code, {name.lower(): value for name, value in headers.items()}, answered.get_body()
        )


class Works(AzureByHand):
    """Do all the work of whoever holds a custom role; raise if any of it fails."""

    def __init__(self, house: House) -> None:
        super().__init__(house.cloud)
        self._house = house
        self._transport = ToThisProcess(house)

    def client(self, *, operator: bool = False) -> Client:
        deployment = AzureDeployment.from_outputs(self.azure.outputs)
        return Client(deployment, self.access(operator=operator), transport=self._transport, patience=IMPATIENT)

    def office(self) -> AzureOffice:
        group = self.azure.describe()["resource_group"]
        signed_in = credential(self.azure.identities.operator)
        return AzureOffice(signed_in, places.SUBSCRIPTION, group, transport=self._transport)

    def fresh_window(self) -> None:
        now = time.time()
        self.azure.clock.shift(window_at(now).not_after + 5 - now)
        self._house.rotate()

    def done_by(self, who: str) -> None:
        """Do the work of one of them, on a deployment that is open whatever the one before has left."""
        control = {"PartitionKey": CONTROL, "RowKey": CONTROL, "state": "open"}
        self._house.table(CONTROL_TABLE).upsert_entity(control)
        {"remediator-rotate": self._rotate, "remediator-remediate": self._serve, "operator": self._operate}[who]()

    def _rotate(self) -> None:
        """Begin as after an installation, but for an opening that an admission left."""
        self.fresh_window()
        self._admit()
        self.azure.clock.shift(PERIOD)
        self._house.table(CONTROL_TABLE).delete_entity(CONTROL, CONTROL)
        self._house.rotate()
        assert self._left() == "{}"

    def _serve(self) -> None:
        self._ask()
        self._roll_back()
        self._guess()
        assert self._left() == "{}"

    def _operate(self) -> None:
        self.fresh_window()
        self._admit()
        checks = list(diagnose(self.office(), None, time.time()))
        assert not [check for check in checks if check.fine is False]
        self._house.table(CONTROL_TABLE).delete_entity(CONTROL, POLICY)
        self._edit('{"version": 1, "plan_only": true}')
        self._edit('{"version": 1}')
        self._order("freeze")
        self._order("unfreeze")

    def _left(self) -> str:
        vault = self.azure.estate.vault(first_label(self.azure.outputs["AdmissionVault"]))
        assert vault is not None
        return self.azure.services.vaults.secrets(vault).secret(SECRET).current.value


@pytest.fixture(scope="module")
def works() -> Iterator[Works]:
    with EmbeddedAzure(python=plain) as azure, pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "BITS", 2048)
        azure.deploy(Order(fixes=(HTTPS,), settings={"delivery": "manual", "alarmEmail": "security@example.com"}))
        azure.rotate()  # and wait: the installer has started the app, which rotates by itself
        never_wait(azure.clock, patch)
        house = House(azure)
        house.enter(patch)
        yield Works(house)


def held(azure: EmbeddedAzure, who: str) -> list[tuple[RoleAssignment, str]]:
    """Return each custom role that somebody holds by the template, with each of its actions."""
    names = principals(azure)
    mine = [one for one in azure.rbac.assignments() if one.role.custom and names.get(one.principal) == who]
    return [(one, action) for one in mine for action in (*one.role.actions, *one.role.data_actions)]


@contextmanager
def without(azure: EmbeddedAzure, one: RoleAssignment, action: str) -> Iterator[None]:
    """Let a role's holder have all of it there but one action, and then the role again."""
    role, less = one.role, str(uuid.uuid4())
    rest: Any = {plane: tuple(each for each in getattr(role, plane) if each != action) for plane in PLANES}
    azure.rbac.define(dataclasses.replace(role, guid=less, name=less, **rest))
    azure.rbac.unassign(one.name)
    lesser = azure.rbac.assign(one.principal, less, one.scope)
    try:
        yield
    finally:
        azure.rbac.unassign(lesser.name)
        azure.rbac.undefine(less)
        azure.rbac.assign(one.principal, role.guid, one.scope, one.name)


def refused(azure: EmbeddedAzure, principal: str, mark: int) -> set[str]:
    """Return what a principal wasn't allowed to do since a mark."""
    calls = azure.calls.by(principal, since=mark)
    return {action for call in calls if not call.allowed for action, _ in call.checked}


def test_whoever_holds_a_custom_role_of_the_template_is_tried(works: Works) -> None:
    names = principals(works.azure)
    holders = {names[one.principal] for one in works.azure.rbac.assignments() if one.role.custom}
    assert holders == {*HOLDERS, "Remediator"}


@pytest.mark.parametrize(("who", "actions"), HOLDERS.items())
def test_no_action_of_a_custom_role_is_there_for_nothing(works: Works, who: str, actions: int) -> None:
    works.done_by(who)
    taken = held(works.azure, who)
    assert len(taken) == actions
    for one, action in taken:
        mark = works.azure.calls.mark()
        with without(works.azure, one, action), pytest.raises(REFUSED):
            works.done_by(who)
        assert refused(works.azure, one.principal, mark) == {action}, f"{one.role.name} on {one.scope}"
    works.done_by(who)
