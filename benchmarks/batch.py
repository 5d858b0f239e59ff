"""Apply one fix to many resources in this process, against any AWS endpoint, without the gate.

So that the engine, its receipts and its way of batching can be timed beside other tools. Credentials come from the
environment, as for every SDK. Each line of IDS is a bucket's name or a security group's id.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from remediator.aws.clients import new_session
from remediator.aws.sessions import AwsSession, StsSessions, record_call
from remediator.catalogue import registry
from remediator.catalogue.engine import Outcome
from remediator.catalogue.errors import Unfit
from remediator.catalogue.spec import Home
from remediator.service.records import Claimed, Finding, Mode, Record, State
from remediator.service.remediate import THREADS
from remediator.service.stored import finding_fields
from remediator.service.tasks import Task
from remediator.service.work import Apply, Tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO

    from remediator.catalogue.spec import JSON

LONG: Final = 3_600
"""Seconds that a batch may take."""

ENDED_WELL: Final = (Outcome.FIXED, Outcome.ALREADY_COMPLIANT)


@dataclass(frozen=True, slots=True)
class Kind:
    """Say what a task repairs, and how a line of IDS becomes a target."""

    fix: str
    arn: str
    named_by_region: bool
    parameters: Mapping[str, JSON] = field(default_factory=dict)

    def target(self, name: str, account: str, region: str) -> dict[str, str]:
        """Return the target of one line."""
        arn = self.arn.format(name=name, account=account, region=region)
        return {"arn": arn} if self.named_by_region else {"arn": arn, "region": region}


KINDS: Final[Mapping[str, Kind]] = {
    "pab": Kind("aws.s3.block-public-access", "arn:aws:s3:::{name}", named_by_region=False),
    "ver": Kind("aws.s3.enable-versioning", "arn:aws:s3:::{name}", named_by_region=False),
    "sg": Kind(
        "aws.ec2.close-port",
        "arn:aws:ec2:{region}:{account}:security-group/{name}",
        named_by_region=True,
        parameters={"port": 22},
    ),
}


@dataclass(slots=True)
class Notebook:
    """Keep receipts in a file, one JSON object a line, and count them."""

    file: TextIO
    stored: int = 0

    def store(self, claimed: Claimed, findings: Sequence[Finding]) -> None:
        """Write findings down before anything goes on."""
        self.stored += len(findings)
        lines = [json.dumps(finding_fields(one, claimed.record)) for one in findings]
        self.file.write("".join(f"{line}\n" for line in lines))
        self.file.flush()

    def note(self, message: str, **facts: str | float | None) -> None:
        """Say on standard error what a monitor would log."""
        print(message, facts, file=sys.stderr)


def run(task: str, names: Sequence[str], region: str, endpoint: str | None, receipts: TextIO) -> dict[str, JSON]:
    """Repair what is named; return the figures."""
    session = new_session()
    kind, began, burnt = KINDS[task], time.perf_counter(), time.process_time()
    sts: Any = session.create_client("sts", region_name=region, endpoint_url=endpoint)
    account = sts.get_caller_identity()["Account"]
    client = session.create_client(registry.load(kind.fix).service, region_name=region, endpoint_url=endpoint)
    calls: Counter[str] = Counter()
    client.meta.events.register("before-call", record_call)
    client.meta.events.register("before-call", lambda model, **_: calls.update([model.name]))
    notebook = Notebook(receipts)
    with ThreadPoolExecutor(THREADS) as threads:
        found = Apply(_tools(notebook, threads)).run(AwsSession(client, None), _tasks(kind, names, account, region))
    outcomes = Counter(str(one.outcome) for one in found)
    return {
        "task": task,
        "n": len(names),
        "outcomes": dict(outcomes),
        "wall_seconds": round(time.perf_counter() - began, 3),
        "cpu_seconds": round(time.process_time() - burnt, 3),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "calls": dict(calls),
        "receipts": notebook.stored,
        "failures": [f"{one.target['arn']}: {one.reason.message}" for one in found if one.reason][:10],
        "ended_well": sum(outcomes[str(good)] for good in ENDED_WELL) == len(names),
    }


def _tasks(kind: Kind, names: Sequence[str], account: str, region: str) -> list[Task]:
    fix, home = registry.load(kind.fix), Home("aws", account)
    tasks = []
    for index, name in enumerate(names):
        raw = kind.target(name, account, region)
        finding = Finding("benchmark", index, fix.id, raw, kind.parameters, int(time.time()), acknowledged=True)
        tasks.append(Task(finding, fix, fix.target.parse(raw, home), fix.parameters(**kind.parameters)))
    return tasks


def _tools(notebook: Notebook, threads: ThreadPoolExecutor) -> Tools:
    now = int(time.time())
    record = Record("benchmark", "", "", Mode.APPLY, State.RUNNING, 1, now + LONG, now, 0, now + LONG)
    return Tools(
        claimed=Claimed(record, resumed=False),
        receipts=notebook,  # type: ignore[arg-type]  # of the port, work of this kind only stores
        failures=StsSessions.failures,
        explain=StsSessions.explain,
        may_be_accepted=StsSessions.may_be_accepted,
        threads=threads,
        monitor=notebook,  # type: ignore[arg-type]  # of the port, work of this kind only notes
        clock=time.time,
        pauses=_pauses,
        frozen=lambda: False,
    )


def _pauses() -> Iterator[None]:
    for seconds in (0.2, 0.8):
        time.sleep(seconds)
        yield


def main(words: Sequence[str]) -> int:
    """Run a batch and print its figures as JSON; end with 1 if something isn't as it should be afterwards."""
    parser = argparse.ArgumentParser(prog="benchmarks/batch", description=__doc__)
    parser.add_argument(
        "--task", choices=KINDS, required=True, help="pab: block public access; ver: versioning; sg: close port 22."
    )
    parser.add_argument("--ids", type=Path, required=True, help="File with one name or id a line.")
    parser.add_argument("--n", type=int, help="Take the first N of them; all by default.")
    parser.add_argument("--endpoint", metavar="URL", help="Where the cloud answers; AWS itself by default.")
    parser.add_argument("--receipts", type=Path, metavar="FILE", help="Write the evidence there, as JSON lines.")
    parser.add_argument(
        "--region", default=os.environ.get("AWS_REGION"), help="Of the resources; AWS_REGION by default."
    )
    asked = parser.parse_args(words)
    if not asked.region:
        parser.error("name the resources' --region, or set AWS_REGION")
    names = asked.ids.read_text().split()[: asked.n]
    if asked.n is not None and len(names) < asked.n:
        parser.error(f"{asked.ids} has {len(names)} ids, and --n asks for {asked.n}")
    try:
        with (asked.receipts or Path(os.devnull)).open("w") as receipts:
            figures = run(asked.task, names, asked.region, asked.endpoint, receipts)
    except Unfit as unfit:
        parser.error(f"{asked.ids}: {unfit}")
    except StsSessions.failures as failure:
        print(f"nothing was repaired: {failure}; check --endpoint and the credentials", file=sys.stderr)
        return 3
    print(json.dumps(figures, indent=2))
    return 0 if figures["ended_well"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
