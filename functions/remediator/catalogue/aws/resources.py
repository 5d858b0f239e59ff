"""Know the names of the kinds of resources that AWS fixes repair."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.catalogue.errors import BadTarget
from remediator.catalogue.spec import Tags, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON, Home

LONGEST: Final = 512
"""The longest ARN in characters that is looked at; the longest real ones have about 330."""

_PARTITION: Final = r"(?P<partition>aws(?:-[a-z]{2,8}){0,3})"
_REGION: Final = r"(?P<region>[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2})"
_ACCOUNT: Final = r"(?P<account>[0-9]{12})"
_PATH: Final = r"(?:[A-Za-z0-9_+=,@-][A-Za-z0-9_+=,.@-]{0,63}/){0,7}"


@dataclass(frozen=True, slots=True)
class Item:
    """Something that AWS names only inside a resource with an ARN: said beside the ARN, under a name of its own."""

    name: str
    form: str


@dataclass(frozen=True, slots=True)
class Arn:
    """A kind of resource that AWS names by an ARN of one form.

    `form` is the ARN as a regular expression whose groups are the parts of the name, `wildcards` are the same as
    patterns of IAM. A regional resource whose ARN names no region has it said beside it, and so is an `item` in it that
    has no ARN. `tags` says whether the Resource Groups Tagging API shows what tags the thing has.
    """

    title: str
    form: str
    wildcards: tuple[str, ...]
    example: Mapping[str, str]
    regional: bool = True
    tags: Tags = Tags.SHOWN
    item: Item | None = None

    def schema(self) -> dict[str, JSON]:
        """Return the JSON Schema of a target of this kind."""
        properties = {"arn": {"type": "string", "maxLength": LONGEST, "pattern": f"^{_nameless(self.form)}$"}}
        if self.regional:
            properties["region"] = {"type": "string", "pattern": f"^{_nameless(_REGION)}$"}
        required = ["arn", "region"] if self._region_is_apart() else ["arn"]
        if self.item is not None:
            properties[self.item.name] = {"type": "string", "pattern": f"^{self.item.form}$"}
            required.append(self.item.name)
        return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}

    def parse(self, raw: Mapping[str, str], home: Home) -> Target:
        """Read a target, or raise `BadTarget`; a name without an account is taken to be at home.

        Any account, partition and region of the right form is read: who asks decides whether it may be touched.
        """
        arn = _text(raw, "arn")
        found = re.fullmatch(self.form, arn, re.ASCII)
        if found is None:
            raise BadTarget(f"the ARN isn't that of a {self.title}, such as {self.example['arn']}")
        item = self._item(raw)
        parts = found.groupdict() | item
        return Target(
            id=arn,
            partition=parts["partition"],
            account=parts.get("account", home.account),
            region=self._region(raw, parts.get("region")),
            parts=parts,
            item=next(iter(item.values()), None),
        )

    def patterns(self, home: Home) -> tuple[str, ...]:
        """Return patterns that match the ARNs of this kind at home; the region is left to a condition."""
        return tuple(one.format(partition=home.partition, account=home.account) for one in self.wildcards)

    def names_account(self) -> bool:
        """Tell whether the ARN says which account the resource is in."""
        return "?P<account>" in self.form

    def _item(self, raw: Mapping[str, str]) -> dict[str, str]:
        known = {"arn", "region"} if self.item is None else {"arn", "region", self.item.name}
        if raw.keys() - known:
            raise BadTarget(f"such a target has nothing but {', '.join(sorted(known))}")
        if self.item is None:
            return {}
        said = _text(raw, self.item.name)
        if re.fullmatch(self.item.form, said, re.ASCII) is None:
            raise BadTarget(f"{self.item.name} isn't that of a {self.title}, such as {self.example[self.item.name]}")
        return {self.item.name: said}

    def _region(self, raw: Mapping[str, str], named: str | None) -> str | None:
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
    tags=Tags.NONE,
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
    # RDS stores its names in lower case, and finds them in any: another spelling would be another thing to the policy
    form=rf"arn:{_PARTITION}:rds:{_REGION}:{_ACCOUNT}:(?P<type>snapshot|cluster-snapshot):"
    r"(?P<name>(?:rds:|awsbackup:)?[a-z](?:-?[a-z0-9]){0,254})",
    wildcards=(
        "arn:{partition}:rds:*:{account}:snapshot:*",
        "arn:{partition}:rds:*:{account}:cluster-snapshot:*",
    ),
    example={"arn": "arn:aws:rds:eu-west-1:123456789012:snapshot:before-upgrade"},
)
ACCOUNT_IN_REGION: Final = Arn(
    title="account in one region",
    form=ACCOUNT.form,
    wildcards=ACCOUNT.wildcards,
    example={**ACCOUNT.example, "region": "eu-west-1"},
    tags=Tags.NONE,
)
EC2_INSTANCE: Final = Arn(
    title="EC2 instance",
    form=rf"arn:{_PARTITION}:ec2:{_REGION}:{_ACCOUNT}:instance/(?P<instance>i-[0-9a-f]{{8,17}})",
    wildcards=("arn:{partition}:ec2:*:{account}:instance/*",),
    example={"arn": "arn:aws:ec2:eu-west-1:123456789012:instance/i-0a1b2c3d4e5f60718"},
)
EBS_SNAPSHOT: Final = Arn(
    title="EBS snapshot",
    form=rf"arn:{_PARTITION}:ec2:{_REGION}::snapshot/(?P<snapshot>snap-[0-9a-f]{{8,17}})",
    wildcards=("arn:{partition}:ec2:*::snapshot/*",),
    example={"arn": "arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f60718"},
    tags=Tags.HIDDEN,  # they are shown under an ARN that IAM doesn't know it by
)
DB_INSTANCE: Final = Arn(
    title="database instance",
    form=rf"arn:{_PARTITION}:rds:{_REGION}:{_ACCOUNT}:db:(?P<name>[a-z](?:-?[a-z0-9]){{0,62}})",
    wildcards=("arn:{partition}:rds:*:{account}:db:*",),
    example={"arn": "arn:aws:rds:eu-west-1:123456789012:db:orders"},
)
ACCESS_KEY: Final = Arn(
    title="user's access key",
    form=rf"arn:{_PARTITION}:iam::{_ACCOUNT}:user/{_PATH}(?P<user>[A-Za-z0-9_+=,.@-]{{1,64}})",
    wildcards=("arn:{partition}:iam::{account}:user/*",),
    example={"arn": "arn:aws:iam::123456789012:user/robots/invoices", "access_key": "AKIAIOSFODNN7EXAMPLE"},
    regional=False,
    tags=Tags.HIDDEN,
    item=Item("access_key", "[A-Z0-9]{20}"),
)
TRAIL: Final = Arn(
    title="CloudTrail trail",
    form=rf"arn:{_PARTITION}:cloudtrail:{_REGION}:{_ACCOUNT}:trail/(?P<name>[A-Za-z0-9](?:[._-]?[A-Za-z0-9]){{1,127}})",
    wildcards=("arn:{partition}:cloudtrail:*:{account}:trail/*",),
    example={"arn": "arn:aws:cloudtrail:eu-west-1:123456789012:trail/audit"},
)
LAMBDA_FUNCTION: Final = Arn(
    title="Lambda function",
    form=rf"arn:{_PARTITION}:lambda:{_REGION}:{_ACCOUNT}:function:(?P<function>[A-Za-z0-9_-]{{1,64}})"
    r"(?::(?P<qualifier>[A-Za-z0-9_-]{1,128}))?",
    wildcards=("arn:{partition}:lambda:*:{account}:function:*",),
    example={"arn": "arn:aws:lambda:eu-west-1:123456789012:function:orders"},
    tags=Tags.HIDDEN,  # they are the function's, and shown under no alias' or version's ARN
)
