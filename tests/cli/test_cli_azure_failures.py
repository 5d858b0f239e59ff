"""What Azure refuses ends as what AWS refuses does, and says what to do next; nothing of a service's own is shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
)

from remediator.azure_install.rest import AzureRefused
from remediator.catalogue.azure.arm import ArmError, Missing
from remediator.cli.exits import Exit
from remediator.cli.failures import explained
from remediator.cli.places import Cloud, Place, flat
from remediator.operator.errors import NoDeployment

if TYPE_CHECKING:
    from collections.abc import Mapping

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


def http(status: int, kind: type[HttpResponseError] = HttpResponseError) -> HttpResponseError:
    error = kind(message="The cloud says no.\nRequestId:secret-of-theirs\nTime:now")
    error.status_code = status
    return error


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (http(401, ClientAuthenticationError), Exit.REFUSED),
        (http(403), Exit.REFUSED),
        (http(404, ResourceNotFoundError), Exit.NOT_FOUND),
        (http(409), Exit.NOT_NOW),
        (http(429), Exit.NOT_NOW),
        (ServiceRequestError("no way to the host"), Exit.NOT_FOUND),
        (ArmError("AuthorizationFailed", "no", 403), Exit.REFUSED),
        (Missing("ResourceNotFound", "no", 404), Exit.NOT_FOUND),
        (AzureRefused("GET x", 403, "AuthorizationFailed", "no"), Exit.REFUSED),
        (AzureRefused("GET x", 404, "NotInstalled", "no"), Exit.NOT_FOUND),
        (NoDeployment("there is none", next="Install it."), Exit.NOT_FOUND),
    ],
)
def test_a_refusal_ends_with_its_exit_and_advice(error: Exception, end: Exit) -> None:
    failed = explained(error)
    assert failed is not None
    assert failed.exit is end
    assert failed.next
    assert "secret-of-theirs" not in str(failed)


def test_where_entra_did_not_answer_nobody_is_told_to_sign_in() -> None:
    error = ClientAuthenticationError("Authentication failed: no way to the host")
    error.__cause__ = ServiceRequestError("no way")
    failed = explained(error)
    assert failed is not None
    assert (str(failed), failed.exit) == ("no answer from Azure: no way", Exit.NOT_FOUND)
    assert "network" in failed.next


def test_a_defect_is_not_explained_away() -> None:
    assert explained(KeyError("x")) is None


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place(), None),
        (Place(cloud=Cloud.AWS, region="eu-west-1"), None),
        (Place(cloud=Cloud.AZURE, subscription=SUBSCRIPTION, resource_group="g"), None),
        (Place(cloud=Cloud.AZURE, region="eu-west-1"), "--region"),
        (Place(stack="Other", resource_group="g"), "--resource-group"),
    ],
)
def test_options_belong_to_one_cloud(place: Place, said: str | None) -> None:
    if said is None:
        assert place.there.cloud == (place.cloud or Cloud.AWS)
        return
    with pytest.raises(Exception, match=said):
        assert place.there


def test_without_azures_sdk_it_says_how_to_get_it(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("remediator.cli.azure_place", "azure.identity"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    result = run("status", "--cloud", "azure", "--subscription", SUBSCRIPTION, "--resource-group", "g")
    assert result.exit_code == Exit.USAGE
    assert "pip install 'remediator[azure]'" in result.stderr


@pytest.mark.parametrize(
    "written",
    [
        {"Endpoint": "https://e/"},
        {"Remediator": {"Endpoint": "https://e/"}},
        {"outputs": {"Endpoint": "https://e/"}, "steps": []},
        {"Endpoint": {"type": "String", "value": "https://e/"}},
        {"outputs": {"Endpoint": {"type": "String", "value": "https://e/"}}},
    ],
)
def test_outputs_are_taken_as_any_of_the_tools_writes_them(written: Mapping[str, Any]) -> None:
    assert flat(written) == {"Endpoint": "https://e/"}
