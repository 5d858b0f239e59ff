from __future__ import annotations

import base64
import hmac
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.core.codes import Code
from remediator.core.errors import BadSignature, Expired, Malformed, Untrusted, WrongCode
from remediator.core.messages import COMPONENTS, Fields, Request, content_digest, parse, sign
from remediator.core.windows import Window, open_at, staged_at, window_at
from tests.core import rederived
from tests.core.scene import (
    BODY,
    CREATED,
    DEPLOYMENT,
    KEY,
    OTHER_DEPLOYMENT,
    PATH,
    WINDOW,
    Forgery,
    Message,
    keys,
    verifier,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.core.gate import WindowKeys

REQUEST = Request("POST", PATH, BODY, KEY)
NEXT, LAST = WINDOW + 1, WINDOW + -1


def signed(request: Request = REQUEST, by: WindowKeys | None = None, *, created: int = CREATED) -> Message:
    """Return a request as the caller sends it."""
    fields = sign(request, by or keys(), created=created)
    return Message(request.method, request.path, fields | {"content-type": "application/json"}, request.body)


def test_what_is_signed_is_accepted() -> None:
    message = signed().accepted()
    assert message.request == REQUEST
    assert (message.window, message.created) == (WINDOW, CREATED)
    assert (message.code, message.opening) == (keys().code, keys().opening)


def test_what_is_signed_is_what_the_protocols_text_gives() -> None:
    derived = rederived.derive(bytes(range(32)), DEPLOYMENT, WINDOW.number)
    params = rederived.parameters(CREATED, WINDOW.number)
    values = {
        "@method": "POST",
        "@path": PATH,
        "content-digest": rederived.digest_field(BODY),
        "idempotency-key": KEY,
        "remediation-code": derived.code,
        "remediation-opening": derived.opening.hex(),
    }
    base = rederived.signature_base(values, params)
    assert sign(REQUEST, keys(), created=CREATED) == {
        "content-digest": values["content-digest"],
        "idempotency-key": KEY,
        "remediation-code": derived.code,
        "remediation-opening": derived.opening.hex(),
        "signature-input": f"remediator={params}",
        "signature": f"remediator=:{rederived.signature(derived.proof_key, base)}:",
    }


def test_a_forgery_that_forges_nothing_is_accepted() -> None:
    """What the tests of refused forms start from is right in itself."""
    assert Forgery().signed().accepted().request == REQUEST


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        (b"", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
        (b'{"hello": "world"}\n', "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"),
    ],
)
def test_a_content_digest_is_that_of_rfc_9530(body: bytes, digest: str) -> None:
    """The second is the digest of RFC 9530, appendix B.1, which includes the line's end."""
    assert content_digest(body) == digest


