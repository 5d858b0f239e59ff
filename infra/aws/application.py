"""Turn context into an application: parameters, assets, stack, checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations, App, Validations
from cdk_nag import AwsSolutionsChecks

from infra.assets.build import default_builder
from infra.assets.recipes import build_assets
from infra.aws.acknowledgements import acknowledge
from infra.aws.functions import PYTHON
from infra.aws.parameters import read_parameters
from infra.aws.stack import RemediatorStack
from remediator.catalogue.registry import all_fixes

if TYPE_CHECKING:
    from infra.assets.recipes import Assets


def make_app(context: dict[str, Any] | None = None, *, assets: Assets | None = None) -> App:
    """Return the application, ready to be synthesized; `context` is added to what the CDK's command line gives.

    Assets are built unless they are given.

    Raises `Refused`. Synthesis itself fails on a finding of cdk-nag that
    isn't acknowledged.
    """
    app = App(analytics_reporting=False, context=context)
    parameters = read_parameters(app.node.get_all_context(), known_fixes=[fix.id for fix in all_fixes("aws")])
    assets = assets or build_assets(default_builder(PYTHON))
    stack = RemediatorStack(app, parameters, assets)
    if not assets.remediate.compiled:
        Annotations.of(stack).add_warning_v2(
            "remediator:no-bytecode",
            f"No Python {PYTHON} was found here, so the functions are deployed without bytecode: every cold start"
            f" compiles them, which costs about 290 ms. Install Python {PYTHON}, with uv or pyenv for example.",
        )
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    acknowledge(stack)
    return app
