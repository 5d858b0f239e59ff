"""Run the rotator as a Lambda function."""

from __future__ import annotations

import os
import time
import uuid
from functools import cache
from typing import TYPE_CHECKING, Any

from remediator.aws.admissions import DepositSweep
from remediator.aws.clients import new_session
from remediator.aws.monitor import LambdaMonitor
from remediator.aws.sealed_gate import SealedGate, StoredValue, paddings
from remediator.aws.seed_ring import SecretsManagerRing
from remediator.aws.settings import rotate_settings
from remediator.aws.staging import StagingTable
from remediator.aws.trust_policy import TrustPolicyGate
from remediator.service.errors import Interrupted
from remediator.service.rotate import Rotator

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from botocore.session import Session

    from remediator.aws.settings import RotateSettings


class RotationFailed(Exception):  # noqa: N818 - errors are named for what is the case
    """Fail the invocation, so that Lambda tries again; the message is safe to log."""


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - the clock decides
    """Rotate. A run that failed, or found another at work, raises, so that its retry comes."""
    monitor = _monitor()
    try:
        rotated = _rotator().run(holder=uuid.uuid4().hex)
    except Interrupted as interrupted:
        monitor.count("RotationFailed")
        raise RotationFailed(str(interrupted)) from None
    except Exception as error:  # noqa: BLE001 - the entry point: nothing else may print what an error holds
        monitor.count("RotationFailed")
        monitor.note("the rotation failed", error=type(error).__name__, code=_code(error))
        raise RotationFailed(f"{type(error).__name__} {_code(error)}") from None
    else:
        monitor.count("Rotated")
        monitor.count("StagedWindows", rotated.staged)
        return {"staged": rotated.staged, "frozen": rotated.frozen, "wrote": rotated.wrote}
    finally:
        monitor.flush()


@cache
def _monitor() -> LambdaMonitor:
    return LambdaMonitor()


@cache
def _rotator() -> Rotator:
    settings = rotate_settings(os.environ)
    session = new_session()
    tables: Any = session.create_client("dynamodb")
    gate, staged = _opening(settings, session, tables)
    return Rotator(
        deployment=settings.deployment,
        seeds=SecretsManagerRing(session.create_client("secretsmanager"), settings.deployment, settings.seed_secrets),
        staged=staged,
        gate=gate,
        clock=time.time,
        entropy=os.urandom,
        deposits=DepositSweep(tables, settings.state_table) if settings.by_hand else None,
    )


def _opening(
    settings: RotateSettings,
    session: Session,
    tables: Any,  # noqa: ANN401 - an SDK client
) -> tuple[SealedGate | TrustPolicyGate, StagingTable]:
    """Return the gate, and the staging table that knows how this gate was left."""
    if settings.gate_secret:
        value = StoredValue(session.create_client("secretsmanager"), settings.gate_secret)
        sealed = SealedGate(tables, settings.state_table, value, deployment=settings.deployment, clock=time.time)
        return sealed, StagingTable(tables, settings.state_table, paddings)
    trust_policy = TrustPolicyGate(
        session.create_client("iam"),
        deployment=settings.deployment,
        write_role=settings.write_role_name,
        remediator_role=settings.remediator_role_arn,
        monitor=_monitor(),
    )
    return trust_policy, StagingTable(tables, settings.state_table)


def _code(error: Exception) -> str:
    response: Any = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
