"""Set the scene: one deployment, one window, and requests that are right but for what a test changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from remediator.core.gate import Verifier, WindowKeys, keys_of, verifier_of
from remediator.core.messages import SignedMessage, parse
from remediator.core.seeds import Seed, SeedRecord
from remediator.core.windows import Window
from tests.core import rederived

DEPLOYMENT = "6f1c0f5e-7d3a-4b52-9c0e-2f6d8a1b3c4d"
OTHER_DEPLOYMENT = "6f1c0f5e-7d3a-4b52-9c0e-2f6d8a1b3c4e"
WINDOW = Window(5_984_850)
SEED = Seed(bytes(range(32)))
CREATED = WINDOW.not_before + 100
KEY = "3b0c8f0e-52a1-4d1e-9f57-0a8f6f1f6f11"
PATH = "/v1/remediations"
BODY = (
    b'{"mode":"plan","findings":[{"fix":"aws.kms.enable-rotation","target":{"arn":"arn:aws:kms:eu-west-1:1:key/k"}}]}'
)


def seed_of(window: Window) -> Seed:
    """Return another seed for every window."""
    return SEED if window == WINDOW else Seed(rederived.mac(SEED.reveal(), str(window).encode()))


def keys(window: Window = WINDOW, deployment: str = DEPLOYMENT) -> WindowKeys:
    """Return what a caller derives from the window's record."""
    return keys_of(SeedRecord(deployment, window, seed_of(window)))


def verifier(window: Window = WINDOW, deployment: str = DEPLOYMENT) -> Verifier:
    """Return what the remediator knows of the window."""
    return verifier_of(deployment, window, seed_of(window))


@dataclass(frozen=True)
class Message:
    """Hold a request as it arrives."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def parsed(self) -> SignedMessage:
        """Read it."""
        return parse(self.method, self.path, self.headers, self.body)

    def accepted(self, now: float = CREATED) -> SignedMessage:
        """Do all that the remediator does with it before it believes it."""
        message = self.parsed()
        message.require_timely(now)
        known = verifier(message.window)
        known.require(DEPLOYMENT, message.code, message.opening)
        message.require_signed(known.proof_key)
        return message

    def having(self, **fields: str) -> Message:
        """Return it with other header fields, under the signature it had."""
        return replace(self, headers=self.headers | {name.replace("_", "-"): text for name, text in fields.items()})

    def without(self, name: str) -> Message:
        """Return it without a header field."""
        return replace(self, headers={one: text for one, text in self.headers.items() if one != name})


@dataclass(frozen=True)
class Forgery:
    """Sign anything at all with the right key, as RFC 9421 has it: only strictness can refuse the result."""

    method: str = "POST"
    path: str = PATH
    body: bytes = BODY
    fields: dict[str, str] = field(default_factory=dict)
    components: tuple[str, ...] = tuple(f'"{name}"' for name in rederived.COVERED)
    params: str = f';created={CREATED};keyid="{WINDOW}";tag="remediator/v1"'
    inner: str | None = None
    """Instead of `components` and `params`: how the whole value of the signature's input is written."""
    label: str = "remediator"

    def signed(self) -> Message:
        """Return the request with a signature over whatever it covers."""
        derived = rederived.derive(seed_of(WINDOW).reveal(), DEPLOYMENT, WINDOW.number)
        headers = {
            "content-digest": rederived.digest_field(self.body),
            "idempotency-key": KEY,
            "remediation-code": derived.code,
            "remediation-opening": derived.opening.hex(),
            "content-type": "application/json",
            "date": "Mon, 23 Nov 2026 20:51:40 GMT",
            "host": "example.lambda-url.eu-west-1.on.aws",
        } | self.fields
        inner = self.inner if self.inner is not None else f"({' '.join(self.components)}){self.params}"
        lines = [f"{component}: {self._value(component, headers)}" for component in self.components]
        base = "\n".join([*lines, f'"@signature-params": {inner}'])
        signature = rederived.mac(derived.proof_key, base.encode())
        return Message(
            self.method,
            self.path,
            headers
            | {
                "signature-input": f"{self.label}={inner}",
                "signature": f"{self.label}=:{rederived.encoded(signature)}:",
            },
            self.body,
        )

    def _value(self, component: str, headers: dict[str, str]) -> str:
        host = headers["host"]
        derived = {
            "@method": self.method,
            "@path": self.path,
            "@authority": host,
            "@scheme": "https",
            "@query": "?",
            "@request-target": self.path,
            "@target-uri": f"https://{host}{self.path}",
        }
        return (headers | derived).get(component.split('"')[1].lower(), "")
