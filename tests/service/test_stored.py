"""What is stored of a record and of a finding comes back whole, and stands under the names that people look for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue.engine import Change, Outcome
from remediator.service.records import Finding, Mode, Reason, Record, State
from remediator.service.stored import asked_of, finding_fields, finding_of, record_fields, record_of

RECORD = Record(
    id="the-key-of-it-0001",
    digest="d" * 64,
    caller="AROAREADER",
    mode=Mode.ROLLBACK,
    state=State.PARTIAL,
    attempt=2,
    deadline=1_800_000_120,
    created_at=1_800_000_000,
    findings=3,
    free_at=1_800_000_130,
    subject="the-one-undone-001",
)
FINDING = Finding(
    remediation=RECORD.id,
    index=2,
    fix="aws.lamp.switch-on",
    target={"arn": "arn:aws:lamp:eu-west-1:111122223333:desk"},
    parameters={"colour": "red"},
    at=1_800_000_007,
    outcome=Outcome.UNVERIFIED,
    change=Change({"on": False, "name": "Büro"}, None),
    calls=("lamp:Get", "lamp:Put"),
    reason=Reason("unverified", "It wasn't so."),
    finding="cloudsploit:lampOff",
    reference="case-7",
    acknowledged=True,
    subject="the-one-undone-001/2",
)

_TEXT = st.text(max_size=8)
_NUMBERS = st.integers(0, 2**40)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
)
records = st.builds(
    Record,
    id=_TEXT, digest=_TEXT, caller=_TEXT, mode=st.sampled_from(Mode), state=st.sampled_from(State), attempt=_NUMBERS,
    deadline=_NUMBERS, created_at=_NUMBERS, findings=_NUMBERS, free_at=_NUMBERS, subject=st.none() | _TEXT,
)  # fmt: skip
findings = st.builds(
    Finding,
    remediation=_TEXT, index=_NUMBERS, fix=_TEXT, target=st.dictionaries(_TEXT, _TEXT, max_size=3),
    parameters=st.dictionaries(_TEXT, _JSON, max_size=3), at=_NUMBERS, outcome=st.none() | st.sampled_from(Outcome),
    change=st.none() | st.builds(Change, _JSON, _JSON), calls=st.lists(_TEXT, max_size=3).map(tuple),
    reason=st.none() | st.builds(Reason, _TEXT, _TEXT), finding=st.none() | _TEXT, reference=st.none() | _TEXT,
    acknowledged=st.booleans(), subject=st.none() | _TEXT,
)  # fmt: skip


def test_one_of_each_comes_back_whole() -> None:
    bare = Finding(RECORD.id, 0, "aws.lamp.switch-on", {}, {}, 7)
    assert record_of(RECORD.id, record_fields(RECORD)) == RECORD
    assert finding_of(RECORD.id, finding_fields(FINDING, RECORD)) == FINDING
    assert finding_of(RECORD.id, finding_fields(bare, RECORD)) == bare
    assert asked_of(finding_fields(bare, RECORD)) == ("AROAREADER", Mode.ROLLBACK)


@given(records)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    assert record_of(record.id, record_fields(record)) == record


@given(findings, records)
def test_a_finding_comes_back_as_it_was_with_who_asked_for_it_and_how(finding: Finding, record: Record) -> None:
    fields = finding_fields(finding, record)
    back = finding_of(finding.remediation, fields)
    assert (back, type(back.acknowledged)) == (finding, bool)
    assert asked_of(fields) == (record.caller, record.mode)


@given(findings, records)
def test_fields_are_words_and_numbers_that_every_store_takes(finding: Finding, record: Record) -> None:
    stored: dict[str, Any] = record_fields(record) | finding_fields(finding, record)
    assert {type(value) for value in stored.values()} <= {str, int}


def test_a_record_stands_under_these_names_its_id_left_out() -> None:
    assert record_fields(RECORD) == {
        "digest": "d" * 64,
        "caller": "AROAREADER",
        "mode": "rollback",
        "state": "partial",
        "attempt": 2,
        "deadline": 1_800_000_120,
        "created_at": 1_800_000_000,
        "findings": 3,
        "free_at": 1_800_000_130,
        "subject": "the-one-undone-001",
    }
    assert "subject" not in record_fields(replace(RECORD, subject=None))


def test_a_finding_stands_under_these_names_and_its_states_as_the_shortest_json_with_letters_as_they_are() -> None:
    assert finding_fields(FINDING, RECORD) == {
        "index": 2,
        "fix": "aws.lamp.switch-on",
        "target": '{"arn":"arn:aws:lamp:eu-west-1:111122223333:desk"}',
        "parameters": '{"colour":"red"}',
        "at": 1_800_000_007,
        "outcome": "unverified",
        "before": '{"on":false,"name":"Büro"}',
        "after": "null",
        "calls": '["lamp:Get","lamp:Put"]',
        "reason": '{"code":"unverified","message":"It wasn\'t so."}',
        "finding": "cloudsploit:lampOff",
        "reference": "case-7",
        "acknowledged": 1,
        "subject": "the-one-undone-001/2",
        "caller": "AROAREADER",
        "mode": "rollback",
        "attempt": 2,
    }


def test_of_what_there_is_nothing_to_say_no_field_is_stored() -> None:
    bare = Finding(RECORD.id, 0, "aws.lamp.switch-on", {}, {}, 7)
    assert json.loads(json.dumps(finding_fields(bare, RECORD))).keys() == {
        "index", "fix", "target", "parameters", "at", "calls", "acknowledged", "caller", "mode", "attempt",
    }  # fmt: skip