@given(
    st.sampled_from(["POST", "PUT", "GET", "DELETE", "PATCH"]),
    st.from_regex(r"/v1/[A-Za-z0-9/-]{1,80}", fullmatch=True),
    st.binary(max_size=2000),
    st.from_regex(r"[A-Za-z0-9-]{16,64}", fullmatch=True),
    st.integers(1, 10**12 // 300 - 1).map(Window),
    st.integers(0, 299),
)
def test_every_request_that_may_be_signed_is_accepted(
    method: str, path: str, body: bytes, key: str, window: Window, offset: int
) -> None:
    request, created = Request(method, path, body, key), window.not_before + offset
    assert signed(request, keys(window), created=created).accepted(created).request == request


@pytest.mark.parametrize("order", [*itertools.permutations(COMPONENTS)][::7])
def test_the_components_may_be_in_any_order(order: tuple[str, ...]) -> None:
    assert Forgery(components=tuple(f'"{name}"' for name in order)).signed().accepted()


PARAMETERS = (f"created={CREATED}", f'keyid="{WINDOW}"', 'tag="remediator/v1"', 'alg="hmac-sha256"')


@pytest.mark.parametrize(
    "order", [*itertools.permutations(PARAMETERS), *itertools.permutations(PARAMETERS[:3])], ids="-".join
)
def test_the_parameters_may_be_in_any_order_and_the_algorithm_may_be_left_out(order: tuple[str, ...]) -> None:
    assert Forgery(params="".join(f";{one}" for one in order)).signed().accepted()


@pytest.mark.parametrize("label", ["a", "sig1", "pyhms", "*", "*x", "a.b-c_d*9"])
def test_the_label_is_the_callers_choice(label: str) -> None:
    assert Forgery(label=label).signed().accepted()


@pytest.mark.parametrize(("created", "off"), [(CREATED, 0), (CREATED, 60), (CREATED, -60), (CREATED, 59.999)])
def test_a_signature_up_to_a_minute_away_is_timely(created: int, off: float) -> None:
    signed(created=created).parsed().require_timely(created + off)


@pytest.mark.parametrize("off", [60.001, -60.001, 61, -61, 90])
def test_a_signature_more_than_a_minute_away_is_refused(off: float) -> None:
    with pytest.raises(Expired, match="too far from the verifier's"):
        signed().parsed().require_timely(CREATED + off)


START, END = WINDOW.not_before, WINDOW.not_after


@pytest.mark.parametrize(
    ("created", "now"),
    [(START, START), (START, START + 60), (END - 1, END - 1), (END - 1, END), (END - 1, END + 59), (START + 59, START)],
)
def test_a_signature_made_in_its_window_is_timely_up_to_its_edges(created: int, now: float) -> None:
    signed(created=created).parsed().require_timely(now)


@pytest.mark.parametrize(
    ("created", "now", "reason"),
    [
        (START, START - 0.001, "the window isn't live"),
        (START + 30, START - 1, "the window isn't live"),
        (START - 1, START, "wasn't created in its window"),
        (START - 30, START + 10, "wasn't created in its window"),
        (END, END, "wasn't created in its window"),
        (END + 30, END + 30, "wasn't created in its window"),
        (END - 1, END + 59.001, "too far"),
        (END - 1, END + 60, "the window isn't live"),
        (END + 59, END + 59, "wasn't created in its window"),
        (START + 61, START, "too far"),
    ],
)
def test_a_signature_outside_its_window_is_refused_at_every_edge(created: int, now: float, reason: str) -> None:
    with pytest.raises(Expired, match=reason):
        signed(created=created).parsed().require_timely(now)


@given(st.integers(10**6, 2**34), st.integers(-310, 310), st.integers(-310, 310), st.integers(-3, 3))
def test_nothing_is_accepted_outside_its_window_whatever_the_clocks_say(
    now: int, callers: int, rotators: int, step: int
) -> None:
    """I1: the verifier's clock decides, however far the caller's and the rotator's are off, within 310 seconds."""
    window = window_at(now + callers) + step
    message = signed(by=keys(window), created=now + callers)
    known = {one: verifier(one) for one in (*staged_at(now - 300 + rotators), *open_at(now + rotators))}
    try:
        message.accepted(now)
        accepted = window in known
    except Untrusted:
        accepted = False
    if accepted:
        assert window.not_before <= now < window.not_after + 60
        assert abs(callers) <= 60
        assert step == 0
    elif window in known and window.honoured_at(now) and step == 0:
        assert abs(callers) > 60


@given(st.integers(10**6, 2**34))
def test_a_caller_whose_clock_is_right_is_always_accepted(now: int) -> None:
    assert signed(by=keys(window_at(now)), created=now).accepted(now)


TAMPERED: dict[str, Callable[[Message], Message]] = {
    "method": lambda message: replace(message, method="PUT"),
    "path": lambda message: replace(message, path=PATH + "/" + KEY + "/rollback"),
    "a longer path": lambda message: replace(message, path=PATH + "/"),
    "body, with its digest": lambda message: replace(message, body=BODY + b" ").having(
        content_digest=content_digest(BODY + b" ")
    ),
    "key": lambda message: message.having(idempotency_key=KEY[::-1]),
    "created": lambda message: message.having(
        signature_input=message.headers["signature-input"].replace(str(CREATED), str(CREATED + 1))
    ),
    "window": lambda message: message.having(
        signature_input=message.headers["signature-input"].replace(str(WINDOW), str(NEXT))
    ),
    "an algorithm added": lambda message: message.having(
        signature_input=message.headers["signature-input"] + ';alg="hmac-sha256"'
    ),
    "the components' order": lambda message: message.having(
        signature_input=message.headers["signature-input"].replace('"@method" "@path"', '"@path" "@method"')
    ),
    "the parameters' order": lambda message: message.having(
        signature_input=message.headers["signature-input"].replace(
            f';created={CREATED};keyid="{WINDOW}"', f';keyid="{WINDOW}";created={CREATED}'
        )
    ),
    "code": lambda message: message.having(remediation_code="007615"),
    "opening": lambda message: message.having(remediation_opening=message.headers["remediation-opening"][::-1]),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED)
def test_a_signature_is_worth_nothing_for_another_request(tamper: Callable[[Message], Message]) -> None:
    message = tamper(signed())
    with pytest.raises(BadSignature, match=r"^the signature isn't this request's$"):
        message.parsed().require_signed(keys().proof_key)


def test_a_label_is_no_part_of_what_is_signed() -> None:
    """As in RFC 9421; nothing here reads it."""
    message = signed()
    renamed = {name: message.headers[name].replace("remediator=", "sig1=") for name in ("signature-input", "signature")}
    assert replace(message, headers=message.headers | renamed).accepted()


@pytest.mark.parametrize(("window", "deployment"), [(NEXT, DEPLOYMENT), (LAST, DEPLOYMENT), (WINDOW, OTHER_DEPLOYMENT)])
def test_a_signature_by_the_key_of_another_window_or_deployment_is_refused(window: Window, deployment: str) -> None:
    message = signed(by=replace(keys(), proof_key=keys(window, deployment).proof_key))
    with pytest.raises(BadSignature):
        message.accepted()


@pytest.mark.parametrize("window", [NEXT, LAST])
def test_a_request_of_another_window_under_this_windows_number_is_refused(window: Window) -> None:
    with pytest.raises(WrongCode):
        signed(by=replace(keys(window), window=WINDOW)).accepted()


@pytest.mark.parametrize(("window", "reason"), [(NEXT, "isn't live"), (LAST, "isn't live")])
def test_a_request_of_another_window_is_refused_by_the_clock(window: Window, reason: str) -> None:
    with pytest.raises(Expired, match=reason):
        signed(by=keys(window), created=window.not_before + 100).accepted(CREATED)


def test_a_right_signature_does_not_make_up_for_a_wrong_code() -> None:
    with pytest.raises(WrongCode):
        signed(by=replace(keys(), code=Code(b"007615"))).accepted()


def test_a_right_signature_does_not_make_up_for_a_wrong_opening() -> None:
    with pytest.raises(WrongCode):
        signed(by=replace(keys(), opening=keys(NEXT).opening)).accepted()


@given(st.integers(0, 255))
def test_a_signature_with_one_bit_changed_is_refused(bit: int) -> None:
    message = signed()
    label, _, mac = message.headers["signature"].partition("=")
    flipped = int.from_bytes(base64.b64decode(mac[1:-1]), "big") ^ (1 << bit)
    forged = base64.b64encode(flipped.to_bytes(32, "big")).decode()
    with pytest.raises(BadSignature):
        message.having(signature=f"{label}=:{forged}:").accepted()


def test_signatures_and_digests_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, ...]] = []
    real = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    message = signed()
    monkeypatch.setattr(hmac, "compare_digest", watched)
    message.parsed().require_signed(keys().proof_key)
    digest = content_digest(BODY)
    mac = base64.b64decode(message.headers["signature"].partition("=:")[2][:-1])
    assert compared == [(digest, digest), (mac, mac)]


def test_field_names_are_lower_case_whatever_case_they_came_in() -> None:
    fields = Fields({name.title(): value for name, value in signed().headers.items()})
    assert parse("POST", PATH, fields, BODY).request == REQUEST
    assert len(fields) == len(list(fields)) == 7
    assert repr(Fields({"Remediation-Code": "007614"})) == "<Fields ['remediation-code']>"


@pytest.mark.parametrize("name", ["Remediation-Code", "REMEDIATION-CODE", "remediation-Code"])
def test_a_field_that_came_twice_is_one_value_whatever_case_its_names_had(name: str) -> None:
    fields = Fields({"remediation-code": "007614", name: "007614"})
    assert fields["remediation-code"] == "007614, 007614"
    with pytest.raises(Malformed, match="six ASCII digits"):
        parse("POST", PATH, Fields(signed().headers | {name: "007614"}), BODY)
