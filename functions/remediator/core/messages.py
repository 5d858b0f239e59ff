"""Sign a request, and verify one: a narrow profile of RFC 9421 with HMAC-SHA-256."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.core.codes import Code, parse_code
from remediator.core.errors import BadSignature, Expired, Malformed
from remediator.core.gate import Opening, ProofKey, WindowKeys, parse_opening
from remediator.core.secret import Secret
from remediator.core.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOCK_TOLERANCE: Final = 60
"""How far a signature's `created` may be from the verifier's clock, in seconds."""

COMPONENTS: Final = (
    "@method",
    "@path",
    "content-digest",
    "idempotency-key",
    "remediation-code",
    "remediation-opening",
)
"""What every signature covers: exactly these, in any order."""

METHOD: Final = re.compile(r"[A-Z]{1,16}", re.ASCII)
PATH: Final = re.compile(r"/v1/[A-Za-z0-9/-]+", re.ASCII)
KEY: Final = re.compile(r"[A-Za-z0-9-]{16,64}", re.ASCII)
_DIGEST = re.compile(r"sha-256=:[A-Za-z0-9+/]{43}=:", re.ASCII)
_LABEL = r"(?P<label>[a-z*][a-z0-9_.*-]*)"
_INPUT = re.compile(_LABEL + r'=(?P<params>\((?P<components>"[^"]*"(?: "[^"]*")*)\)(?P<rest>(?:;[a-z]+=[^;]+)+))')
_SIGNATURE = re.compile(_LABEL + r"=:(?P<mac>[A-Za-z0-9+/]{43}=):", re.ASCII)
_PARAMETERS = {
    "created": re.compile(r"[1-9][0-9]{0,11}", re.ASCII),
    "keyid": re.compile(r'"[1-9][0-9]{0,11}"', re.ASCII),
    "tag": re.compile(r'"remediator/v1"', re.ASCII),
    "alg": re.compile(r'"hmac-sha256"', re.ASCII),
}
_OPTIONAL = {"alg"}
_SIGNING = ("remediation-opening", "signature-input", "signature")


class _Base(Secret):
    """Hold a signature base: it contains the code and the opening."""

    __slots__ = ()


class Fields(Mapping[str, str]):
    """Hold header fields under lower-case names; show the names alone, since some values are secrets.

    Two names that differ in case alone are one field that came twice: one value, joined by a comma (RFC 9110, 5.3).
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields: dict[str, str] = {}
        for name, value in fields.items():
            before = self._fields.get(name.lower())
            self._fields[name.lower()] = value if before is None else f"{before}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"<Fields {sorted(self._fields)}>"


@dataclass(frozen=True, slots=True)
class Request:
    """Say what is asked: everything a signature binds except the secrets. `body` is the bytes as sent."""

    method: str
    path: str
    body: bytes
    key: str


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """Hold a well-formed signed request; nothing about it has been believed yet."""

    request: Request
    window: Window
    created: int
    code: Code
    opening: Opening
    _base: _Base
    _mac: bytes

    def require_timely(self, now: float) -> None:
        """Raise `Expired` unless window and signature are live at `now`, which is Unix time in seconds."""
        self.window.require_honoured(now)
        if not self.window.not_before <= self.created < self.window.not_after:
            raise Expired("the signature wasn't created in its window")
        if abs(now - self.created) > CLOCK_TOLERANCE:
            raise Expired("the signature's time is too far from the verifier's")

    def require_signed(self, key: ProofKey) -> None:
        """Raise `BadSignature` unless `key` made the signature over exactly this request."""
        if not hmac.compare_digest(self._mac, _mac(key, self._base)):
            raise BadSignature("the signature isn't this request's")


@dataclass(frozen=True, slots=True)
class BareMessage:
    """Hold a well-formed request with a code that a person passed on; nothing about it has been believed yet."""

    request: Request
    code: Code


