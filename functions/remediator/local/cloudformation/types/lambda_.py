"""Know Lambda's resource types."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import uuid
import zipfile
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from remediator.local.cloudformation.resource import (
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
from remediator.local.cloudformation.values import Invalid

if TYPE_CHECKING:
    from remediator.local.cloudformation.values import Properties, Value

_GONE = "ResourceNotFoundException"
# Lambda's default log group needs no mention in the template, and takes part in no comparison.
_CONFIGURATION = (
    *("Architectures", "DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "Handler"),
    *("LoggingConfig", "MemorySize", "PackageType", "Role", "Runtime", "Timeout", "TracingConfig", "VpcConfig"),
)


class Function(ResourceType):
    """A function."""

    name: ClassVar[str] = "AWS::Lambda::Function"
    settable: ClassVar[frozenset[str]] = frozenset(
        (*_CONFIGURATION, "Code", "FunctionName", "KmsKeyArn", "ReservedConcurrentExecutions", "Tags")
    )
    replacing: ClassVar[frozenset[str]] = frozenset({"FunctionName", "PackageType"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the function; return its name."""
        client = services.client("lambda")
        name = str(wanted.get("FunctionName") or naming.generate())
        configuration = _configuration(wanted)
        client.create_function(
            FunctionName=name, Code=_code(wanted["Code"]), Tags=tag_map(wanted.get("Tags")), **configuration
        )
        self._reserve(services, name, {}, wanted)
        return name

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change code, architecture and configuration."""
        client = services.client("lambda")
        changed = {name for name in self.settable if before.get(name) != wanted.get(name)}
        if changed & {"Code", "Architectures"}:
            options = pick(wanted, ("Architectures",))
            client.update_function_code(FunctionName=physical_id, **_code(wanted["Code"]), **options)
        configuration = _configuration(wanted)
        for fixed in ("Architectures", "PackageType"):
            configuration.pop(fixed, None)
        for name, empty in (("Description", ""), ("Environment", {"Variables": {}}), ("DeadLetterConfig", {})):
            if name in before:
                configuration.setdefault(name, empty)
        client.update_function_configuration(FunctionName=physical_id, **configuration)
        self._reserve(services, physical_id, before, wanted)
        if wanted.get("Tags") != before.get("Tags"):
            arn = client.get_function_configuration(FunctionName=physical_id)["FunctionArn"]
            gone = sorted(tag_map(before.get("Tags")).keys() - tag_map(wanted.get("Tags")).keys())
            if gone:
                client.untag_resource(Resource=arn, TagKeys=gone)
            client.tag_resource(Resource=arn, Tags=tag_map(wanted.get("Tags")))

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it with its versions."""
        del properties
        services.client("lambda").delete_function(FunctionName=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read configuration, code digest, concurrency and tags."""
        del properties
        client = services.client("lambda")
        with missing_if(_GONE):
            function = client.get_function(FunctionName=physical_id)
        configuration = function["Configuration"]
        concurrency = client.get_function_concurrency(FunctionName=physical_id)
        seen: dict[str, Any] = {
            **pick(configuration, (*_CONFIGURATION, "FunctionName")),
            "Code": configuration["CodeSha256"],
            "KmsKeyArn": configuration.get("KMSKeyArn"),
            "ReservedConcurrentExecutions": concurrency.get("ReservedConcurrentExecutions"),
            "Tags": tag_list(function.get("Tags", {})),
        }
        return Live(seen, {"Arn": configuration["FunctionArn"]})

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare the code by the digest of the zip that the template names."""
        if name == "Code":
            return bool(_digest(services, wanted) == live)
        return super().agrees(services, name, wanted, live)

    @staticmethod
    def _reserve(services: Services, name: str, before: Properties, wanted: Properties) -> None:
        client = services.client("lambda")
        reserved = wanted.get("ReservedConcurrentExecutions")
        if reserved is not None:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(reserved))
        elif before.get("ReservedConcurrentExecutions") is not None:
            client.delete_function_concurrency(FunctionName=name)


