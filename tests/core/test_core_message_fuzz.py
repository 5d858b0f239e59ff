"""Throw anything at the parser: it takes the one form, or says `Malformed`, and never believes what was changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediator.core.errors import Malformed, Untrusted
from remediator.core.messages import Fields, SignedMessage, parse
from remediator.core.seeds import SeedRecord, parse_record
from tests.core.scene import CREATED, DEPLOYMENT, SEED, WINDOW, Forgery, Message

GOOD = Forgery().signed()
BOUND = tuple(name for name in GOOD.headers if name not in ("content-type", "date", "host"))
NAMES = st.one_of(st.sampled_from(BOUND), st.text(max_size=30))
PIECES = st.one_of(
    st.sampled_from(["", " ", ",", ", ", ";", "=", ":", '"', "\\", "(", ")", "\n", "\r\n", "\0"]),
    st.sampled_from(["0", "1", "a", "A", "/", "-", "%2e", ";created=1", ';keyid="1"', ";alg", '"@query"', "=:AAAA:"]),
    st.characters(),
)


@settings(max_examples=300)
@given(st.text(max_size=20), st.text(max_size=60), st.dictionaries(NAMES, st.text(max_size=80)), st.binary(max_size=80))
def test_whatever_comes_is_malformed_and_nothing_else(
    method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises(Malformed):
        parse(method, path, Fields(headers), body)


@settings(max_examples=500)
@given(st.sampled_from(BOUND), st.text(max_size=200))
def test_whatever_stands_in_one_field_is_taken_in_the_one_form_or_malformed(name: str, value: str) -> None:
    message = replace(GOOD, headers=GOOD.headers | {name: value})
    try:
        assert isinstance(message.parsed(), SignedMessage)
    except Malformed:
        return
    assert len(value) >= 6


@settings(max_examples=1000)
@given(st.data())
def test_a_message_with_any_text_in_it_edited_is_never_accepted(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*BOUND, "method", "path"]))
    value = GOOD.headers.get(name) or getattr(GOOD, name)
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, min(len(value), start + 3)))
    edited = value[:start] + data.draw(PIECES) + value[end:]
    if edited == value:
        return
    if name in BOUND:
        changed = replace(GOOD, headers=GOOD.headers | {name: edited})
    else:
        changed = replace(GOOD, method=edited) if name == "method" else replace(GOOD, path=edited)
    with pytest.raises(Untrusted):
        changed.accepted(CREATED)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_a_message_with_another_body_is_never_accepted(body: bytes) -> None:
    with pytest.raises(Malformed, match="isn't the body's"):
        replace(GOOD, body=body).accepted(CREATED)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(BOUND), min_size=1, max_size=3), st.data())
def test_a_message_put_together_from_two_is_never_accepted(names: list[str], data: st.DataObject) -> None:
    """Fields of another signed request don't fit, whichever they are; all of them together are the other request."""
    other = Forgery(
        fields={"idempotency-key": "another-key-altogether"},
        body=b"{}",
        params=f';created={CREATED + 1};keyid="{WINDOW}";tag="remediator/v1"',
    ).signed()
    mixed = replace(GOOD, headers=GOOD.headers | {name: other.headers[name] for name in names})
    mixed = replace(mixed, body=data.draw(st.sampled_from([GOOD.body, other.body])))
    if _same(mixed, GOOD):
        assert mixed.accepted(CREATED)
        return
    with pytest.raises(Untrusted):
        mixed.accepted(CREATED)


@settings(max_examples=300)
@given(st.data())
def test_a_record_with_any_text_in_it_edited_is_another_seed_or_malformed(data: st.DataObject) -> None:
    text = SeedRecord(DEPLOYMENT, WINDOW, SEED).to_json()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    edited = text[:start] + data.draw(PIECES) + text[end:]
    try:
        record = parse_record(edited)
    except Malformed:
        return
    spaced = "".join(edited.split()) == "".join(text.split())
    assert spaced or (record.seed, record.deployment) != (SEED, DEPLOYMENT)
    assert record.window == WINDOW


def _same(one: Message, other: Message) -> bool:
    return one.body == other.body and all(one.headers[name] == other.headers[name] for name in BOUND)