def content_digest(body: bytes) -> str:
    """Return the `Content-Digest` field of RFC 9530 for a body."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def sign(request: Request, keys: WindowKeys, *, created: int) -> dict[str, str]:
    """Return the header fields that make `request` a signed one; `created` is Unix time in seconds."""
    fields = {
        "content-digest": content_digest(request.body),
        "idempotency-key": request.key,
        "remediation-code": keys.code.reveal().decode("ascii"),
        "remediation-opening": keys.opening.hex(),
    }
    covered = " ".join(f'"{name}"' for name in COMPONENTS)
    params = f'({covered});created={created};keyid="{keys.window}";tag="remediator/v1"'
    mac = _mac(keys.proof_key, _signature_base(request, fields, COMPONENTS, params))
    return fields | {
        "signature-input": f"remediator={params}",
        "signature": f"remediator=:{base64.b64encode(mac).decode()}:",
    }


def show(request: Request, code: Code) -> dict[str, str]:
    """Return the header fields of a request that shows a code alone; nothing in them is a signature."""
    return {
        "content-digest": content_digest(request.body),
        "idempotency-key": request.key,
        "remediation-code": code.reveal().decode("ascii"),
    }


def is_bare(headers: Mapping[str, str]) -> bool:
    """Tell whether a request shows a code and nothing of what signs one; with any part of it, it is a signed one."""
    return "remediation-code" in headers and not any(name in headers for name in _SIGNING)


def parse_bare(method: str, path: str, headers: Mapping[str, str], body: bytes) -> BareMessage:
    """Read a request that shows a code alone, or raise `Malformed`; no message quotes a field's value.

    A digest isn't needed; one that is sent is the body's.
    """
    _require_line(method, path)
    request = Request(method, path, body, parse_key(_field(headers, "idempotency-key")))
    if "content-digest" in headers:
        _require_digest(headers["content-digest"], body)
    return BareMessage(request, parse_code(_field(headers, "remediation-code")))


def parse(method: str, path: str, headers: Mapping[str, str], body: bytes) -> SignedMessage:
    """Read a signed request, or raise `Malformed`; no message quotes a field's value.

    `headers` has lower-case names; a field that came twice is one value joined by commas, which no pattern here allows.
    """
    _require_line(method, path)
    fields = Fields({name: _field(headers, name) for name in COMPONENTS if not name.startswith("@")})
    request = Request(method, path, body, parse_key(fields["idempotency-key"]))
    code, opening = parse_code(fields["remediation-code"]), parse_opening(fields["remediation-opening"])
    _require_digest(fields["content-digest"], body)
    label, components, params, parameters = _signature_input(_field(headers, "signature-input"))
    mac = _signature(_field(headers, "signature"), label)
    base = _signature_base(request, fields, components, params)
    window = Window(int(parameters["keyid"].strip('"')))
    return SignedMessage(request, window, int(parameters["created"]), code, opening, base, mac)


def parse_key(text: str) -> str:
    """Read an `Idempotency-Key`, which is the remediation's id and the role session's name, or raise `Malformed`."""
    if not KEY.fullmatch(text):
        raise Malformed("an Idempotency-Key is 16 to 64 letters, digits and hyphens")
    return text


def _require_line(method: str, path: str) -> None:
    if not METHOD.fullmatch(method):
        raise Malformed("a method is upper-case letters")
    if not PATH.fullmatch(path):
        raise Malformed("the path has a character that no path of ours has")


def _field(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if value is None:
        raise Malformed(f"the header {name} is missing")
    return value


def _require_digest(field: str, body: bytes) -> None:
    if not _DIGEST.fullmatch(field):
        raise Malformed("Content-Digest is one sha-256 digest")
    if not hmac.compare_digest(field, content_digest(body)):
        raise Malformed("Content-Digest isn't the body's")


def _signature_input(field: str) -> tuple[str, tuple[str, ...], str, dict[str, str]]:
    match = _INPUT.fullmatch(field)
    if not match:
        raise Malformed("Signature-Input isn't one signature in canonical form")
    components = tuple(match["components"][1:-1].split('" "'))
    if sorted(components) != sorted(COMPONENTS):
        raise Malformed("a signature covers exactly the components of protocol.md")
    return match["label"], components, match["params"], _parameters(match["rest"])


def _parameters(text: str) -> dict[str, str]:
    pairs = [pair.split("=", 1) for pair in text[1:].split(";")]
    parameters = {name: value for name, value in pairs}  # noqa: C416 - typed as strings this way
    if len(parameters) != len(pairs) or not _PARAMETERS.keys() - _OPTIONAL <= parameters.keys() <= _PARAMETERS.keys():
        raise Malformed("a signature has exactly the parameters of protocol.md")
    for name, value in parameters.items():
        if not _PARAMETERS[name].fullmatch(value):
            raise Malformed(f"the signature parameter {name} isn't what protocol.md allows")
    return parameters


def _signature(field: str, label: str) -> bytes:
    match = _SIGNATURE.fullmatch(field)
    if not match or match["label"] != label:
        raise Malformed("Signature isn't the one that Signature-Input names")
    mac = base64.b64decode(match["mac"])
    if base64.b64encode(mac).decode() != match["mac"]:
        raise Malformed("Signature isn't canonical base64")
    return mac


def _signature_base(request: Request, fields: Mapping[str, str], components: tuple[str, ...], params: str) -> _Base:
    values = {**fields, "@method": request.method, "@path": request.path}
    lines = [f'"{name}": {values[name]}' for name in components]
    return _Base("\n".join([*lines, f'"@signature-params": {params}']).encode("ascii"))


def _mac(key: ProofKey, base: _Base) -> bytes:
    return hmac.digest(key.reveal(), base.reveal(), hashlib.sha256)
