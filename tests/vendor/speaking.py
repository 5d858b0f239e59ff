"""Speak the protocol from the other side: a real HTTP server on loopback, with `core` as the verifier."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from remediator.core.errors import Malformed, Untrusted
from remediator.core.gate import keys_of, verifier_of
from remediator.core.messages import parse
from remediator.core.seeds import Seed, SeedRecord, slot_of
from remediator.core.windows import Window, window_at
from remediator.service.problems import Problem
from remediator.vendor import Client, Deployment, Patience
from remediator.vendor.errors import NoLiveSeed
from remediator.vendor.keyring import Reading
from remediator.vendor.sigv4 import Credentials, authorize

if TYPE_CHECKING:
    from remediator.vendor.transport import Call, Unsigned

START = 5_800_000 * 300 + 100
"""A moment a third into a window."""

DEPLOYMENT_ID = "0b7f6c1e-9a51-4f58-a7ce-000000000001"
CREDENTIALS = Credentials("ASIAREADER", "reader-secret-key", "reader-session-token")
RING = tuple(f"arn:aws:secretsmanager:eu-west-1:111122223333:secret:remediator/seed/{slot}-AbCdEf" for slot in range(6))


def seed_of(window: Window) -> Seed:
    """Return the window's seed in these tests."""
    return Seed(hashlib.sha256(f"seed of {window}".encode()).digest())


def secrets_of(window: Window) -> dict[str, bytes]:
    """Return every secret of a window under a name."""
    keys = keys_of(SeedRecord(DEPLOYMENT_ID, window, seed_of(window)))
    return {
        "seed": seed_of(window).reveal(),
        "proof key": keys.proof_key.reveal(),
        "code": keys.code.reveal(),
        "opening": keys.opening.reveal(),
    }


@dataclass
class HandClock:
    """Stand still until somebody waits."""

    at: float = START
    naps: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.at += seconds


@dataclass
class Ring:
    """Keep the seed ring as the rotator would have filled it, up to three windows ahead of the true time."""

    now: Callable[[], float]
    dated: bool = True
    stopped_at: Window | None = None
    deployment: str = DEPLOYMENT_ID
    reads: list[int] = field(default_factory=list)

    def authorize(self, call: Unsigned, now: float) -> Call:
        return authorize(call, CREDENTIALS, region="eu-west-1", now=now)

    def read(self, window: Window, now: float) -> Reading:  # noqa: ARG002 - the port's shape
        slot = slot_of(window)
        self.reads.append(slot)
        newest = (self.stopped_at or window_at(self.now())) + 3
        window = next(newest + -back for back in range(6) if slot_of(newest + -back) == slot)
        date = formatdate(self.now(), usegmt=True) if self.dated else None
        return Reading(SeedRecord(self.deployment, window, seed_of(window)), date)


class EmptyRing(Ring):
    def read(self, window: Window, now: float) -> Reading:  # noqa: ARG002 - the port's shape
        raise NoLiveSeed("the ring is empty")


@dataclass
class Received:
    """Hold a request as it came in, and whether `core` believed it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    window: Window | None
    status: int = 0


Scripted = tuple[int, Mapping[str, str], Any]


class Speaker:
    """Answer as a deployment does: SigV4 first, then both secrets and the signature, by the true time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.received: list[Received] = []
        self.script: deque[Scripted | Callable[[Received], Scripted]] = deque()
        self.lie_about_time = 0.0
        self.batch = 500
        self.any_signer = False
        self.done: dict[str, int] = {}

    def answer(self, request: Received) -> Scripted:
        self.received.append(request)
        if not (self.any_signer or _sigv4_holds(request)):
            return 403, {"content-type": "application/json"}, {"Message": "Forbidden"}
        if self.script:
            scripted = self.script.popleft()
            return scripted(request) if callable(scripted) else scripted
        return self._served(request)

    def _served(self, request: Received) -> Scripted:
        if request.method == "GET":
            return self._got(request)
        try:
            message = parse(request.method, request.path, request.headers, request.body)
            message.require_timely(self.now())
            verifier = verifier_of(DEPLOYMENT_ID, message.window, seed_of(message.window))
            verifier.require(DEPLOYMENT_ID, message.code, message.opening)
            message.require_signed(verifier.proof_key)
        except Malformed as malformed:
            return problem(Problem.INVALID_REQUEST, detail=str(malformed))
        except Untrusted:
            return problem(Problem.UNAUTHORIZED)
        request.window = message.window
        return 200, {}, self._remediation(message.request.key, json.loads(request.body), request.path)

    def _remediation(self, key: str, body: dict[str, Any], path: str) -> dict[str, Any]:
        findings = body.get("findings", [0])
        done = self.done[key] = min(len(findings), self.done.get(key, 0) + self.batch)
        mode = body.get("mode") or path.rsplit("/", 1)[-1]
        results = [_result(key, index, one) for index, one in enumerate(findings[:done])]
        waiting = [{"index": index, "outcome": "not_started", "calls": []} for index in range(done, len(findings))]
        state = "partial" if waiting else "done"
        return {"id": key, "mode": mode, "state": state, "results": results + waiting}

    def _got(self, request: Received) -> Scripted:
        if request.path == "/v1/health":
            return 200, {}, {"gate": "open", "window": window_at(self.now()).number, "deployment": DEPLOYMENT_ID}
        if request.path == "/v1/fixes":
            return 200, {}, {"fixes": [CARD]}
        if request.path.endswith("/findings/0"):
            return 200, {}, _result("0123456789abcdef", 0, FINDING)
        return 200, {}, self._remediation(request.path.rsplit("/", 1)[-1], {"mode": "apply", "findings": [FINDING]}, "")


