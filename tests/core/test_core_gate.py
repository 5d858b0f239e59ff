from __future__ import annotations

import hashlib
import hmac
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.core import gate
from remediator.core.codes import Code, code_of
from remediator.core.errors import Malformed, WrongCode
from remediator.core.gate import (
    check_value,
    gate_value,
    keys_of,
    length_prefixed,
    opening,
    parse_opening,
    proof_key,
    verifier_of,
)
from remediator.core.seeds import Seed, SeedRecord
from remediator.core.windows import LAST, Window
from tests.core import rederived, vectors
from tests.core.lookalikes import arabic, full_width
from tests.core.scene import DEPLOYMENT, OTHER_DEPLOYMENT, WINDOW, keys, seed_of, verifier

DEPLOYMENTS = st.from_regex(r"[A-Za-z0-9-]{1,64}", fullmatch=True)
SEEDS = st.binary(min_size=32, max_size=32)
NUMBERS = st.integers(0, LAST)


@pytest.mark.parametrize("vector", vectors.DERIVED, ids=lambda vector: f"{vector.deployment[-4:]}-{vector.window}")
def test_everything_derived_is_what_the_vectors_say(vector: vectors.Vector) -> None:
    seed, window = Seed(bytes.fromhex(vector.seed)), Window(vector.window)
    brought = keys_of(SeedRecord(vector.deployment, window, seed))
    known = verifier_of(vector.deployment, window, seed)
    assert brought.code.reveal().decode() == vector.code
    assert brought.opening.hex() == vector.opening
    assert brought.proof_key.reveal().hex() == known.proof_key.reveal().hex() == vector.proof_key
    assert gate_value(vector.deployment, window, brought.opening).text() == vector.gate_value
    assert known.check.hex() == vector.check
    assert brought.window == known.window == window


@given(SEEDS, DEPLOYMENTS, NUMBERS)
def test_everything_derived_is_what_the_protocols_text_gives(seed: bytes, deployment: str, number: int) -> None:
    window, expected = Window(number), rederived.derive(seed, deployment, number)
    opened = opening(deployment, window, Seed(seed))
    code = code_of(Seed(seed), window)
    assert proof_key(deployment, window, Seed(seed)).reveal() == expected.proof_key
    assert opened.reveal() == expected.opening
    assert gate_value(deployment, window, opened).text() == expected.gate_value
    assert code.reveal().decode() == expected.code
    assert check_value(deployment, window, opened, code) == expected.check


def test_a_vector_by_openssl() -> None:
    """`openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f` gives the proof key for these bytes."""
    text = b"\0\0\0\x13remediator/v1/proof\0\0\0\x246f1c0f5e-7d3a-4b52-9c0e-2f6d8a1b3c4d\0\0\0\x075984850"
    assert hmac.digest(bytes(range(32)), text, hashlib.sha256).hex() == vectors.DERIVED[0].proof_key


def test_a_part_is_preceded_by_its_length_in_four_bytes() -> None:
    assert length_prefixed("ab", 12, b"\xff") == b"\0\0\0\x02ab\0\0\0\x0212\0\0\0\x01\xff"
    assert length_prefixed() == b""
    assert length_prefixed("") == b"\0\0\0\0"
    assert length_prefixed("é") == b"\0\0\0\x02\xc3\xa9"
    assert length_prefixed(b"x" * 300)[:4] == b"\0\0\x01\x2c"


@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_two_lists_of_parts_never_give_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    assert (length_prefixed(*one) == length_prefixed(*other)) == (one == other)


@given(st.binary(max_size=20), st.integers(0, 20))
def test_moving_a_border_between_parts_changes_the_bytes(joined: bytes, border: int) -> None:
    moved = (border + 1) % (len(joined) + 1)
    border = border % (len(joined) + 1)
    one, other = (joined[:border], joined[border:]), (joined[:moved], joined[moved:])
    assert (length_prefixed(*one) == length_prefixed(*other)) == (one == other)


def test_no_two_derived_values_are_the_same() -> None:
    windows = [WINDOW, WINDOW + 1]
    deployments = [DEPLOYMENT, OTHER_DEPLOYMENT]
    seed = seed_of(WINDOW)
    values: list[bytes] = []
    for window, deployment in itertools.product(windows, deployments):
        opened = opening(deployment, window, seed)
        values += [proof_key(deployment, window, seed).reveal(), opened.reveal()]
        values += [bytes.fromhex(gate_value(deployment, window, opened).text())]
        values += [check_value(deployment, window, opened, code_of(seed, window))]
    assert len(set(values)) == 16


def test_a_verifier_lets_through_its_own_code_and_opening() -> None:
    brought = keys()
    verifier().require(DEPLOYMENT, brought.code, brought.opening)


