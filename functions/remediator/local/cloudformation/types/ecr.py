"""Know ECR's resource types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from remediator.local.cloudformation.comparison import identical
from remediator.local.cloudformation.resource import Live, Naming, ResourceType, Services, missing_if, pick

if TYPE_CHECKING:
    from remediator.local.cloudformation.resource import Client
    from remediator.local.cloudformation.values import Properties, Value

_GONE = "RepositoryNotFoundException"


class Repository(ResourceType):
    """A repository of images: the bootstrap stack has one, which nothing here uses."""

    name: ClassVar[str] = "AWS::ECR::Repository"
    settable: ClassVar[frozenset[str]] = frozenset(
        {"RepositoryName", "ImageTagMutability", "LifecyclePolicy", "RepositoryPolicyText"}
    )
    replacing: ClassVar[frozenset[str]] = frozenset({"RepositoryName"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the repository; return its name."""
        ecr = services.client("ecr")
        name = str(wanted.get("RepositoryName") or naming.generate(255).lower())
        ecr.create_repository(repositoryName=name, imageTagMutability=wanted.get("ImageTagMutability", "MUTABLE"))
        self._policies(ecr, name, wanted)
        return name

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change its policies and whether tags may move."""
        ecr = services.client("ecr")
        mutability = wanted.get("ImageTagMutability", "MUTABLE")
        ecr.put_image_tag_mutability(repositoryName=physical_id, imageTagMutability=mutability)
        if "LifecyclePolicy" in before and "LifecyclePolicy" not in wanted:
            ecr.delete_lifecycle_policy(repositoryName=physical_id)
        if "RepositoryPolicyText" in before and "RepositoryPolicyText" not in wanted:
            ecr.delete_repository_policy(repositoryName=physical_id)
        self._policies(ecr, physical_id, wanted)

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it; ECR refuses while it holds images."""
        del properties
        services.client("ecr").delete_repository(repositoryName=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read it and the policies that the template wants."""
        ecr = services.client("ecr")
        with missing_if(_GONE):
            repository = ecr.describe_repositories(repositoryNames=[physical_id])["repositories"][0]
        seen: dict[str, Value] = {
            "RepositoryName": physical_id,
            "ImageTagMutability": repository["imageTagMutability"],
        }
        with missing_if("LifecyclePolicyNotFoundException", "RepositoryPolicyNotFoundException"):
            if pick(properties, ("LifecyclePolicy",)):
                text = ecr.get_lifecycle_policy(repositoryName=physical_id)["lifecyclePolicyText"]
                seen["LifecyclePolicy"] = json.loads(text)
            if pick(properties, ("RepositoryPolicyText",)):
                seen["RepositoryPolicyText"] = json.loads(
                    ecr.get_repository_policy(repositoryName=physical_id)["policyText"]
                )
        return Live(seen, {"Arn": repository["repositoryArn"], "RepositoryUri": repository["repositoryUri"]})

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare documents to the letter."""
        if name == "LifecyclePolicy":
            return identical(json.loads(wanted["LifecyclePolicyText"]), live)
        if name == "RepositoryPolicyText":
            return identical(wanted, live)
        return super().agrees(services, name, wanted, live)

    @staticmethod
    def _policies(ecr: Client, name: str, wanted: Properties) -> None:
        if "LifecyclePolicy" in wanted:
            text = wanted["LifecyclePolicy"]["LifecyclePolicyText"]
            ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)
        if "RepositoryPolicyText" in wanted:
            ecr.set_repository_policy(repositoryName=name, policyText=json.dumps(wanted["RepositoryPolicyText"]))
