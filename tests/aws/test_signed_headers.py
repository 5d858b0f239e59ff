"""What the caller's signature covers, as far as the event shows it."""

from __future__ import annotations

import pytest

from remediator.aws.signed_headers import key_is_signed

PROOF = "AWS4-HMAC-SHA256 Credential=AKIA/20260823/eu-west-1/lambda/aws4_request, SignedHeaders={}, Signature=00"


@pytest.mark.parametrize(
    ("names", "signed"),
    [
        ("content-type;host;idempotency-key;x-amz-date", True),
        ("host;x-amz-date", False),
        ("host;x-idempotency-key", False),
        ("idempotency-key-2;host", False),
    ],
)
def test_a_signature_that_is_shown_covers_the_key(names: str, *, signed: bool) -> None:
    assert key_is_signed({"authorization": PROOF.format(names)}) is signed


def test_another_kind_of_proof_covers_nothing() -> None:
    assert not key_is_signed({"authorization": "Bearer idempotency-key"})


def test_where_the_event_shows_no_signature_there_is_nothing_to_check() -> None:
    assert key_is_signed({})
