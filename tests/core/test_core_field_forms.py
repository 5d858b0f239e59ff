"""Refuse every form of a covered field but one.

Each message here is signed with the right key over just what it says, as RFC 9421 would have it: whoever reads it less
strictly accepts it. None may get as far as a comparison.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediator.core.messages import COMPONENTS
from tests.core.lookalikes import arabic, full_width
from tests.core.rederived import digest_field, encoded
from tests.core.refusal import refused
from tests.core.scene import BODY, KEY, PATH, Forgery

GOOD = Forgery().signed()


@pytest.mark.parametrize(
    "name", [*(name for name in COMPONENTS if not name.startswith("@")), "signature", "signature-input"]
)
def test_a_missing_field_is_refused_by_its_name(name: str) -> None:
    assert refused(GOOD.without(name)) == f"the header {name} is missing"


@pytest.mark.parametrize("name", [name for name in GOOD.headers if name not in ("content-type", "date", "host")])
@pytest.mark.parametrize("join", [",", ", ", "\n", " "])
def test_a_field_that_came_twice_is_refused(name: str, join: str) -> None:
    doubled = f"{GOOD.headers[name]}{join}{GOOD.headers[name]}"
    refused(GOOD.having(**{name.replace("-", "_"): doubled}))
    if not name.startswith("signature"):
        refused(Forgery(fields={name: doubled}).signed())


DIGEST = digest_field(BODY)
RAW = DIGEST[9:-1]
DIGESTS = {
    "nothing": "",
    "SHA-512": f"sha-512=:{encoded(bytes(64))}:",
    "SHA-512 besides": f"{DIGEST}, sha-512=:{encoded(bytes(64))}:",
    "SHA-512 before": f"sha-512=:{encoded(bytes(64))}:, {DIGEST}",
    "another body's besides": f"{DIGEST}, {digest_field(b'')}",
    "another body's before": f"{digest_field(b'')}, {DIGEST}",
    "the digest's name in upper case": DIGEST.replace("sha", "SHA"),
    "another name": DIGEST.replace("sha-256", "sha256"),
    "an old Digest field": f"SHA-256={RAW}",
    "no colons": DIGEST.replace(":", ""),
    "a string": f'sha-256="{RAW}"',
    "a parameter": f"{DIGEST};x",
    "a space before": f" {DIGEST}",
    "a space after": f"{DIGEST} ",
    "a new line after": f"{DIGEST}\n",
    "no padding": f"sha-256=:{RAW[:-1]}:",
    "hexadecimal": f"sha-256=:{'0' * 64}:",
    "SHA-1": f"sha=:{encoded(bytes(20))}:",
    "a short one": f"sha-256=:{encoded(bytes(31))}:",
}


@pytest.mark.parametrize("digest", [pytest.param(case, id=name) for name, case in DIGESTS.items()])
def test_a_digest_in_another_form_is_refused(digest: str) -> None:
    assert refused(Forgery(fields={"content-digest": digest}).signed()) == "Content-Digest is one sha-256 digest"


OTHERS = {
    "another body's": digest_field(BODY + b"\n"),
    "an empty body's": digest_field(b""),
    "stray bits": f"sha-256=:{RAW[:-2]}{chr(ord(RAW[-2]) + 1)}=:",
}


@pytest.mark.parametrize("digest", [pytest.param(case, id=name) for name, case in OTHERS.items()])
def test_a_digest_that_is_not_the_bodys_is_refused(digest: str) -> None:
    assert refused(Forgery(fields={"content-digest": digest}).signed()) == "Content-Digest isn't the body's"


def test_a_body_that_was_changed_under_its_digest_is_refused() -> None:
    assert refused(replace(GOOD, body=BODY.replace(b"plan", b"appl"))) == "Content-Digest isn't the body's"


KEYS = {
    "nothing": "",
    "15 characters": "k" * 15,
    "65 characters": "k" * 65,
    "an underscore": KEY.replace("-", "_"),
    "a dot": KEY.replace("-", "."),
    "a slash": KEY.replace("-", "/"),
    "a way out of its folder": "../../../../../../etc/passwd",
    "a space": KEY.replace("-", " "),
    "a space before": f" {KEY}",
    "a new line after": f"{KEY}\n",
    "an equals sign, which STS would take": KEY.replace("-", "="),
    "quotation marks": f'"{KEY}"',
    "a letter that is not ASCII": KEY.replace("f", "é"),
    "full-width digits": KEY.replace("3", full_width("3")),
    "a percent sign": KEY.replace("-", "%2D"),
    "a null": f"{KEY}\0",
    "a line of a signature base": f'{KEY}\n"remediation-code": 000000',
}


@pytest.mark.parametrize("key", [pytest.param(case, id=name) for name, case in KEYS.items()])
def test_a_key_of_another_form_is_refused(key: str) -> None:
    told = refused(Forgery(fields={"idempotency-key": key}).signed())
    assert told == "an Idempotency-Key is 16 to 64 letters, digits and hyphens"


@pytest.mark.parametrize("key", ["k" * 16, "k" * 64, "A-0" * 10, "-" * 16])
def test_a_key_of_the_protocols_form_is_taken(key: str) -> None:
    assert Forgery(fields={"idempotency-key": key}).signed().accepted().request.key == key


CODES = {
    "upper case": "ABCDEF",
    "a space before": " 007614",
    "five digits": "07614",
    "Arabic digits": arabic("007614"),
    "none": "",
}


@pytest.mark.parametrize("code", [pytest.param(case, id=name) for name, case in CODES.items()])
def test_a_code_of_another_form_is_refused_before_it_is_checked(code: str) -> None:
    """All the forms are in test_core_codes.py."""
    assert refused(Forgery(fields={"remediation-code": code}).signed()) == "a code is six ASCII digits"


OPENING = GOOD.headers["remediation-opening"]
OPENINGS = {"upper case": OPENING.upper(), "a space before": f" {OPENING}", "63 digits": OPENING[1:], "none": ""}


@pytest.mark.parametrize("opening", [pytest.param(case, id=name) for name, case in OPENINGS.items()])
def test_an_opening_of_another_form_is_refused_before_it_is_checked(opening: str) -> None:
    """All the forms are in test_core_gate.py."""
    told = refused(Forgery(fields={"remediation-opening": opening}).signed())
    assert told == "an opening is 64 lower-case hexadecimal digits"


PATHS = {
    "nothing": "",
    "the root": "/",
    "no version": "/remediations",
    "the version alone": "/v1/",
    "another version": "/v2/remediations",
    "an upper-case version": "/V1/remediations",
    "a query": f"{PATH}?mode=apply",
    "an empty query": f"{PATH}?",
    "a fragment": f"{PATH}#x",
    "a parameter": f"{PATH};x=1",
    "a percent-encoded slash": "/v1%2Fremediations",
    "a percent-encoded letter": "/v1/%72emediations",
    "a dot segment": "/v1/./remediations",
    "a way up": "/v1/../v1/remediations",
    "a backslash": "/v1\\remediations",
    "a space": f"{PATH} ",
    "a new line": f"{PATH}\n",
    "a line of a signature base": f'{PATH}\n"content-digest": x',
    "a null": f"{PATH}\0",
    "an underscore": "/v1/remediations_",
    "a whole address": f"https://example.org{PATH}",
    "something before": f"/stage{PATH}",
    "a letter that is not ASCII": "/v1/rémediations",
    "a full-width solidus": f"/v1{full_width('/')}remediations",
    "full-width letters": f"/v1/{full_width('remediations')}",
}


@pytest.mark.parametrize("path", [pytest.param(case, id=name) for name, case in PATHS.items()])
def test_a_path_of_another_form_is_refused(path: str) -> None:
    assert refused(Forgery(path=path).signed()) == "the path has a character that no path of ours has"


METHODS = [
    "",
    "post",
    "Post",
    "POST ",
    " POST",
    "POST\n",
    "PÖST",
    full_width("POST"),
    "P-OST",
    "POST1",
    "X" * 17,
    'A\n"@path": /v1/x',
]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_of_another_form_is_refused(method: str) -> None:
    assert refused(Forgery(method=method).signed()) == "a method is upper-case letters"
