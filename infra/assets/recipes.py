"""Say what each function needs; all of it is derived from what the code declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from infra.assets.build import Recipe
from infra.aws import names, uses
from remediator.catalogue.policies import READ_TAGS, TAGGING, operations, operations_of
from remediator.catalogue.registry import all_fixes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infra.assets.build import Asset, Builder


@dataclass(frozen=True, slots=True)
class Assets:
    """Hold what the functions are deployed from."""

    rotate: Asset
    remediate: Asset
    watch: Asset


IN_TRANSACTIONS: Final[Mapping[str, str]] = {"dynamodb:ConditionCheckItem": "dynamodb:TransactWriteItems"}
"""IAM action → the operation it is a part of. All others are called as their actions are."""


def build_assets(builder: Builder) -> Assets:
    """Build the functions' assets."""
    return Assets(
        rotate=builder.build(rotate_recipe()),
        remediate=builder.build(remediate_recipe()),
        watch=builder.build(watch_recipe()),
    )


def rotate_recipe() -> Recipe:
    """Return what the rotator needs: no fix."""
    return Recipe("rotate", _module(names.ROTATE_HANDLER), (), _operations(uses.rotator_actions()))


def watch_recipe() -> Recipe:
    """Return what the watcher needs: to look a request up."""
    return Recipe("watch", _module(names.WATCH_HANDLER), (), _operations(uses.watcher_actions()))


def remediate_recipe() -> Recipe:
    """Return what the remediator needs: every fix for AWS, whichever are enabled.

    So a request for one that isn't is refused for this reason and not for being unknown, and the asset is the same in
    every deployment. What isn't enabled, the write role doesn't allow.
    """
    fixes = all_fixes("aws")
    return Recipe(
        "remediate",
        _module(names.REMEDIATE_HANDLER),
        tuple(type(fix).__module__ for fix in fixes),
        _operations(uses.remediator_actions()).union(
            operations_of(TAGGING, READ_TAGS), *(operations(fix) for fix in fixes)
        ),
    )


def _module(handler: str) -> str:
    return handler.rpartition(".")[0]


def _operations(actions: Iterable[str]) -> frozenset[str]:
    return frozenset(IN_TRANSACTIONS.get(action, action) for action in actions)
