"""Stand for a deployment whose cloud is the delaying server: what both functions are given, and a caller that signs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

from benchmarks.delaying import COUNTS
from remediator.core.gate import keys_of
from remediator.core.messages import Request, sign
from remediator.core.seeds import RING, parse_record, slot_of
from remediator.core.windows import window_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remediator.catalogue.spec import JSON
    from remediator.core.gate import WindowKeys

ACCOUNT: Final = "111122223333"
REGION: Final = "eu-west-1"
DEPLOYMENT: Final = "6f1c0f5e-7d3a-4b52-9c0e-2f6d8a1b3c4d"
READER: Final = "AROAREADERREADERREADE"
FIX: Final = "aws.s3.block-public-access"
SEEDS: Final = tuple(
    f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:remediator-seed/{slot}-abcdef" for slot in range(RING)
)


@dataclass(frozen=True, slots=True)
class Context:
    """Be what Lambda hands to a handler, as far as ours look at it."""

    aws_request_id: str
    memory_limit_in_mb: int = 512

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left: always a whole run's."""
        return 170_000


@dataclass(frozen=True, slots=True)
class Delaying:
    """Reach a delaying server that runs."""

    endpoint: str

    def counts(self) -> dict[str, Any]:
        """Return how often each call was made, and how many were under way at once."""
        with urlopen(self.endpoint + COUNTS) as answer:  # noqa: S310 - loopback
            counted: dict[str, Any] = json.load(answer)
        return counted

    def environment(self) -> dict[str, str]:
        """Return what both functions' environments have: none of it is secret."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "POWERTOOLS_METRICS_NAMESPACE": "Remediator",
            "POWERTOOLS_SERVICE_NAME": "benchmark",
            "DEPLOYMENT": DEPLOYMENT,
            "STATE_TABLE": "remediator-state",
            "RECEIPTS_TABLE": "remediator-receipts",
            "SEED_SECRETS": ",".join(SEEDS),
            "WRITE_ROLE_NAME": "remediator-write",
            "WRITE_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/remediator-write",
            "REMEDIATOR_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/remediator",
            "READER_ROLE_ID": READER,
            "OPERATOR_ROLE_ID": "AROAOPERATOROPERATORO",
            "ACCOUNT_ID": ACCOUNT,
            "PARTITION": "aws",
            "FIXES": FIX,
            "REGIONS": REGION,
            "VENDOR_ROLLBACK": "false",
            "RETENTION_DAYS": "400",
            "OWN_RESOURCES": "[]",
        }


@contextmanager
def delaying(milliseconds: float) -> Iterator[Delaying]:
    """Run a delaying server in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.delaying", "--delay", str(milliseconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            assert process.stdout is not None  # noqa: S101 - asked for above
            yield Delaying(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.terminate()


def findings(buckets: int, *, first: int = 0) -> list[JSON]:
    """Return one finding per bucket."""
    return [
        {"fix": FIX, "target": {"arn": f"arn:aws:s3:::bucket-{first + number}", "region": REGION}}
        for number in range(buckets)
    ]


def current_keys(secrets: Any, now: float | None = None) -> WindowKeys:  # noqa: ANN401 - an SDK client
    """Read the live window's record, as the vendor does, and return what signs in it."""
    slot = slot_of(window_at(time.time() if now is None else now))
    return keys_of(parse_record(secrets.get_secret_value(SecretId=SEEDS[slot])["SecretString"]))


def event(body: Mapping[str, JSON], keys: WindowKeys) -> dict[str, Any]:
    """Return what a function URL hands to the remediator for a signed request of the reader's."""
    raw = json.dumps(body).encode()
    request = Request("POST", "/v1/remediations", raw, str(uuid.uuid4()))
    headers = {"content-type": "application/json", **sign(request, keys, created=int(time.time()))}
    return {
        "rawPath": request.path,
        "rawQueryString": "",
        "headers": headers,
        "body": raw.decode(),
        "isBase64Encoded": False,
        "requestContext": {"http": {"method": "POST"}, "authorizer": {"iam": {"userId": f"{READER}:vendor"}}},
    }
