"""Who edits the policy saves it whole and checked, on what was met, and is remembered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from remediator.service.policy_document import PolicyUnfit, blank
from remediator.service.policy_edits import (
    KEPT,
    Edit,
    EditedMeanwhile,
    Editor,
    Stored,
    current,
    edits_of,
    edits_text,
    written,
)

BLANK = {
    "aws": '{"version":1,"plan_only":false,"fixes":null,"regions":null,"exclude":[],"exclude_tags":[],'
    '"findings_per_day":null,"note":""}',
    "azure": '{"version":1,"plan_only":false,"fixes":null,"resource_groups":null,"exclude":[],"exclude_tags":[],'
    '"findings_per_day":null,"note":""}',
}


@dataclass
class Shelf:
    """A store in memory, on the same condition as the real ones; the edits are kept as text there too."""

    text: str | None = None
    revision: int = 0
    edits: str = "[]"

    def read(self) -> Stored | None:
        return None if self.text is None else Stored(self.text, self.revision, edits_of(self.edits))

    def write(self, text: str, edits: tuple[Edit, ...], *, revision: int) -> None:
        if revision != self.revision:
            raise EditedMeanwhile("somebody did")
        self.text, self.revision, self.edits = text, revision + 1, edits_text(edits)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def save(shelf: Shelf, document: Any, *, by: str = "ada", now: float = 7.9, cloud: str = "aws") -> dict[str, Any]:
    return Editor(shelf, cloud, by).save(json.dumps({"version": 1} | document), shelf.read(), now=now)


def test_the_first_policy_is_saved_whole_and_returned(shelf: Shelf) -> None:
    document = save(shelf, {"plan_only": True, "note": "für Ada"})
    assert document == blank("aws") | {"plan_only": True, "note": "für Ada"}
    assert shelf.text == BLANK["aws"].replace("false", "true").replace('""', '"für Ada"')
    assert shelf.edits == '[{"by":"ada","at":7,"revision":1}]'
    assert shelf.read() == Stored(written(document), 1, (Edit("ada", 7, 1),))


def test_the_next_one_takes_its_place_and_the_latest_edits_are_remembered_newest_first(shelf: Shelf) -> None:
    for number in range(1, KEPT + 3):
        save(shelf, {"findings_per_day": number}, by=f"user-{number}", now=number)
    stored = shelf.read()
    assert stored is not None
    assert current(stored, "aws")["findings_per_day"] == stored.revision == KEPT + 2
    assert stored.edits == tuple(Edit(f"user-{number}", number, number) for number in range(KEPT + 2, 2, -1))


def test_what_was_edited_meanwhile_is_not_overwritten(shelf: Shelf) -> None:
    met = shelf.read()
    save(shelf, {"note": "first"}, by="grace")
    with pytest.raises(EditedMeanwhile):
        Editor(shelf, "aws", "ada").save('{"version": 1, "note": "second"}', met, now=8)
    assert current(shelf.read(), "aws")["note"] == "first"


@pytest.mark.parametrize("cloud", BLANK)
def test_where_there_is_none_the_current_one_forbids_nothing(cloud: str) -> None:
    assert written(current(None, cloud)) == BLANK[cloud]


def test_a_broken_one_is_not_current() -> None:
    with pytest.raises(PolicyUnfit, match="version"):
        current(Stored("{}", 1, ()), "aws")


@pytest.mark.parametrize(
    ("cloud", "known", "other"),
    [
        ("aws", "aws.s3.block-public-access", "azure.storage.require-https"),
        ("azure", "azure.storage.require-https", "aws.s3.block-public-access"),
    ],
)
def test_a_fix_that_there_isn_t_or_of_another_cloud_is_named_and_nothing_is_saved(
    shelf: Shelf, cloud: str, known: str, other: str
) -> None:
    typing_error = f"{known}-s"
    with pytest.raises(PolicyUnfit) as unknown:
        save(shelf, {"fixes": [known, typing_error]}, cloud=cloud)
    assert str(unknown.value).startswith(f"fixes[1]: there is no fix {typing_error}")
    with pytest.raises(PolicyUnfit) as foreign:
        save(shelf, {"fixes": [other]}, cloud=cloud)
    assert str(foreign.value) == f"fixes[0]: {other} is a fix for another cloud"
    assert shelf.text is None
    assert save(shelf, {"fixes": [known]}, cloud=cloud)["fixes"] == [known]


@pytest.mark.parametrize("edits", [(), (Edit("arn:aws:iam::1:user/ä", 5, 2), Edit("x", 4, 1))])
def test_edits_come_back_from_their_text(edits: tuple[Edit, ...]) -> None:
    assert edits_of(edits_text(edits)) == edits


def test_edits_of_another_hand_come_back_as_words_and_whole_numbers() -> None:
    assert edits_of('[{"by": 7, "at": "5", "revision": "2"}]') == (Edit("7", 5, 2),)
