"""Compare the signature, in both directions, with `http-message-signatures` from PyPI; nothing but tests uses it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import http_message_signatures as rfc9421
import pytest

from remediator.core.errors import Malformed
from remediator.core.messages import COMPONENTS
from remediator.core.windows import Window
from tests.core.samples import HOST, SAMPLES, Sample
from tests.core.scene import CREATED, Forgery, Message, keys


@dataclass
class Wire:
    """Hold a request in the form that the library reads and writes."""

    method: str
    url: str
    headers: dict[str, str]


class Keys(rfc9421.HTTPSignatureKeyResolver):
    """Know the proof key of every window."""

    def resolve_public_key(self, key_id: str) -> bytes:
        return keys(Window(int(key_id))).proof_key.reveal()

    def resolve_private_key(self, key_id: str) -> bytes:
        return self.resolve_public_key(key_id)


class Verifier(rfc9421.HTTPMessageVerifier):
    """Leave time out of it: what is signed here is dated as the protocol's worked example is."""

    max_clock_skew = timedelta(days=365 * 200)


def verified(message: Message) -> rfc9421.VerifyResult:
    """Return what the library makes of a message; it raises `InvalidSignature`."""
    verifier = Verifier(signature_algorithm=rfc9421.algorithms.HMAC_SHA256, key_resolver=Keys())
    wire = Wire(message.method, HOST + message.path, message.headers)
    (result,) = verifier.verify(
        wire, max_age=None, expect_tag="remediator/v1", require_components=COMPONENTS, body=message.body
    )
    return result


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_we_sign_the_library_verifies(sample: Sample) -> None:
    result = verified(sample.signed(second=7))
    created = sample.window.not_before + 7
    assert result.parameters == {"created": created, "keyid": str(sample.window), "tag": "remediator/v1"}
    assert set(result.covered_components) == {f'"{name}"' for name in (*COMPONENTS, "@signature-params")}


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("algorithm", [True, False])
def test_what_the_library_signs_with_its_own_digest_we_verify(sample: Sample, *, algorithm: bool) -> None:
    fields = {name: text for name, text in sample.unsigned().items() if name != "content-digest"}
    wire = Wire(sample.request.method, sample.url, fields)
    rfc9421.HTTPMessageSigner(signature_algorithm=rfc9421.algorithms.HMAC_SHA256, key_resolver=Keys()).sign(
        wire,
        key_id=str(sample.window),
        created=datetime.fromtimestamp(sample.window.not_before + 9, UTC),
        tag="remediator/v1",
        include_alg=algorithm,
        covered_component_ids=sample.order,
        body=sample.request.body,
    )
    parsed = sample.believed(wire.headers)
    assert (parsed.request, parsed.window) == (sample.request, sample.window)
    assert parsed.created == sample.window.not_before + 9


@pytest.mark.parametrize("name", ["idempotency-key", "remediation-code", "remediation-opening"])
def test_what_was_changed_the_library_refuses_too(name: str) -> None:
    message = SAMPLES[0].signed(second=7)
    with pytest.raises(rfc9421.InvalidSignature):
        verified(message.having(**{name.replace("-", "_"): message.headers[name][::-1]}))


WIDER = {
    "a component besides": Forgery(components=(*Forgery().components, '"@authority"')),
    "two fields besides": Forgery(components=(*Forgery().components, '"content-type"', '"date"')),
    "a nonce": Forgery(params=f'{Forgery().params};nonce="abc"'),
    "an expiry": Forgery(params=f"{Forgery().params};expires={CREATED + 10**9}"),
}


@pytest.mark.parametrize("wider", [pytest.param(case, id=name) for name, case in WIDER.items()])
def test_what_our_profile_refuses_is_a_right_signature_to_the_library(wider: Forgery) -> None:
    """So the tables of refused forms are no strawmen."""
    message = wider.signed()
    assert verified(message)
    with pytest.raises(Malformed):
        message.parsed()
