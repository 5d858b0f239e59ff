"""Write policy documents as plain data, so that the template says exactly what stands here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Statement: TypeAlias = dict[str, Any]
Conditions: TypeAlias = "Mapping[str, Mapping[str, Any]]"


def allow(sid: str, actions: Iterable[str], resources: Iterable[str], *, when: Conditions | None = None) -> Statement:
    """Allow actions on resources."""
    return _statement("Allow", sid, {"Action": sorted(actions), "Resource": list(resources)}, when)


def deny(sid: str, actions: Iterable[str], resources: Iterable[str], *, when: Conditions | None = None) -> Statement:
    """Deny actions on resources, whatever else allows them."""
    return _statement("Deny", sid, {"Action": sorted(actions), "Resource": list(resources)}, when)


def deny_all_but(sid: str, actions: Iterable[str], resources: Iterable[str]) -> Statement:
    """Deny every action but these on resources."""
    return _statement("Deny", sid, {"NotAction": sorted(actions), "Resource": list(resources)}, None)


def deny_elsewhere(sid: str, actions: Iterable[str], resources: Iterable[str]) -> Statement:
    """Deny actions on everything but these resources."""
    return _statement("Deny", sid, {"Action": sorted(actions), "NotResource": list(resources)}, None)


def trust(principal: Mapping[str, str], *, when: Conditions | None = None) -> dict[str, Any]:
    """Return a trust policy that lets one principal assume a role."""
    statement = {"Effect": "Allow", "Principal": dict(principal), "Action": "sts:AssumeRole"}
    return document([statement | ({"Condition": dict(when)} if when else {})])


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """Return a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def inline(name: str, statements: Iterable[Statement]) -> iam.CfnRole.PolicyProperty:
    """Return a role's inline policy."""
    return iam.CfnRole.PolicyProperty(policy_name=name, policy_document=document(statements))


def _statement(effect: str, sid: str, body: Mapping[str, Any], when: Conditions | None) -> Statement:
    return {"Sid": sid, "Effect": effect, **body, **({"Condition": dict(when)} if when else {})}