class Url(ResourceType):
    """A function's URL."""

    name: ClassVar[str] = "AWS::Lambda::Url"
    settable: ClassVar[frozenset[str]] = frozenset({"TargetFunctionArn", "AuthType", "InvokeMode"})
    replacing: ClassVar[frozenset[str]] = frozenset({"TargetFunctionArn"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the URL; return the function's ARN."""
        del naming
        options = _url_options(wanted)
        target = wanted["TargetFunctionArn"]
        made = services.client("lambda").create_function_url_config(FunctionName=target, **options)
        return str(made["FunctionArn"])

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change who is let in, and how it answers."""
        del before
        options = _url_options(wanted)
        services.client("lambda").update_function_url_config(FunctionName=physical_id, **options)

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it."""
        del properties
        services.client("lambda").delete_function_url_config(FunctionName=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read the URL's settings."""
        del properties
        with missing_if(_GONE):
            url = services.client("lambda").get_function_url_config(FunctionName=physical_id)
        seen = {"TargetFunctionArn": url["FunctionArn"], **pick(url, ("AuthType", "InvokeMode"))}
        return Live(seen, {"FunctionUrl": url["FunctionUrl"], "FunctionArn": url["FunctionArn"]})


class Permission(ResourceType):
    """A statement of a function's own policy."""

    name: ClassVar[str] = "AWS::Lambda::Permission"
    settable: ClassVar[frozenset[str]] = frozenset(
        (
            *("Action", "FunctionName", "Principal", "SourceArn", "SourceAccount", "EventSourceToken"),
            *("FunctionUrlAuthType", "InvokedViaFunctionUrl", "PrincipalOrgID"),
        )
    )
    replacing: ClassVar[frozenset[str]] = settable

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Add the statement; return its id."""
        statement_id = naming.generate(100)
        services.client("lambda").add_permission(StatementId=statement_id, **wanted)
        return statement_id

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Refuse: every property needs a new statement."""
        raise NotImplementedError

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove the statement."""
        name = properties["FunctionName"]
        services.client("lambda").remove_permission(FunctionName=name, StatementId=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read the statement back into the words of AddPermission."""
        name = properties["FunctionName"]
        with missing_if(_GONE):
            policy = json.loads(services.client("lambda").get_policy(FunctionName=name)["Policy"])
        statement = next((one for one in policy["Statement"] if one["Sid"] == physical_id), None)
        if statement is None:
            raise Missing(f"statement {physical_id} isn't in the policy of {name}")
        conditions = {
            key.lower(): value for block in statement.get("Condition", {}).values() for key, value in block.items()
        }
        principal = statement["Principal"]
        seen = {
            "FunctionName": name if statement["Resource"].endswith(f":{name.rpartition(':')[2]}") else None,
            "Action": statement["Action"],
            "Principal": next(iter(principal.values())) if isinstance(principal, dict) else principal,
            "SourceArn": conditions.get("aws:sourcearn"),
            "SourceAccount": conditions.get("aws:sourceaccount"),
            "EventSourceToken": conditions.get("lambda:eventsourcetoken"),
            "FunctionUrlAuthType": conditions.get("lambda:functionurlauthtype"),
            "InvokedViaFunctionUrl": conditions.get("lambda:invokedviafunctionurl"),
            "PrincipalOrgID": conditions.get("aws:principalorgid"),
        }
        return Live(seen)

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare; an account's number becomes its root's ARN."""
        if name == "Principal" and str(wanted).isdigit():
            return str(live).endswith(f":iam::{wanted}:root")
        return super().agrees(services, name, wanted, live)


class EventInvokeConfig(ResourceType):
    """What Lambda does with asynchronous events that fail."""

    name: ClassVar[str] = "AWS::Lambda::EventInvokeConfig"
    settable: ClassVar[frozenset[str]] = frozenset(
        {"FunctionName", "Qualifier", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig"}
    )
    replacing: ClassVar[frozenset[str]] = frozenset({"FunctionName", "Qualifier"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Set it; return an id of CloudFormation's own."""
        del naming
        self._put(services, wanted)
        return str(uuid.uuid4())

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Set it anew."""
        del physical_id, before
        self._put(services, wanted)

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Return to Lambda's defaults."""
        del physical_id
        services.client("lambda").delete_function_event_invoke_config(FunctionName=properties["FunctionName"])

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read the setting; it is the unqualified function's."""
        del physical_id
        name = properties["FunctionName"]
        with missing_if(_GONE):
            setting = services.client("lambda").get_function_event_invoke_config(FunctionName=name)
        shown = pick(setting, ("MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig"))
        return Live({"FunctionName": str(setting["FunctionArn"]).split(":")[6], "Qualifier": "$LATEST", **shown})

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare; the function may be named by its ARN."""
        if name == "FunctionName":
            return bool(str(wanted).rpartition(":")[2] == live)
        return super().agrees(services, name, wanted, live)

    @staticmethod
    def _put(services: Services, wanted: Properties) -> None:
        options = pick(wanted, ("MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig"))
        services.client("lambda").put_function_event_invoke_config(FunctionName=wanted["FunctionName"], **options)


def _url_options(wanted: Properties) -> dict[str, Any]:
    if wanted.get("InvokeMode", "BUFFERED") != "BUFFERED":
        raise Invalid("the embedded account's function URLs don't stream: InvokeMode must be BUFFERED")
    return {"InvokeMode": "BUFFERED", **pick(wanted, ("AuthType",))}


def _configuration(wanted: Properties) -> dict[str, Any]:
    configuration = pick(wanted, _CONFIGURATION)
    for number in ("MemorySize", "Timeout"):
        if number in configuration:
            configuration[number] = int(configuration[number])
    if wanted.get("KmsKeyArn"):
        configuration["KMSKeyArn"] = wanted["KmsKeyArn"]
    return configuration


def _code(code: Properties) -> dict[str, Any]:
    if "ZipFile" in code:
        return {"ZipFile": _inline_zip(code["ZipFile"])}
    return pick(code, ("S3Bucket", "S3Key", "S3ObjectVersion"))


def _inline_zip(source: str) -> bytes:
    """Return the zip that CloudFormation makes of inline code: one file, always the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("index.py", (1980, 1, 1, 0, 0, 0)), source)
    return packed.getvalue()


def _digest(services: Services, code: Properties) -> str:
    if "ZipFile" in code:
        content = _inline_zip(code["ZipFile"])
    else:
        try:
            stored = services.client("s3").get_object(Bucket=code["S3Bucket"], Key=code["S3Key"])
        except ClientError as error:
            return str(error)
        content = stored["Body"].read()
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
