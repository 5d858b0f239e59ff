from __future__ import annotations

import copy
import dataclasses
import gc
import hmac
import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from remediator.core.codes import Code
from remediator.core.gate import GateValue, Opening, ProofKey, Verifier
from remediator.core.messages import Fields
from remediator.core.secret import Secret
from remediator.core.seeds import Seed, SeedRecord
from tests.core.scene import CREATED, DEPLOYMENT, WINDOW, Forgery, keys, seed_of

if TYPE_CHECKING:
    from collections.abc import Callable

VALUE = b"0123456789abcdefghijklmnopqrstuv"
KINDS = (Code, GateValue, Opening, ProofKey, Seed)


def traces(value: bytes) -> list[str]:
    """Return the forms in which a secret might stand somewhere."""
    return [value.decode("latin-1"), value.hex(), value.hex().upper(), repr(value)[2:-1], str(list(value))[1:-1]]


def assert_hidden(text: str, *values: bytes) -> None:
    for value in values:
        for trace in traces(value):
            assert trace not in text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "show",
    [repr, str, "{}".format, "{!r}".format, "{!s}".format, "{!a}".format, lambda one: "%s %r" % (one, one), ascii],  # noqa: UP031 - one of the ways
)
def test_whatever_prints_a_secret_prints_its_kind_alone(kind: type[Secret], show: Callable[[object], str]) -> None:
    shown = show(kind(VALUE))
    assert_hidden(shown, VALUE)
    assert shown.replace(f"<{kind.__name__}>", "").strip() == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "leak",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        hash,
        bytes,
        iter,
        len,
        vars,
        lambda one: f"{one:s}",
        lambda one: one + one,
        lambda one: one[0],
        lambda one: one < Opening(VALUE),
        lambda one: {one},
        lambda one: b"".join([one]),
    ],
)
def test_a_secret_is_not_pickled_copied_hashed_or_read_by_accident(
    kind: type[Secret], leak: Callable[[Any], object]
) -> None:
    with pytest.raises(TypeError) as refused:
        leak(kind(VALUE))
    assert_hidden(str(refused.value), VALUE)


def test_a_secret_takes_no_further_attribute() -> None:
    with pytest.raises(AttributeError):
        Opening(VALUE).copy = VALUE  # type: ignore[attr-defined]  # what is tested


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_is_equal_to_one_of_its_kind_with_the_same_bytes(kind: type[Secret]) -> None:
    assert kind(VALUE) == kind(VALUE)
    assert kind(VALUE) != kind(VALUE[::-1])
    assert kind(VALUE).reveal() == VALUE


@pytest.mark.parametrize("other", [VALUE, VALUE.decode(), bytearray(VALUE), Secret(VALUE), ProofKey(VALUE), None])
def test_a_secret_is_equal_to_nothing_of_another_kind(other: object) -> None:
    assert Opening(VALUE) != other
    assert other != Opening(VALUE)


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    assert Opening(VALUE) != Opening(b"x" * 32)
    assert compared == [(VALUE, b"x" * 32)]


def test_what_holds_secrets_does_not_show_them() -> None:
    window = keys()
    message = Forgery().signed().parsed()
    holders: list[object] = [
        SeedRecord(DEPLOYMENT, WINDOW, seed_of(WINDOW)),
        window,
        Verifier(WINDOW, window.proof_key, b"check"),
        message,
        Fields(Forgery().signed().headers),
    ]
    for holder in holders:
        assert_hidden(
            f"{holder} {holder!r}",
            seed_of(WINDOW).reveal(),
            window.proof_key.reveal(),
            window.code.reveal(),
            window.opening.reveal(),
        )


def test_a_record_is_not_taken_apart_by_accident() -> None:
    with pytest.raises(TypeError):
        dataclasses.asdict(SeedRecord(DEPLOYMENT, WINDOW, seed_of(WINDOW)))


@pytest.mark.parametrize(
    "broken",
    [
        {"signature": "x"},
        {"signature_input": "x"},
        {"content_digest": "x"},
        {"remediation_opening": "x"},
        {"idempotency_key": "x"},
    ],
)
def test_a_traceback_with_every_local_variable_shows_no_secret(broken: dict[str, str]) -> None:
    message = Forgery().signed().having(**broken)
    fields = Fields(message.headers)
    message = dataclasses.replace(message, headers=fields)  # type: ignore[arg-type]  # what the entry point makes of them
    try:
        message.accepted(CREATED)
    except Exception as error:  # noqa: BLE001 - whatever is raised
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    window = keys()
    assert "Malformed" in told
    assert_hidden(told, window.code.reveal(), window.opening.reveal(), window.proof_key.reveal())


def test_a_log_of_a_secret_shows_its_kind(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger().debug("%s %r", Code(b"007614"), {"opening": Opening(VALUE)})
    assert caplog.messages == ["<Code> {'opening': <Opening>}"]


def test_a_secret_holds_bytes_of_its_own() -> None:
    given = bytearray(VALUE)
    secret = Opening(given)  # type: ignore[arg-type]  # bytes that others can change
    given[0] = 0
    assert secret.reveal() == VALUE
    assert not any(isinstance(one, bytearray) for one in gc.get_referents(secret))
