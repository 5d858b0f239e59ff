"""Time a thousand findings of one kind against a cloud in which every call takes 50 milliseconds.

Ours: two requests of 500 through the function's own handler, one after the other in one warm process, with receipts
before and after every write. The other side: the same reads, writes and reads back, one after the other, with boto3 and
nothing else. It is timed on a sample, and scaled, since it takes minutes.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from benchmarks.deployment import REGION, Context, Delaying, current_keys, event, findings

REQUESTS: Final = 2
PER_REQUEST: Final = 500
SAMPLE: Final = 100


@dataclass(frozen=True, slots=True)
class Run:
    """Hold one side's figures: seconds, findings repaired, the process's largest memory in MB."""

    wall: float
    cpu: float
    fixed: int
    memory: float


def ours(cloud: Delaying) -> Run:
    """Send the requests."""
    os.environ.update(cloud.environment())
    from remediator.aws import remediate_handler, rotate_handler  # noqa: PLC0415 - they read the environment

    fixed = 0
    with contextlib.redirect_stdout(io.StringIO()):
        rotate_handler.handler({}, Context("rotation"))  # type: ignore[arg-type]  # all that it looks at
        secrets = boto3.client("secretsmanager")
        began, burnt = time.perf_counter(), time.process_time()
        for number in range(REQUESTS):
            asked = {"mode": "apply", "findings": findings(PER_REQUEST, first=number * PER_REQUEST)}
            keys = current_keys(secrets)
            answer = remediate_handler.handler(event(asked, keys), Context("request"))  # type: ignore[arg-type]
            results: Any = json.loads(answer["body"]).get("results", [])
            fixed += sum(one["outcome"] == "fixed" for one in results)
        wall, cpu = time.perf_counter() - began, time.process_time() - burnt
    return Run(wall, cpu, fixed, _memory())


def one_by_one(cloud: Delaying) -> Run:
    """Make a sample's calls, one after the other."""
    os.environ.update(cloud.environment())
    client = boto3.client("s3", region_name=REGION)
    fixed = 0
    began, burnt = time.perf_counter(), time.process_time()
    for number in range(SAMPLE):
        bucket = f"sample-{number}"
        with contextlib.suppress(ClientError):  # there is no such setting yet
            client.get_public_access_block(Bucket=bucket)
        on = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
        client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=on)  # type: ignore[arg-type]
        fixed += client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == on
    scale = REQUESTS * PER_REQUEST / SAMPLE
    wall, cpu = time.perf_counter() - began, time.process_time() - burnt
    return Run(wall * scale, cpu * scale, int(fixed * scale), _memory())


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(side: str, endpoint: str) -> None:
    """Run one side, in this process, and print its figures as JSON."""
    run = {"ours": ours, "one_by_one": one_by_one}[side](Delaying(endpoint))
    print(json.dumps(asdict(run)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