OTHERS = {
    "the code of the next window": (WINDOW + 1, DEPLOYMENT, WINDOW, DEPLOYMENT),
    "the code of the last window": (WINDOW + -1, DEPLOYMENT, WINDOW, DEPLOYMENT),
    "the opening of the next window": (WINDOW, DEPLOYMENT, WINDOW + 1, DEPLOYMENT),
    "the opening of the last window": (WINDOW, DEPLOYMENT, WINDOW + -1, DEPLOYMENT),
    "both of the next window": (WINDOW + 1, DEPLOYMENT, WINDOW + 1, DEPLOYMENT),
    "the opening of another deployment": (WINDOW, DEPLOYMENT, WINDOW, OTHER_DEPLOYMENT),
    "both of another deployment": (WINDOW, OTHER_DEPLOYMENT, WINDOW, OTHER_DEPLOYMENT),
}


@pytest.mark.parametrize(("code_at", "code_in", "opened_at", "opened_in"), OTHERS.values(), ids=OTHERS)
def test_a_code_or_opening_of_another_window_or_deployment_is_refused(
    code_at: Window, code_in: str, opened_at: Window, opened_in: str
) -> None:
    code, opened = keys(code_at, code_in).code, keys(opened_at, opened_in).opening
    with pytest.raises(WrongCode):
        verifier().require(DEPLOYMENT, code, opened)


def test_a_verifier_of_another_deployment_lets_nothing_through() -> None:
    brought = keys()
    with pytest.raises(WrongCode):
        verifier(deployment=OTHER_DEPLOYMENT).require(DEPLOYMENT, brought.code, brought.opening)
    with pytest.raises(WrongCode):
        verifier().require(OTHER_DEPLOYMENT, brought.code, brought.opening)


def test_of_a_million_codes_one_is_right() -> None:
    """A sample of them, and the neighbours of the right one."""
    right = int(keys().code.reveal())
    known, opened = verifier(), keys().opening
    for number in {right - 1, right + 1, 0, 999_999, *range(0, 1_000_000, 9_973)} - {right}:
        with pytest.raises(WrongCode):
            known.require(DEPLOYMENT, Code(f"{number:06d}".encode()), opened)


@given(st.integers(0, 255))
def test_an_opening_with_one_bit_changed_is_refused(bit: int) -> None:
    flipped = int.from_bytes(keys().opening.reveal(), "big") ^ (1 << bit)
    with pytest.raises(WrongCode):
        verifier().require(DEPLOYMENT, keys().code, gate.Opening(flipped.to_bytes(32, "big")))


def test_the_check_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    real = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    brought = keys()
    verifier().require(DEPLOYMENT, brought.code, brought.opening)
    assert compared == [verifier().check]


def test_an_opening_is_read_as_it_is_written() -> None:
    opened = keys().opening
    assert parse_opening(opened.hex()) == opened
    assert opened.hex() == opened.reveal().hex()
    assert len(opened.hex()) == 64


HEX = "6861a012739458739addad566bd814f2e132f59431127a17ee067f8ba13e9b93"

NOT_OPENINGS = {
    "nothing": "",
    "upper case": HEX.upper(),
    "one letter in upper case": HEX.replace("a", "A", 1),
    "63 digits": HEX[:-1],
    "65 digits": HEX + "0",
    "a space before": f" {HEX}",
    "a space after": f"{HEX} ",
    "spaces between bytes, as bytes.fromhex allows": f"{HEX[:2]} {HEX[2:]}",
    "a space for a digit": f"{HEX[:-1]} ",
    "a new line after": f"{HEX}\n",
    "a prefix": f"0x{HEX[2:]}",
    "another letter": f"{HEX[:-1]}g",
    "full-width digits": HEX.replace("0", full_width("0")),
    "Arabic digits": HEX.replace("1", arabic("1")),
    "two openings": f"{HEX}, {HEX}",
    "quotation marks": f'"{HEX[2:]}"',
    "base64": "aGGgEnOUWHOa3a1Wa9gU8uEy9ZQxEnoX7gZ/i6E+m5M=",
    "a null": f"{HEX[:-1]}\0",
}


@pytest.mark.parametrize("text", NOT_OPENINGS.values(), ids=NOT_OPENINGS)
def test_anything_but_64_lower_case_hexadecimal_digits_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match=r"^an opening is 64 lower-case hexadecimal digits$"):
        parse_opening(text)


def test_a_gate_value_fits_where_an_external_id_goes() -> None:
    """STS takes 2 to 1,224 characters of a set that has the hexadecimal digits."""
    assert len(gate_value(DEPLOYMENT, WINDOW, keys().opening).text()) == 64
