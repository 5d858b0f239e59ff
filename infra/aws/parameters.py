"""Read what the deployer decides, and refuse it with a sentence that says what to write."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from infra.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

RETENTION_DAYS: Final = range(30, 3654)
"""Receipts and logs are kept this long; 3,653 days are the most that CloudWatch Logs knows short of for ever."""

_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{8,1224}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", re.ASCII)
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")
_RECEIPTS = re.compile(r"remediator-receipts[\w.-]{0,200}", re.ASCII)
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}", re.ASCII)
_ARCHITECTURES = ("arm64", "x86_64")
_DELIVERIES: Final = ("automatic", "manual")
_GATES: Final = ("sts", "sealed")
_CDK_KEYS: Final = {"acknowledged-issue-numbers", "cli-telemetry"}
_REQUIRED: Final = {
    "vendor_principal_arn": "<ARN of the vendor's role, from the vendor's console>",
    "operator_principal_arn": "<ARN of the role of your own operators>",
    "external_id": "<the external id that the vendor gave you>",
}


class BadParameter(Refused):
    """Refuse a parameter. The message names it and says what to write."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Hold the decisions of the customer who deploys. The first three have no default: nobody else can know them."""

    vendor_principal_arn: str
    operator_principal_arn: str
    external_id: str
    fixes: tuple[str, ...]
    regions: tuple[str, ...]
    """Empty: the region of the stack."""
    delivery: str = "automatic"
    gate: str = "sts"
    vendor_rollback: bool = False
    retention_days: int = 400
    alarm_email: str | None = None
    notify_email: str | None = None
    """Where each change is told; None: nowhere but on the event bus."""
    account_alias: str | None = None
    """What events and messages call the account; None: its number."""
    receipts_table: str | None = None
    """None: a name of the deployment's own."""
    reserved_concurrency: bool = False
    architecture: str = "arm64"

    @property
    def by_hand(self) -> bool:
        """Tell whether the vendor can't read seeds, and codes are passed on by the operator."""
        return self.delivery == "manual"

    @property
    def sealed(self) -> bool:
        """Tell whether the write role's trust policy stands still, as IAM can't be written."""
        return self.gate == "sealed"


def read_parameters(context: Mapping[str, Any], *, known_fixes: Collection[str]) -> Parameters:
    """Read the parameters among the CDK's context, or raise `BadParameter`."""
    names = [field.name for field in fields(Parameters)]
    _refuse_unknown(context, names)
    given = {name: context.get(name) for name in names}
    _refuse_missing(given)
    parameters = Parameters(
        vendor_principal_arn=_principal(given, "vendor_principal_arn"),
        operator_principal_arn=_principal(given, "operator_principal_arn"),
        external_id=_external_id(given),
        fixes=_fixes(given, known_fixes),
        regions=_regions(given),
        delivery=_one_of(given, "delivery", _DELIVERIES),
        gate=_one_of(given, "gate", _GATES),
        vendor_rollback=_switch(given, "vendor_rollback"),
        retention_days=_retention(given),
        alarm_email=_email(given, "alarm_email"),
        notify_email=_email(given, "notify_email"),
        account_alias=_alias(given),
        receipts_table=_receipts_table(given),
        reserved_concurrency=_switch(given, "reserved_concurrency"),
        architecture=_one_of(given, "architecture", _ARCHITECTURES),
    )
    if parameters.vendor_principal_arn == parameters.operator_principal_arn:
        raise BadParameter("operator_principal_arn: must differ from vendor_principal_arn; write your operators' role")
    return parameters


def _refuse_unknown(context: Mapping[str, Any], names: Collection[str]) -> None:
    """Refuse a misspelt parameter. Nearly all of the CDK's own keys have a colon or a slash in them."""
    ours = {key for key in context if re.fullmatch(r"[\w-]+", key)} - _CDK_KEYS
    unknown = sorted(ours.difference(names))
    if unknown:
        raise BadParameter(f"{', '.join(unknown)}: no such parameter; write one of {', '.join(names)}")


