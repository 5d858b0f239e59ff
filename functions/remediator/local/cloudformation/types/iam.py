"""Know IAM's resource types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from remediator.local.cloudformation.comparison import identical, same
from remediator.local.cloudformation.resource import (
    Client,
    Live,
    Missing,
    Naming,
    ResourceType,
    Services,
    missing_if,
    pick,
    tag_list,
    tag_map,
)

if TYPE_CHECKING:
    from remediator.local.cloudformation.values import Properties, Value

_VERSIONS_KEPT = 5


class Role(ResourceType):
    """A role; changing any of its properties writes the template's trust policy again."""

    name: ClassVar[str] = "AWS::IAM::Role"
    settable: ClassVar[frozenset[str]] = frozenset(
        (
            *("RoleName", "Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags"),
            *("AssumeRolePolicyDocument", "ManagedPolicyArns", "Policies"),
        )
    )
    replacing: ClassVar[frozenset[str]] = frozenset({"RoleName", "Path"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the role with its policies; return its name."""
        iam = services.client("iam")
        role_name = str(wanted.get("RoleName") or naming.generate())
        options = pick(wanted, ("Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags"))
        document = json.dumps(wanted["AssumeRolePolicyDocument"])
        iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=document, **options)
        self._policies(iam, role_name, {}, wanted)
        return role_name

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change the role; its trust policy becomes the template's again, whatever was made of it since."""
        iam = services.client("iam")
        iam.update_assume_role_policy(
            RoleName=physical_id, PolicyDocument=json.dumps(wanted["AssumeRolePolicyDocument"])
        )
        iam.update_role(
            RoleName=physical_id,
            Description=wanted.get("Description", ""),
            MaxSessionDuration=int(wanted.get("MaxSessionDuration", 3600)),
        )
        if wanted.get("PermissionsBoundary"):
            iam.put_role_permissions_boundary(RoleName=physical_id, PermissionsBoundary=wanted["PermissionsBoundary"])
        elif before.get("PermissionsBoundary"):
            iam.delete_role_permissions_boundary(RoleName=physical_id)
        self._policies(iam, physical_id, before, wanted)
        gone = sorted(tag_map(before.get("Tags")).keys() - tag_map(wanted.get("Tags")).keys())
        if gone:
            iam.untag_role(RoleName=physical_id, TagKeys=gone)
        if wanted.get("Tags"):
            iam.tag_role(RoleName=physical_id, Tags=wanted["Tags"])

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove the role with what it has of its own; policies of other resources must have gone before."""
        iam = services.client("iam")
        self._policies(iam, physical_id, properties, {})
        iam.delete_role(RoleName=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read the role, its inline and its attached policies."""
        del properties
        iam = services.client("iam")
        with missing_if("NoSuchEntity"):
            role = iam.get_role(RoleName=physical_id)["Role"]
        attached = iam.list_attached_role_policies(RoleName=physical_id)["AttachedPolicies"]
        inline = [
            {"PolicyName": policy_name, "PolicyDocument": inline_policy(iam, physical_id, policy_name)}
            for policy_name in iam.list_role_policies(RoleName=physical_id)["PolicyNames"]
        ]
        seen = {
            "RoleName": role["RoleName"],
            "Path": role["Path"],
            "Description": role.get("Description", ""),
            "MaxSessionDuration": role.get("MaxSessionDuration", 3600),
            "PermissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "Tags": tag_list(tag_map(role.get("Tags"))),
            "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
            "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
            "Policies": inline,
        }
        return Live(seen, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare; other resources of the template may have put more inline and managed policies on the role."""
        if name == "AssumeRolePolicyDocument":
            return identical(wanted, live)
        if name == "Policies":
            return all(any(same(policy, one) for one in live) for policy in wanted)
        if name == "ManagedPolicyArns":
            return set(wanted) <= set(live)
        return super().agrees(services, name, wanted, live)

    @staticmethod
    def _policies(iam: Client, role_name: str, before: Properties, wanted: Properties) -> None:
        old, new = set(before.get("ManagedPolicyArns", ())), set(wanted.get("ManagedPolicyArns", ()))
        for arn in sorted(old - new):
            iam.detach_role_policy(RoleName=role_name, PolicyArn=arn)
        for arn in sorted(new - old):
            iam.attach_role_policy(RoleName=role_name, PolicyArn=arn)
        now = {policy["PolicyName"]: policy["PolicyDocument"] for policy in wanted.get("Policies", ())}
        for policy in before.get("Policies", ()):
            if policy["PolicyName"] not in now:
                iam.delete_role_policy(RoleName=role_name, PolicyName=policy["PolicyName"])
        for policy_name, document in now.items():
            iam.put_role_policy(RoleName=role_name, PolicyName=policy_name, PolicyDocument=json.dumps(document))


class InlinePolicy(ResourceType):
    """A policy inline in roles, users or groups."""

    name: ClassVar[str] = "AWS::IAM::Policy"
    settable: ClassVar[frozenset[str]] = frozenset({"PolicyName", "PolicyDocument", "Roles"})
    replacing: ClassVar[frozenset[str]] = frozenset({"PolicyName"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Write the policy into each role; return its name."""
        del naming
        self._put(services.client("iam"), wanted)
        return str(wanted["PolicyName"])

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Write the policy again, and take it out of the roles that are no longer named."""
        iam = services.client("iam")
        self._put(iam, wanted)
        for role in sorted(set(before.get("Roles", ())) - set(wanted.get("Roles", ()))):
            iam.delete_role_policy(RoleName=role, PolicyName=physical_id)

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Take the policy out of every role."""
        for role in properties.get("Roles", ()):
            services.client("iam").delete_role_policy(RoleName=role, PolicyName=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read the policy from each role that should have it."""
        iam = services.client("iam")
        documents = {role: inline_policy(iam, role, physical_id) for role in properties.get("Roles", ())}
        if not documents or any(document != properties["PolicyDocument"] for document in documents.values()):
            return Live({"PolicyName": physical_id, "Roles": list(documents), "PolicyDocument": documents})
        return Live({"PolicyName": physical_id, "Roles": list(documents), "PolicyDocument": documents.popitem()[1]})

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare documents to the letter."""
        if name == "PolicyDocument":
            return identical(wanted, live)
        return super().agrees(services, name, wanted, live)

    @staticmethod
    def _put(iam: Client, wanted: Properties) -> None:
        document = json.dumps(wanted["PolicyDocument"])
        for role in wanted.get("Roles", ()):
            iam.put_role_policy(RoleName=role, PolicyName=wanted["PolicyName"], PolicyDocument=document)


class ManagedPolicy(ResourceType):
    """A managed policy, attached to roles."""

    name: ClassVar[str] = "AWS::IAM::ManagedPolicy"
    settable: ClassVar[frozenset[str]] = frozenset(
        {"ManagedPolicyName", "PolicyDocument", "Path", "Description", "Roles"}
    )
    replacing: ClassVar[frozenset[str]] = frozenset({"ManagedPolicyName", "Path", "Description"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make and attach it; return its ARN."""
        iam = services.client("iam")
        arn = iam.create_policy(
            PolicyName=wanted.get("ManagedPolicyName") or naming.generate(128),
            PolicyDocument=json.dumps(wanted["PolicyDocument"]),
            **pick(wanted, ("Path", "Description")),
        )["Policy"]["Arn"]
        self._attach(iam, arn, (), wanted.get("Roles", ()))
        return str(arn)

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Make a new default version, and attach and detach."""
        iam = services.client("iam")
        if before["PolicyDocument"] != wanted["PolicyDocument"]:
            versions = iam.list_policy_versions(PolicyArn=physical_id)["Versions"]
            spare = sorted((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: int(v["VersionId"][1:]))
            if len(versions) >= _VERSIONS_KEPT:
                iam.delete_policy_version(PolicyArn=physical_id, VersionId=spare[0]["VersionId"])
            document = json.dumps(wanted["PolicyDocument"])
            iam.create_policy_version(PolicyArn=physical_id, PolicyDocument=document, SetAsDefault=True)
        self._attach(iam, physical_id, before.get("Roles", ()), wanted.get("Roles", ()))

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Detach and remove it with all its versions."""
        iam = services.client("iam")
        self._attach(iam, physical_id, properties.get("Roles", ()), ())
        for version in iam.list_policy_versions(PolicyArn=physical_id)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=physical_id, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read the default version and who has it."""
        del properties
        iam = services.client("iam")
        with missing_if("NoSuchEntity"):
            policy = iam.get_policy(PolicyArn=physical_id)["Policy"]
        version = iam.get_policy_version(PolicyArn=physical_id, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        attached = iam.list_entities_for_policy(PolicyArn=physical_id)["PolicyRoles"]
        seen = {
            "ManagedPolicyName": policy["PolicyName"],
            "Path": policy["Path"],
            "Description": policy.get("Description", ""),
            "PolicyDocument": version["Document"],
            "Roles": [role["RoleName"] for role in attached],
        }
        return Live(seen, {"PolicyArn": physical_id, "PolicyId": policy["PolicyId"]})

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare documents to the letter; roles may have attached the policy by themselves."""
        if name == "PolicyDocument":
            return identical(wanted, live)
        if name == "Roles":
            return set(wanted) <= set(live)
        return super().agrees(services, name, wanted, live)

    @staticmethod
    def _attach(iam: Client, arn: str, before: Value, wanted: Value) -> None:
        for role in sorted(set(before) - set(wanted)):
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        for role in sorted(set(wanted) - set(before)):
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)


def inline_policy(iam: Client, role: str, policy: str) -> dict[str, Any]:
    """Return the document of a role's inline policy; raises `Missing`."""
    with missing_if("NoSuchEntity"):
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    if not isinstance(document, dict):
        raise Missing(f"inline policy {policy} of {role} isn't a document")
    return document
