"""A sealed gate's one value, laid over with what a window's opening gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.core.errors import Malformed
from remediator.core.gate import FixedValue, Opening, opening, pad_of, parse_fixed, unsealed
from remediator.core.seeds import Seed
from remediator.core.windows import LAST, Window
from tests.core import rederived, vectors
from tests.core.lookalikes import full_width
from tests.core.scene import DEPLOYMENT, OTHER_DEPLOYMENT, WINDOW, keys

FIXED = FixedValue(bytes(range(32, 64)))
VALUES = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("vector", vectors.SEALED, ids=lambda vector: str(vector.window))
def test_a_pad_is_what_the_vectors_say(vector: vectors.Sealed) -> None:
    fixed, opened = parse_fixed(vector.fixed), Opening(bytes.fromhex(vector.opening))
    pad = pad_of(vector.deployment, Window(vector.window), opened, fixed)
    assert pad.hex() == vector.pad
    assert unsealed(vector.deployment, Window(vector.window), opened, pad).text() == vector.fixed


@given(VALUES, VALUES, st.from_regex(r"[A-Za-z0-9-]{1,64}", fullmatch=True), st.integers(0, LAST))
def test_a_pad_is_what_the_protocols_text_gives_and_its_opening_takes_it_off(
    seed: bytes, fixed: bytes, deployment: str, number: int
) -> None:
    window = Window(number)
    opened = opening(deployment, window, Seed(seed))
    pad = pad_of(deployment, window, opened, FixedValue(fixed))
    assert pad == rederived.laid_over(fixed, rederived.derive(seed, deployment, number).mask)
    assert unsealed(deployment, window, opened, pad).reveal() == fixed


def test_another_windows_or_deployments_opening_gives_another_value() -> None:
    pad = pad_of(DEPLOYMENT, WINDOW, keys().opening, FIXED)
    for window, deployment in ((WINDOW + 1, DEPLOYMENT), (WINDOW, OTHER_DEPLOYMENT)):
        assert unsealed(DEPLOYMENT, WINDOW, keys(window, deployment).opening, pad) != FIXED
        assert unsealed(deployment, window, keys().opening, pad) != FIXED


def test_pads_of_one_value_have_nothing_in_common() -> None:
    pads = [pad_of(DEPLOYMENT, window, keys(window).opening, FIXED) for window in (WINDOW, WINDOW + 1, WINDOW + 2)]
    assert len({*pads, FIXED.reveal()}) == 4


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_pad_or_value_of_another_length_is_refused_and_not_cut(length: int) -> None:
    with pytest.raises(Malformed):
        unsealed(DEPLOYMENT, WINDOW, keys().opening, b"p" * length)
    with pytest.raises(Malformed):
        FixedValue(b"x" * length)


def test_a_value_is_read_as_it_is_written() -> None:
    assert parse_fixed(FIXED.text()) == FIXED
    assert FIXED.text() == bytes(range(32, 64)).hex()


HEX = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"


@pytest.mark.parametrize(
    "text",
    ["", HEX.upper(), HEX[:-1], HEX + "0", f" {HEX}", f"{HEX}\n", f"{HEX[:-1]}g", HEX.replace("0", full_width("0"))],
)
def test_anything_else_is_refused_and_never_quoted(text: str) -> None:
    with pytest.raises(Malformed, match=r"^a sealed gate's value is 64 lower-case hexadecimal digits$"):
        parse_fixed(text)
