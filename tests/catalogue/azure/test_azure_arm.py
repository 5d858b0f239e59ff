from __future__ import annotations

import pytest

from remediator.catalogue.azure.arm import ArmError, Changed, Missing, operation
from remediator.catalogue.errors import Overtaken

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g"


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/Microsoft.Storage/storageAccounts/a", "Microsoft.Storage/storageAccounts/read"),
        ("PATCH", "/Microsoft.Storage/storageAccounts/a", "Microsoft.Storage/storageAccounts/write"),
        ("PUT", "/Microsoft.Web/sites/a/config/web", "Microsoft.Web/sites/config/write"),
        ("DELETE", "/Microsoft.Sql/servers/a/databases/b/", "Microsoft.Sql/servers/databases/delete"),
        ("GET", "/Microsoft.Sql/servers/a/databases", "Microsoft.Sql/servers/databases/read"),
        (
            "POST",
            "/Microsoft.Storage/storageAccounts/a/listKeys",
            "Microsoft.Storage/storageAccounts/listKeys/action",
        ),
        (
            "GET",
            "/Microsoft.Network/locations/westeurope/operations/1",
            "Microsoft.Network/locations/operations/read",
        ),
    ],
)
def test_every_request_is_one_operation(method: str, path: str, name: str) -> None:
    assert operation(method, f"{GROUP}/providers{path}") == name


def test_an_extension_of_a_resource_is_an_operation_of_its_own_provider() -> None:
    lock = f"{GROUP}/providers/Microsoft.Sql/servers/a/providers/Microsoft.Authorization/locks/b"
    assert operation("PUT", lock) == "Microsoft.Authorization/locks/write"


def test_errors_say_what_the_cloud_said() -> None:
    error = Missing("ResourceNotFound", "It is gone.", 404)
    assert isinstance(error, ArmError)
    assert (error.code, error.message, error.status) == ("ResourceNotFound", "It is gone.", 404)
    assert str(error) == "ResourceNotFound: It is gone."


def test_a_failed_condition_is_both_the_clouds_refusal_and_somebody_elses_change() -> None:
    assert isinstance(Changed("PreconditionFailed", "", 412), ArmError)
    assert issubclass(Changed, Overtaken)