def _refuse_missing(given: Mapping[str, Any]) -> None:
    missing = [name for name in _REQUIRED if given[name] is None]
    if missing:
        lines = [f"{name}: missing and without a default; write -c {name}={_REQUIRED[name]}" for name in missing]
        raise BadParameter("\n".join(lines))


def _principal(given: Mapping[str, Any], name: str) -> str:
    value = given[name]
    if not isinstance(value, str) or not _PRINCIPAL.fullmatch(value):
        raise BadParameter(
            f"{name}: {value!r} isn't one role or user; write an ARN such as arn:aws:iam::123456789012:role/name"
            " (no wildcard, no whole account)"
        )
    return value


def _external_id(given: Mapping[str, Any]) -> str:
    value = given["external_id"]
    if not isinstance(value, str) or not _EXTERNAL_ID.fullmatch(value):
        raise BadParameter("external_id: write the vendor's id as it is: 8 to 1,224 letters, digits or _+=,.@:/-")
    return value


def _fixes(given: Mapping[str, Any], known: Collection[str]) -> tuple[str, ...]:
    chosen = _words(given, "fixes") or tuple(known)
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise BadParameter(f"fixes: {', '.join(unknown)}: not in the catalogue; write some of {', '.join(known)}")

    return tuple(sorted(set(chosen)))


def _regions(given: Mapping[str, Any]) -> tuple[str, ...]:
    regions = _words(given, "regions")
    wrong = [region for region in regions if not _REGION.fullmatch(region)]
    if wrong:
        raise BadParameter(f"regions: {', '.join(wrong)}: not a region; write -c regions=eu-west-1,eu-central-1")
    return tuple(sorted(set(regions)))


def _words(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list that was written in cdk.json, or with commas on the command line; empty if not at all."""
    value = given[name]
    words = value.split(",") if isinstance(value, str) else [] if value is None else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise BadParameter(f"{name}: write a list of names, or one text with commas between them")
    stripped = tuple(word.strip() for word in words)
    if value is not None and not (stripped and all(stripped)):
        raise BadParameter(f"{name}: there is nothing in it, or between two commas; leave {name} out for the default")
    return stripped


def _one_of(given: Mapping[str, Any], name: str, known: Sequence[str]) -> str:
    """Return what was chosen of several; the first one if nothing was."""
    value = given[name]
    if value is None:
        return known[0]
    if value not in known:
        raise BadParameter(f"{name}: {value!r} isn't known; write {' or '.join(known)}")
    return str(value)


def _switch(given: Mapping[str, Any], name: str) -> bool:
    value = given[name]
    words = {None: False, "false": False, "true": True, False: False, True: True}
    if not isinstance(value, str | bool | None) or value not in words:
        raise BadParameter(f"{name}: {value!r} is neither; write true or false")
    return words[value]


def _retention(given: Mapping[str, Any]) -> int:
    value = given["retention_days"]
    if value is None:
        return 400
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value)
    if type(value) is not int or value not in RETENTION_DAYS:
        raise BadParameter(
            f"retention_days: {value!r} won't do; write a number of days"
            f" from {RETENTION_DAYS.start} to {RETENTION_DAYS.stop - 1}"
        )
    return value


def _email(given: Mapping[str, Any], name: str) -> str | None:
    value = given[name]
    if value is None:
        return None
    if not isinstance(value, str) or not _EMAIL.fullmatch(value):
        raise BadParameter(f"{name}: {value!r} isn't one address; write name@example.com, or leave it out")
    return value


def _receipts_table(given: Mapping[str, Any]) -> str | None:
    """Return a name that the patterns of the deployment's own resources cover."""
    value = given["receipts_table"]
    if value is not None and (not isinstance(value, str) or not _RECEIPTS.fullmatch(value)):
        raise BadParameter(
            f"receipts_table: {value!r} won't do; write a name that begins with remediator-receipts, or leave it out"
        )
    return value


def _alias(given: Mapping[str, Any]) -> str | None:
    """Return a name that no message and no environment variable has to escape."""
    value = given["account_alias"]
    if value is not None and (not isinstance(value, str) or not _ALIAS.fullmatch(value)):
        raise BadParameter(
            f"account_alias: {value!r} won't do; write up to 63 letters, digits, spaces or ._-, or leave it out"
        )
    return value
