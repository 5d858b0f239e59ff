from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

import fastjsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue.azure import resources
from remediator.catalogue.azure.resources import (
    KEY_VAULT,
    LONGEST,
    NETWORK_SECURITY_GROUP,
    SQL_DATABASE,
    STORAGE_ACCOUNT,
    ResourceId,
)
from remediator.catalogue.errors import BadTarget
from remediator.catalogue.spec import Home

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"
HOME = Home("azure", SUBSCRIPTION)
ACCOUNT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/web/providers/Microsoft.Storage/storageAccounts/store"
KINDS = [one for one in vars(resources).values() if isinstance(one, ResourceId)]

every_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.title for kind in KINDS])


def parsed(kind: ResourceId, written: Any) -> Any:
    return kind.parse({"id": written}, HOME)


@every_kind
def test_an_id_has_one_spelling_whatever_its_letter_case(kind: ResourceId) -> None:
    written = kind.example["id"]
    target = parsed(kind, written)
    assert target.id == written
    assert parsed(kind, written.upper()) == target
    assert parsed(kind, written.lower()) == target


@every_kind
def test_the_schema_takes_what_is_parsed_in_any_letter_case(kind: ResourceId) -> None:
    accept = fastjsonschema.compile(kind.schema())
    for written in (kind.example["id"], kind.example["id"].upper(), kind.example["id"].lower()):
        accept({"id": written})


@every_kind
def test_a_kind_is_in_no_region_and_its_ids_say_the_subscription(kind: ResourceId) -> None:
    assert not kind.regional
    assert kind.names_account()
    target = parsed(kind, kind.example["id"])
    assert (target.partition, target.region) == ("azure", None)
    assert target.account == "00000000-0000-0000-0000-000000000001"


@every_kind
def test_its_pattern_matches_its_ids_at_home_and_no_others(kind: ResourceId) -> None:
    (pattern,) = kind.patterns(Home("azure", "00000000-0000-0000-0000-000000000001"))
    assert fnmatchcase(kind.example["id"], pattern)
    others = [one for one in KINDS if one is not kind]
    matched = [one for one in others if fnmatchcase(one.example["id"], pattern)]
    assert all(one.type.startswith(kind.type) for one in matched)
    (elsewhere,) = kind.patterns(HOME)
    assert not fnmatchcase(kind.example["id"], elsewhere)


@every_kind
def test_other_kinds_ids_are_refused_and_told_what_one_looks_like(kind: ResourceId) -> None:
    for other in KINDS:
        if other is not kind:
            with pytest.raises(BadTarget, match=re.escape(kind.example["id"])):
                parsed(kind, other.example["id"])


def test_the_parts_of_a_name_are_told_apart() -> None:
    target = parsed(SQL_DATABASE, SQL_DATABASE.example["id"])
    assert (target["group"], target["parent"], target["name"]) == ("example", "example-sql", "orders")
    assert parsed(STORAGE_ACCOUNT, ACCOUNT)["name"] == "store"


@pytest.mark.parametrize(
    "written",
    [
        "",
        None,
        7,
        "/",
        ACCOUNT + "/",
        ACCOUNT + "\n",
        ACCOUNT + "/blobServices/default",
        ACCOUNT + "?api-version=2015-01-01",
        ACCOUNT + "#",
        ACCOUNT + "%2f..",
        ACCOUNT.replace("/store", "/../store"),
        ACCOUNT.replace("store", "st-ore"),
        ACCOUNT.replace("/store", "/stóre"),
        ACCOUNT.replace("web", ".."),
        ACCOUNT.replace("web", "web."),
        ACCOUNT.replace("web", "a" * 91),
        ACCOUNT.replace(SUBSCRIPTION, "me"),
        ACCOUNT.replace("/subscriptions", "//subscriptions"),
        ACCOUNT.removeprefix("/"),
        "https://management.azure.com" + ACCOUNT,
        ACCOUNT.replace("Microsoft.Storage", "MicrosoftxStorage"),
        ACCOUNT + "x" * LONGEST,
    ],
)
def test_what_is_not_an_id_of_the_kind_is_refused(written: Any) -> None:
    with pytest.raises(BadTarget):
        parsed(STORAGE_ACCOUNT, written)


def test_a_target_has_nothing_but_an_id() -> None:
    with pytest.raises(BadTarget, match="nothing but an id"):
        STORAGE_ACCOUNT.parse({"id": ACCOUNT, "region": "westeurope"}, HOME)
    with pytest.raises(BadTarget, match="nothing but an id"):
        STORAGE_ACCOUNT.parse({"arn": "arn:aws:s3:::bucket"}, HOME)
    with pytest.raises(BadTarget, match="isn't that of a storage account"):
        STORAGE_ACCOUNT.parse({}, HOME)


@pytest.mark.parametrize("name", ["a", "A.b-c_d", "x" * 79 + "_"])
def test_names_of_security_groups_are_as_long_as_azure_has_them(name: str) -> None:
    path = NETWORK_SECURITY_GROUP.example["id"].replace("example-nsg", name)
    assert parsed(NETWORK_SECURITY_GROUP, path)["name"] == name.lower()


@pytest.mark.parametrize("name", ["ab", "-abc", "abc-", "a--b", "1abc"])
def test_names_of_vaults_follow_azures_rules(name: str) -> None:
    with pytest.raises(BadTarget):
        parsed(KEY_VAULT, KEY_VAULT.example["id"].replace("example-vault", name))


@given(st.text(max_size=80))
def test_no_text_is_taken_for_an_id(text: str) -> None:
    with pytest.raises(BadTarget):
        parsed(STORAGE_ACCOUNT, text)
