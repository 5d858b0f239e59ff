"""Know the names of the kinds of resources that AWS fixes repair."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.catalogue.errors import BadTarget
from remediator.catalogue.spec import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON, Home

LONGEST: Final = 512
"""The longest ARN in characters that is looked at; the longest real ones have about 330."""

_PARTITION: Final = r"(?P<partition>aws(?:-[a-z]{2,8}){0,3})"
_REGION: Final = r"(?P<region>[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2})"
_ACCOUNT: Final = r"(?P<account>[0-9]{12})"


@dataclass(frozen=True, slots=True)
class Arn:
    """A kind of resource that AWS names by an ARN of one form.

    `form` is the ARN as a regular expression whose groups are the parts of the name, `wildcards` are the same as
    patterns of IAM. A regional resource whose ARN names no region has it said beside it.
    """

    title: str
    form: str
    wildcards: tuple[str, ...]
    example: Mapping[str, str]
    regional: bool = True

    def schema(self) -> dict[str, JSON]:
        """Return the JSON Schema of a target of this kind."""
        properties = {"arn": {"type": "string", "maxLength": LONGEST, "pattern": f"^{_nameless(self.form)}$"}}
        if self.regional:
            properties["region"] = {"type": "string", "pattern": f"^{_nameless(_REGION)}$"}
        required = ["arn", "region"] if self._region_is_apart() else ["arn"]
        return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}

    def parse(self, raw: Mapping[str, str], home: Home) -> Target:
        """Read a target, or raise `BadTarget`; a name without an account is taken to be at home.

        Any account, partition and region of the right form is read: who asks decides whether it may be touched.
        """
        arn = _text(raw, "arn")
        found = re.fullmatch(self.form, arn, re.ASCII)
        if found is None:
            raise BadTarget(f"the ARN isn't that of a {self.title}, such as {self.example['arn']}")
        parts = found.groupdict()
        return Target(
            id=arn,
            partition=parts["partition"],
            account=parts.get("account", home.account),
            region=self._region(raw, parts.get("region")),
            parts=parts,
        )

    def patterns(self, home: Home) -> tuple[str, ...]:
        """Return patterns that match the ARNs of this kind at home; the region is left to a condition."""
        return tuple(one.format(partition=home.partition, account=home.account) for one in self.wildcards)

    def names_account(self) -> bool:
        """Tell whether the ARN says which account the resource is in."""
        return "?P<account>" in self.form

    def _region(self, raw: Mapping[str, str], named: str | None) -> str | None:
        if raw.keys() - {"arn", "region"}:
            raise BadTarget("a target has nothing but an arn and a region")
        if not self.regional:
            if "region" in raw:
                raise BadTarget(f"leave the region out: a {self.title} has none")
            return None
        if named is not None and "region" not in raw:
            return named
        said = _text(raw, "region")
        if re.fullmatch(_REGION, said, re.ASCII) is None:
            raise BadTarget("the region isn't the name of one, such as eu-west-1")
        if named is not None and said != named:
            raise BadTarget(f"the region is {said}, but the ARN says {named}")
        return said

    def _region_is_apart(self) -> bool:
        return self.regional and "?P<region>" not in self.form


def _text(raw: Mapping[str, str], name: str) -> str:
    value: object = raw.get(name)
    if not isinstance(value, str) or len(value) > LONGEST:
        raise BadTarget(f"the target needs its {name}, as text of at most {LONGEST} characters")
    return value


def _nameless(form: str) -> str:
    """Return a regular expression without the names of its groups, which JSON Schema doesn't know."""
    return re.sub(r"\?P<[a-z_]+>", "?:", form)


S3_BUCKET: Final = Arn(
    title="S3 bucket",
    form=rf"arn:{_PARTITION}:s3:::(?P<bucket>[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9])",
    wildcards=("arn:{partition}:s3:::*",),
    example={"arn": "arn:aws:s3:::example-bucket", "region": "eu-west-1"},
)
SECURITY_GROUP: Final = Arn(
    title="security group",
    form=rf"arn:{_PARTITION}:ec2:{_REGION}:{_ACCOUNT}:security-group/(?P<group>sg-[0-9a-f]{{8,17}})",
    wildcards=("arn:{partition}:ec2:*:{account}:security-group/*",),
    example={"arn": "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-0a1b2c3d4e5f60718"},
)
ACCOUNT: Final = Arn(
    title="account",
    form=rf"arn:{_PARTITION}:iam::{_ACCOUNT}:root",
    wildcards=("arn:{partition}:iam::{account}:root",),
    example={"arn": "arn:aws:iam::123456789012:root"},
    regional=False,
)
KMS_KEY: Final = Arn(
    title="KMS key",
    form=rf"arn:{_PARTITION}:kms:{_REGION}:{_ACCOUNT}:key/"
    r"(?P<key>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})",
    wildcards=("arn:{partition}:kms:*:{account}:key/*",),
    example={"arn": "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
)
RDS_SNAPSHOT: Final = Arn(
    title="RDS snapshot",
    form=rf"arn:{_PARTITION}:rds:{_REGION}:{_ACCOUNT}:(?P<type>snapshot|cluster-snapshot):"
    r"(?P<name>(?:rds:|awsbackup:)?[A-Za-z](?:-?[A-Za-z0-9]){0,254})",
    wildcards=(
        "arn:{partition}:rds:*:{account}:snapshot:*",
        "arn:{partition}:rds:*:{account}:cluster-snapshot:*",
    ),
    example={"arn": "arn:aws:rds:eu-west-1:123456789012:snapshot:before-upgrade"},
)
