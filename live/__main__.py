"""Try on two real AWS accounts what no emulator can show. Without --yes-create it only tells what it would make."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from typing import TYPE_CHECKING, Any

import boto3

from live import running, story
from live.running import PROBES, Unclean, Unknown
from live.verdicts import Outcome
from live.workshop import PATH, PREFIX, TAGS, Account, Workshop
from remediator.cli.aws_place import AwsPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from live.verdicts import Probe

FAILED, MISUSED = 1, 2


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = argparse.ArgumentParser(prog="python -m live", description=__doc__)
    options.add_argument("--customer-profile", help="Profile of the account in which things are made.")
    options.add_argument("--vendor-profile", help="Profile of another account, which is let in.")
    options.add_argument("--region", help="Region of the customer's account.")
    options.add_argument("--yes-create", action="store_true", help="Make what the list says, and remove it again.")
    options.add_argument("--cleanup", action="store_true", help="Remove what earlier runs left, and do nothing else.")
    options.add_argument("--versions", action="store_true", help="Also the probe that takes nine hours.")
    options.add_argument("--demo", action="store_true", help="Then plan, apply and roll back through a deployed stack.")
    options.add_argument("--stack", default="Remediator", help="The deployed stack of --demo.")
    options.add_argument("--json", action="store_true", help="Print one JSON document and nothing else.")
    options.add_argument("probes", nargs="*", help=f"Which ones: {', '.join(probe.name for probe in PROBES)}.")
    return options


def main(words: Sequence[str] | None = None) -> int:
    """Tell, or try; return 0 if nothing failed."""
    asked = parser().parse_args(words)
    try:
        probes = running.chosen(asked.probes, versions=asked.versions)
    except Unknown as unknown:
        return _misused(str(unknown))
    if not asked.yes_create and not asked.cleanup:
        print(json.dumps(_planned(probes), indent=2) if asked.json else _plan(probes))
        return 0
    if not (asked.customer_profile and asked.vendor_profile and asked.region):
        return _misused("name --customer-profile, --vendor-profile and --region")
    shop = _workshop(asked)
    if shop.customer.id == shop.vendor.id:
        return _misused("customer and vendor are the same account: this needs two")
    if asked.cleanup:
        print(json.dumps({"removed": shop.clean()}) if asked.json else "\n".join(shop.clean()) or "nothing was left")
        return 0
    return attempt(shop, probes, as_json=asked.json, sides=_sides(asked) if asked.demo else None)


def attempt(shop: Workshop, probes: Sequence[Probe], *, as_json: bool, sides: story.Sides | None = None) -> int:
    """Run the probes, then the story where both sides are given; print a line for each, or all as one document."""
    told, failed = [], False
    try:
        for probe, verdict in running.run(shop, probes):
            told.append(running.told(probe, verdict))
            failed |= verdict.outcome is Outcome.FAILS
            if not as_json:
                print(f"{verdict.outcome.value:<9} {probe.name:<13} {verdict.seen}", flush=True)
    except Unclean as unclean:
        return _misused(str(unclean))
    if sides is not None:
        lines = story.play(shop, sides)
        failed |= not all(line.right for line in lines)
        told.extend({"step": line.step, "wanted": line.wanted, "got": line.got} for line in lines)
        if not as_json:
            print("\n".join(str(line) for line in lines))
    if as_json:
        print(json.dumps(told, indent=2))
    return FAILED if failed else 0


def _planned(probes: Sequence[Probe]) -> list[dict[str, Any]]:
    return [
        {
            "probe": probe.name,
            "relies_on": probe.relies,
            "creates": list(probe.creates),
            "minutes": probe.minutes,
            "usd": round(running.cost(probe), 6),
        }
        for probe in probes
    ]


def _plan(probes: Sequence[Probe]) -> str:
    """Return what would be made and what it costs."""
    lines = ["Nothing is made without --yes-create. This would be, in the customer's account:", ""]
    lines += [
        f"  {probe.name:<13} {', '.join(probe.creates)}; {probe.minutes:g} min; {running.cost(probe):.4f} USD\n"
        f"  {'':<13} shows whether {probe.relies}"
        for probe in probes
    ]
    total, minutes = sum(map(running.cost, probes)), sum(probe.minutes for probe in probes)
    tags = ", ".join(f"{key}={value}" for key, value in TAGS.items())
    told = json.loads(running.PRICES.read_bytes())
    lines += ["", f"Together about {minutes:g} minutes and {total:.4f} USD, by prices of {told['as_of']}."]
    lines += [f"Every name begins with {PREFIX}, roles have the path {PATH}, roles and secrets the tags {tags}."]
    return "\n".join([*lines, "All of it is removed after each probe; what a crash leaves, by --cleanup."])


def _workshop(asked: argparse.Namespace) -> Workshop:
    customer, vendor = (
        _clients(boto3.Session(profile_name=profile, region_name=asked.region))
        for profile in (asked.customer_profile, asked.vendor_profile)
    )
    return Workshop(
        Account.of(customer),
        Account.of(vendor),
        secrets.token_hex(4),
        time.time,
        time.sleep,
        (lambda _: None) if asked.json else lambda text: print(f"  {text}", file=sys.stderr),
        sdk_session=lambda given: _clients(_of(given, asked.region)),
    )


def _sides(asked: argparse.Namespace) -> story.Sides:
    """Reach a deployed stack from both accounts."""
    operator = AwsPlace(asked.customer_profile, asked.region, asked.stack, None).operator()
    vendor = AwsPlace(asked.vendor_profile, asked.region, asked.stack, None).vendor(operator.outputs)
    return story.Sides(vendor, operator.client())


def _clients(session: boto3.Session) -> Callable[[str], Any]:
    made: dict[str, Any] = {}
    untyped: Any = session

    def client(service: str) -> Any:  # noqa: ANN401 - an SDK client
        if service not in made:
            made[service] = untyped.client(service)
        return made[service]

    return client


def _of(given: Mapping[str, str], region: str) -> boto3.Session:
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region)


def _misused(text: str) -> int:
    print(text, file=sys.stderr)
    return MISUSED


if __name__ == "__main__":
    sys.exit(main())
