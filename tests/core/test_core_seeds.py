from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.core.errors import Malformed, Untrusted
from remediator.core.seeds import (
    EPOCH,
    RING,
    Seed,
    SeedRecord,
    new_seed,
    parse_record,
    slot_of,
    vault_name_of,
    version_of,
)
from remediator.core.windows import LAST, Window
from tests.core.lookalikes import full_width
from tests.core.scene import DEPLOYMENT, OTHER_DEPLOYMENT, SEED, WINDOW

RECORD = {
    "version": 1,
    "deployment": DEPLOYMENT,
    "window": 5_984_850,
    "secret": "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPQ",
    "algorithm": "SHA256",
    "digits": 6,
    "period": 300,
    "not_before": 1_795_455_000,
    "not_after": 1_795_455_300,
}


def test_a_record_is_written_as_the_protocol_has_it() -> None:
    assert json.loads(SeedRecord(DEPLOYMENT, WINDOW, SEED).to_json()) == RECORD


def test_a_record_is_read_in_any_order_and_with_any_white_space() -> None:
    text = json.dumps(dict(reversed(RECORD.items())), indent=4)
    assert parse_record(text) == SeedRecord(DEPLOYMENT, WINDOW, SEED)


@given(
    st.from_regex(r"[A-Za-z0-9-]{1,64}", fullmatch=True),
    st.integers(0, LAST).map(Window),
    st.binary(min_size=32, max_size=32),
)
def test_a_record_comes_back_as_it_was(deployment: str, window: Window, seed: bytes) -> None:
    record = SeedRecord(deployment, window, Seed(seed))
    assert parse_record(record.to_json()) == record
    assert base64.b32decode(json.loads(record.to_json())["secret"] + "====") == seed


def having(**fields: Any) -> str:
    return json.dumps(RECORD | fields)


def without(name: str) -> str:
    return json.dumps({field: value for field, value in RECORD.items() if field != name})


STRAY_BITS = RECORD["secret"][:-1] + "R"  # type: ignore[index]  # a text

NOT_RECORDS = {
    "nothing": "",
    "no JSON": "{",
    "two documents": json.dumps(RECORD) * 2,
    "a list": json.dumps([RECORD]),
    "a text": json.dumps("secret"),
    "null": "null",
    "an empty object": "{}",
    "nested too deep to be read": "[" * 100_000,
    "nested deep inside": having(algorithm=None).replace("null", "[" * 500 + "]" * 500),
    "a name given twice": json.dumps(RECORD)[:-1] + ', "window": 5984850}',
    "a name given twice inside": having(algorithm={"a": 1}).replace('{"a": 1}', '{"a": 1, "a": 2}'),
    "an unknown name": having(slot=0),
    **{f"no {name}": without(name) for name in RECORD},
    **{f"{name} is null": having(**{name: None}) for name in RECORD},
    **{f"{name} is a list": having(**{name: [value]}) for name, value in RECORD.items()},
    **{
        f"{name} is a decimal": having(**{name: float(value)})
        for name, value in RECORD.items()
        if isinstance(value, int)
    },
    **{f"{name} is a text": having(**{name: str(value)}) for name, value in RECORD.items() if isinstance(value, int)},
    "version true": having(version=True),
    "version 2": having(version=2),
    "version 0": having(version=0),
    "window true": having(window=True),
    "another window than its times": having(window=5_984_851),
    "another not_before": having(not_before=1_795_455_001),
    "another not_after": having(not_after=1_795_455_360),
    "a window before 1970": having(window=-1, not_before=-300, not_after=0),
    "a window of 13 digits": having(window=10**12, not_before=3 * 10**14, not_after=3 * 10**14 + 300),
    "a window too large to count": having(window=0).replace('"window": 0', '"window": ' + "9" * 5000),
    "a window that is no number": having(window=float("nan")),
    "an endless window": having(window=float("inf")),
    "a window as a power": having(window=0).replace('"window": 0', '"window": 5984850e0'),
    "SHA-1": having(algorithm="SHA1"),
    "a lower-case algorithm": having(algorithm="sha256"),
    "8 digits": having(digits=8),
    "a period of 30 seconds": having(period=30),
    "an empty deployment": having(deployment=""),
    "a deployment with a slash": having(deployment="a/b"),
    "a deployment of 65 characters": having(deployment="d" * 65),
    "a deployment that is no Unicode": having(deployment="\ud800"),
    "a deployment with a new line": having(deployment=DEPLOYMENT + "\n"),
    "a secret in lower case": having(secret=str(RECORD["secret"]).lower()),
    "a secret with padding": having(secret=f"{RECORD['secret']}===="),
    "a secret with a space": having(secret=f" {RECORD['secret']}"),
    "a secret with a new line": having(secret=f"{RECORD['secret']}\n"),
    "a secret with stray bits": having(secret=STRAY_BITS),
    "a secret with digits that base32 lacks": having(secret=str(RECORD["secret"]).replace("A", "1")),
    "a secret in full-width letters": having(secret=full_width("A" * 52)),
    "a short secret": having(secret=str(RECORD["secret"])[:-1]),
    "a long secret": having(secret=f"{RECORD['secret']}A"),
    "no secret at all": having(secret=""),
    "a secret in hexadecimal": having(secret=SEED.reveal().hex()),
}