FINDING: dict[str, Any] = {
    "fix": "aws.s3.block-public-access",
    "target": {"arn": "arn:aws:s3:::bucket", "region": "eu-west-1"},
}

CARD = {
    "id": "aws.s3.block-public-access",
    "title": "Block every form of public access to a bucket.",
    "consequence": "Public websites break.",
    "severity": "high",
    "target": {"type": "object"},
    "parameters": {"type": "object"},
    "answers": {"prowler": ["s3_bucket_level_public_access_block"]},
    "irreversible": None,
}


def problem(kind: Problem, *, detail: str | None = None, wait: int | None = None, **extra: Any) -> Scripted:
    """Return the reply that states a problem."""
    headers = {"content-type": "application/problem+json"} | ({"retry-after": str(wait)} if wait is not None else {})
    body = {"type": kind.type, "title": kind.title, "status": kind.status} | extra
    return kind.status, headers, body | ({"detail": detail} if detail else {})


@contextmanager
def serving(speaker: Speaker) -> Iterator[str]:
    """Serve on loopback, and yield the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def _go(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.command, self.path, headers, body, None)
            received.status, fields, document = speaker.answer(received)
            if received.status == 0:
                self.close_connection = True
                return
            self._write(received.status, fields, document)

        def _write(self, status: int, fields: Mapping[str, str], document: Any) -> None:
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response_only(status)
            date = formatdate(speaker.now() + speaker.lie_about_time, usegmt=True)
            for name, value in {"date": date, "content-type": "application/json", **fields}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name for it
            """Say nothing."""

        do_GET = do_POST = _go  # noqa: N815 - the base class's names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def deployment_at(url: str) -> Deployment:
    """Return a deployment that answers at `url`."""
    role = "arn:aws:iam::111122223333:role/remediator-reader"
    return Deployment(DEPLOYMENT_ID, "eu-west-1", url, RING, role, "vendor-issued-id")


@dataclass
class Scene:
    """Hold both sides, and the true time between them."""

    speaker: Speaker
    ring: Ring
    clock: HandClock
    url: str

    def client(self, **replaced: Any) -> Client:
        parts: dict[str, Any] = {"clock": self.clock, "patience": Patience()} | replaced
        return Client(deployment_at(self.url), parts.pop("access", self.ring), **parts)


def _result(key: str, index: int, finding: Any) -> dict[str, Any]:
    asked = finding if isinstance(finding, dict) else FINDING
    return {
        "index": index,
        "fix": asked.get("fix", "aws.s3.block-public-access"),
        "target": asked["target"],
        "outcome": "fixed",
        "before": None,
        "after": {"BlockPublicAcls": True},
        "calls": ["s3:GetPublicAccessBlock", "s3:PutPublicAccessBlock"],
        "at": START,
        "receipt": f"{key}/{index}",
    }


def _sigv4_holds(request: Received) -> bool:
    """Verify AWS's signature as AWS does: over the header fields that it names, with the key of the id it names."""
    scope, names, signature = request.headers.get("authorization", "x=,x=,x=").split(", ")
    signed = names.removeprefix("SignedHeaders=").split(";")
    stamp = request.headers["x-amz-date"]
    fields = {name: request.headers[name] for name in signed if name != "host"}
    url = f"http://{request.headers['host']}{request.path}"
    again = AWSRequest(request.method, url, headers=fields, data=request.body)
    again.context["timestamp"] = stamp
    credentials = BotocoreCredentials(CREDENTIALS.access_key, CREDENTIALS.secret_key, CREDENTIALS.token)
    signer = SigV4Auth(credentials, "lambda", "eu-west-1")
    expected = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    return (scope, signature) == (f"AWS4-HMAC-SHA256 Credential={signer.scope(again)}", f"Signature={expected}")
