"""Try on real clouds what no emulator can show. Without --yes-create it only tells what it would make.

On AWS it takes two accounts to spare, as profiles of the AWS command line. On Azure it takes a subscription to spare,
and you signed in with `az login` as its Owner and as Application Administrator of its directory.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from typing import TYPE_CHECKING, Any, cast

from live import demo, listing, running
from live.clouds import Unfit
from live.running import Unclean, Unknown
from live.verdicts import Outcome
from live.workshop import Slow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from live.clouds import Cloud
    from live.story import Stage
    from live.verdicts import Probe
    from live.workshop import Workshop

FAILED, MISUSED = 1, 2
EXAMPLES = """examples:
  python -m live                                                       what would be made on AWS, and at what cost
  python -m live --cloud azure --demo                                  the same on Azure, with the demo
  python -m live --customer-profile me --vendor-profile other --region eu-west-1 --yes-create dates packed
  python -m live --cloud azure --subscription 0f… --location westeurope --yes-create
  python -m live --cloud azure --subscription 0f… --location westeurope --cleanup
"""


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = argparse.ArgumentParser(
        prog="python -m live",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--cloud", choices=("aws", "azure"), default="aws", help="Which cloud; AWS by default.")
    aws = options.add_argument_group("on AWS")
    aws.add_argument("--customer-profile", help="Profile of the account in which things are made.")
    aws.add_argument("--vendor-profile", help="Profile of another account, which is let in.")
    aws.add_argument("--region", help="Region of the customer's account.")
    aws.add_argument("--versions", action="store_true", help="Also the probe that takes nine hours.")
    aws.add_argument("--stack", help="Tell --demo's story through this stack, which stands and is left alone.")
    azure = options.add_argument_group("on Azure")
    azure.add_argument("--subscription", help="Id of the subscription in which things are made.")
    azure.add_argument("--location", help="Where in Azure, such as westeurope.")
    options.add_argument("--yes-create", action="store_true", help="Make what the list says, and remove it again.")
    options.add_argument("--cleanup", action="store_true", help="Remove what earlier runs left, and do nothing else.")
    options.add_argument("--demo", action="store_true", help="Then deploy, plan, apply, roll back, and destroy.")
    options.add_argument("--json", action="store_true", help="Print one JSON document and nothing else.")
    options.add_argument("probes", nargs="*", help="Which ones, by the names in the list; all by default.")
    return options


def main(words: Sequence[str] | None = None) -> int:
    """Tell, or try; return 0 if nothing failed."""
    asked = parser().parse_args(words)
    cloud = cast("Cloud", importlib.import_module(f"live.{asked.cloud}.cloud"))
    try:
        probes = running.chosen(cloud.probes, asked.probes, by_request=asked.versions)
        if asked.yes_create or asked.cleanup:
            return _tried(cloud, probes, asked)
    except (Unclean, Unfit, Unknown) as misused:
        print(misused, file=sys.stderr)
        return MISUSED
    _list(cloud, probes, asked)
    return 0


def _tried(cloud: Cloud, probes: Sequence[Probe[Any]], asked: argparse.Namespace) -> int:
    """Sign in, and run or clean up."""
    objection = cloud.objection(asked)
    if objection:
        raise Unfit(objection)
    shop = cloud.workshop(asked)
    unwelcome: tuple[type[Exception], ...] = (Slow, *shop.refusals)
    try:
        if not asked.cleanup:
            return attempt(shop, probes, as_json=asked.json, stage=cloud.stage(shop, asked) if asked.demo else None)
        removed = shop.clean()
    except unwelcome as error:
        print(f"not everything was removed, run with --cleanup: {type(error).__name__}: {error}", file=sys.stderr)
        return FAILED
    print(json.dumps({"removed": removed}) if asked.json else "\n".join(removed) or "nothing was left")
    return 0


def attempt(
    shop: Workshop,
    probes: Sequence[Probe[Any]],
    *,
    as_json: bool,
    stage: AbstractContextManager[Stage] | None = None,
) -> int:
    """Run the probes, then the demo where there is a stage for it; print a line for each, or all as one document.

    Raises `Unclean` where an earlier run left something.
    """
    told, failed = [], False
    for probe, verdict in running.run(shop, probes):
        told.append(running.told(probe, verdict))
        failed |= verdict.outcome is Outcome.FAILS
        if not as_json:
            print(f"{verdict.outcome.value:<9} {probe.name:<14} {verdict.seen}", flush=True)
    lines = demo.perform(shop, stage) if stage is not None else []
    failed |= not all(line.right for line in lines)
    told.extend({"step": line.step, "wanted": line.wanted, "got": line.got} for line in lines)
    print(json.dumps(told, indent=2) if as_json else "\n".join(map(str, lines)))
    return FAILED if failed else 0


def _list(cloud: Cloud, probes: Sequence[Probe[Any]], asked: argparse.Namespace) -> None:
    if asked.json:
        print(json.dumps(listing.listed(cloud, probes, demo=asked.demo), indent=2))
        return
    print(listing.shown(cloud, probes, demo=asked.demo))


if __name__ == "__main__":
    sys.exit(main())
