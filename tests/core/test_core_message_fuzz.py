"""Throw anything at the parser: it takes the one form, or says `Malformed`, and never believes what was changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import strategies as st

from remediator.core.errors import Malformed, Untrusted
from remediator.core.messages import BareMessage, Fields, Request, SignedMessage, is_bare, parse, parse_bare, show, sign
from remediator.core.seeds import Seed, SeedRecord, parse_record
from remediator.core.windows import LAST, Window
from tests.core.scene import CREATED, DEPLOYMENT, SEED, WINDOW, Forgery, Message, keys
from tests.thoroughly import thoroughly

GOOD = Forgery().signed()
BOUND = tuple(name for name in GOOD.headers if name not in ("content-type", "date", "host"))
NAMES = st.one_of(st.sampled_from(BOUND), st.text(max_size=30))
PIECES = st.one_of(
    st.sampled_from(["", " ", ",", ", ", ";", "=", ":", '"', "\\", "(", ")", "\n", "\r\n", "\0"]),
    st.sampled_from(["0", "1", "a", "A", "/", "-", "%2e", ";created=1", ';keyid="1"', ";alg", '"@query"', "=:AAAA:"]),
    st.characters(),
)


@thoroughly(
    300,
    st.text(max_size=20),
    st.text(max_size=60),
    st.dictionaries(NAMES, st.text(max_size=80)),
    st.binary(max_size=80),
)
def test_whatever_comes_is_malformed_and_nothing_else(
    method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises(Malformed):
        parse(method, path, Fields(headers), body)


@thoroughly(500, st.sampled_from(BOUND), st.text(max_size=200))
def test_whatever_stands_in_one_field_is_taken_in_the_one_form_or_malformed(name: str, value: str) -> None:
    message = replace(GOOD, headers=GOOD.headers | {name: value})
    try:
        assert isinstance(message.parsed(), SignedMessage)
    except Malformed:
        return
    assert len(value) >= 6


@thoroughly(1000, st.data())
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


@thoroughly(300, st.binary(max_size=200))
def test_a_message_with_another_body_is_never_accepted(body: bytes) -> None:
    with pytest.raises(Malformed, match="isn't the body's"):
        replace(GOOD, body=body).accepted(CREATED)


@thoroughly(300, st.lists(st.sampled_from(BOUND), min_size=1, max_size=3), st.data())
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


@thoroughly(300, st.data())
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


KEYS = st.from_regex(r"[A-Za-z0-9-]{16,64}", fullmatch=True)
PATHS = st.from_regex(r"/v1/[A-Za-z0-9/-]{1,80}", fullmatch=True)


@thoroughly(60, PATHS, KEYS, st.binary(max_size=300), st.integers(0, 299))
def test_whatever_is_signed_is_read_as_it_was_and_believed_in_its_window(
    path: str, key: str, body: bytes, second: int
) -> None:
    created = WINDOW.not_before + second
    signed = sign(Request("POST", path, body, key), keys(), created=created)
    message = Message("POST", path, signed, body).accepted(created)
    assert message.request == Request("POST", path, body, key)
    assert (message.window, message.created) == (WINDOW, created)


@thoroughly(300, KEYS, st.binary(max_size=80), st.sampled_from(["idempotency-key", "remediation-code"]), st.data())
def test_a_code_that_is_shown_alone_is_read_as_it_stands_or_malformed(
    key: str, body: bytes, name: str, data: st.DataObject
) -> None:
    headers = show(Request("POST", "/v1/remediations", body, key), keys().code)
    value = headers[name]
    start = data.draw(st.integers(0, len(value)))
    edited = value[:start] + data.draw(PIECES) + value[data.draw(st.integers(start, len(value))) :]
    fields = Fields(headers | {name: edited})
    assert is_bare(fields)
    try:
        message = parse_bare("POST", "/v1/remediations", fields, body)
    except Malformed:
        return
    shown = {"idempotency-key": message.request.key, "remediation-code": message.code.reveal().decode("ascii")}
    assert shown == {one: fields[one] for one in shown}
    assert message.request.body == body


@thoroughly(300, st.text(max_size=20), st.text(max_size=60), st.dictionaries(NAMES, st.text(max_size=80)))
def test_whatever_comes_without_a_code_of_six_digits_is_no_bare_message(
    method: str, path: str, headers: dict[str, str]
) -> None:
    try:
        message = parse_bare(method, path, Fields(headers), b"")
    except Malformed:
        return
    assert isinstance(message, BareMessage)
    assert message.code.reveal().decode("ascii") == Fields(headers)["remediation-code"]


@thoroughly(
    200,
    st.from_regex(r"[A-Za-z0-9-]{1,64}", fullmatch=True),
    st.integers(0, LAST),
    st.binary(min_size=32, max_size=32),
)
def test_every_record_is_read_back_as_it_was(deployment: str, number: int, seed: bytes) -> None:
    record = SeedRecord(deployment, Window(number), Seed(seed))
    assert parse_record(record.to_json()) == record


@thoroughly(300, st.text(max_size=300))
def test_a_text_that_is_no_record_is_malformed_and_its_message_shows_nothing_of_it(text: str) -> None:
    with pytest.raises(Malformed) as malformed:
        parse_record(text)
    assert len(text) < 8 or text not in str(malformed.value)


def _same(one: Message, other: Message) -> bool:
    return one.body == other.body and all(one.headers[name] == other.headers[name] for name in BOUND)
