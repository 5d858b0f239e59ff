"""Which kinds of resources show their tags: a kind that isn't listed here must be looked up first.

Sources: "Services that support the Resource Groups Tagging API", AWS Resource Groups and Tag Editor user guide; "Tag
support for Azure resources", Azure Resource Manager.
"""

from __future__ import annotations

from remediator.catalogue import registry
from remediator.catalogue.spec import Tags

KINDS = {fix.target.title: fix.target for fix in registry.all_fixes()}
NONE = {"account", "account in one region"}
HIDDEN = {
    "EBS snapshot",  # shown under an ARN with an account in it, which isn't the one that IAM knows
    "Lambda function",  # shown under no alias' and no version's ARN
    "user's access key",  # the API knows no users
}
SHOWN = {
    "CloudTrail trail", "EC2 instance", "KMS key", "PostgreSQL flexible server", "RDS snapshot", "S3 bucket",
    "SQL database", "SQL server", "database instance", "key vault", "managed disk", "network security group",
    "security group", "storage account", "web app or function app",
}  # fmt: skip


def test_every_kind_says_of_its_tags_what_the_cloud_s_documentation_does() -> None:
    listed = dict.fromkeys(NONE, Tags.NONE) | dict.fromkeys(HIDDEN, Tags.HIDDEN)
    assert {title: kind.tags for title, kind in KINDS.items()} == listed | dict.fromkeys(SHOWN, Tags.SHOWN)


def test_where_tags_are_shown_on_aws_it_is_known_in_which_region_to_ask() -> None:
    for title, kind in KINDS.items():
        if kind.tags is Tags.SHOWN and "arn" in kind.example:
            assert kind.regional, title
