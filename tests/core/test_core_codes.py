from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.core.codes import code_of, hotp, parse_code
from remediator.core.errors import Malformed
from remediator.core.seeds import Seed
from remediator.core.windows import LAST, Window
from tests.core import rederived, vectors
from tests.core.lookalikes import arabic, full_width

SEEDS = st.binary(min_size=32, max_size=32).map(Seed)
WINDOWS = st.integers(0, LAST).map(Window)


@pytest.mark.parametrize(("counter", "digits"), list(enumerate(vectors.HOTP)))
def test_hotp_is_that_of_rfc_4226_appendix_d(counter: int, digits: str) -> None:
    assert hotp(vectors.HOTP_SECRET, counter, digits=6, algorithm="sha1") == digits


@pytest.mark.parametrize(("time", "algorithm", "digits"), vectors.TOTP)
def test_totp_is_that_of_rfc_6238_appendix_b_with_the_seeds_of_erratum_2866(
    time: int, algorithm: str, digits: str
) -> None:
    assert hotp(vectors.TOTP_SEEDS[algorithm], time // 30, digits=8, algorithm=algorithm) == digits


@pytest.mark.parametrize(("time", "algorithm", "digits"), vectors.FIVE_MINUTES)
def test_a_period_of_five_minutes_changes_nothing_but_the_counter(time: int, algorithm: str, digits: str) -> None:
    assert hotp(vectors.TOTP_SEEDS[algorithm], time // 300, digits=6, algorithm=algorithm) == digits


@pytest.mark.parametrize(
    ("time", "digits"), [(time, digits) for time, algorithm, digits in vectors.FIVE_MINUTES if algorithm == "sha256"]
)
def test_a_windows_code_is_the_totp_of_any_moment_in_it(time: int, digits: str) -> None:
    code = code_of(Seed(vectors.TOTP_SEEDS["sha256"]), Window(time // 300))
    assert code.reveal().decode() == digits


@given(SEEDS, WINDOWS)
def test_a_windows_code_is_totp_at_its_start_and_hotp_with_its_number(seed: Seed, window: Window) -> None:
    code = code_of(seed, window).reveal().decode("ascii")
    assert code == rederived.totp(seed.reveal(), window.not_before)
    assert code == rederived.totp(seed.reveal(), window.not_after - 1)
    assert code == hotp(seed.reveal(), window.number, digits=6, algorithm="sha256")


@given(SEEDS, WINDOWS)
def test_a_code_always_has_six_ascii_digits(seed: Seed, window: Window) -> None:
    code = code_of(seed, window)
    assert parse_code(code.reveal().decode("ascii")) == code


def test_leading_zeros_are_kept() -> None:
    seed = Seed(bytes(range(32)))
    codes = {number: code_of(seed, Window(number)).reveal() for number in (5_984_850, 5_985_101, 5_985_793)}
    assert codes == {5_984_850: b"007614", 5_985_101: b"005507", 5_985_793: b"000914"}


@pytest.mark.parametrize("text", ["000000", "007614", "999999"])
def test_six_ascii_digits_are_a_code(text: str) -> None:
    assert parse_code(text).reveal() == text.encode()


NOT_CODES = {
    "nothing": "",
    "five digits": "12345",
    "seven digits": "1234567",
    "a space before": " 123456",
    "a space after": "123456 ",
    "a space for a digit": "12345 ",
    "a new line after": "123456\n",
    "a tab before": "\t123456",
    "a letter": "12345a",
    "a sign": "+12345",
    "a minus sign": "-12345",
    "hexadecimal": "0x1234",
    "a point": "1234.5",
    "an underscore, as Python's integers may have": "12_345",
    "two codes": "123456, 123456",
    "quotation marks": '"123456"',
    "Arabic digits": arabic("123456"),
    "full-width digits": full_width("123456"),
    "one mathematical digit": "12345\N{MATHEMATICAL BOLD DIGIT SIX}",
    "a superscript digit": "12345²",
    "a null": "12345\0",
    "a zero-width space": "123456\u200b",
}


@pytest.mark.parametrize("text", NOT_CODES.values(), ids=NOT_CODES)
def test_anything_but_six_ascii_digits_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match=r"^a code is six ASCII digits$"):
        parse_code(text)