@pytest.mark.parametrize("text", NOT_RECORDS.values(), ids=NOT_RECORDS)
def test_anything_but_a_record_of_version_1_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_record(text)
    assert str(RECORD["secret"])[:20] not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_stray_bits_would_have_meant_the_same_seed() -> None:
    assert base64.b32decode(STRAY_BITS + "====") == SEED.reveal()


@given(st.text())
def test_no_text_makes_the_reader_fail_in_another_way(text: str) -> None:
    with pytest.raises(Malformed):
        parse_record(text)


@given(st.data())
def test_a_record_with_one_value_changed_is_refused(data: st.DataObject) -> None:
    """Only another secret of the right form may be told apart by nobody, and then it is another seed."""
    name = data.draw(st.sampled_from([one for one in RECORD if one not in ("secret", "deployment")]))
    value = data.draw(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.none())))
    if (type(value), value) != (type(RECORD[name]), RECORD[name]):
        with pytest.raises(Malformed):
            parse_record(having(**{name: value}))


def test_a_new_seed_is_the_entropy_it_is_given() -> None:
    asked: list[int] = []

    def entropy(size: int) -> bytes:
        asked.append(size)
        return bytes(range(size))

    assert new_seed(entropy) == SEED
    assert asked == [32]


def test_entropy_that_gives_less_makes_no_seed() -> None:
    with pytest.raises(Malformed):
        new_seed(lambda size: os.urandom(size - 1))


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_seed_has_32_bytes(size: int) -> None:
    with pytest.raises(Malformed, match="32 bytes"):
        Seed(b"x" * size)


def test_what_is_malformed_is_untrusted() -> None:
    assert issubclass(Malformed, Untrusted)


@given(st.integers(0, LAST - RING))
def test_six_windows_in_a_row_have_six_slots_and_then_they_come_round(number: int) -> None:
    slots = [slot_of(Window(number + step)) for step in range(RING)]
    assert sorted(slots) == [0, 1, 2, 3, 4, 5]
    assert slot_of(Window(number + RING)) == slots[0]
    assert slots[0] == number % 6


def test_a_slot_stays_under_100_versions_a_day_even_if_every_write_happens_twice() -> None:
    windows_a_day = 86_400 // 300
    assert 2 * windows_a_day // RING <= 100 < 2 * windows_a_day // (RING - 1)


def test_a_vault_s_six_names_hold_for_four_days_and_then_there_are_six_new_ones() -> None:
    assert vault_name_of(Window(5_984_850)) == "seed-5195-0"
    first = Window(5_195 * EPOCH)
    names = [vault_name_of(first + step) for step in range(EPOCH)]
    assert names == [f"seed-5195-{step % RING}" for step in range(EPOCH)]
    assert vault_name_of(first + EPOCH) == "seed-5196-0"


def test_a_version_is_a_pure_function_of_deployment_and_window() -> None:
    text = f"remediator/v1/version/{DEPLOYMENT}/5984850"
    assert version_of(DEPLOYMENT, WINDOW) == hashlib.sha256(text.encode()).hexdigest()
    assert version_of(DEPLOYMENT, WINDOW) == "eb4be95556b552f1238c126132888403387f81112cc76aaabc1e1316393738a9"
    assert version_of(DEPLOYMENT, WINDOW + 1) != version_of(DEPLOYMENT, WINDOW)
    assert version_of(OTHER_DEPLOYMENT, WINDOW) != version_of(DEPLOYMENT, WINDOW)


def test_a_version_fits_where_a_request_token_goes() -> None:
    assert 32 <= len(version_of(DEPLOYMENT, WINDOW)) <= 64
