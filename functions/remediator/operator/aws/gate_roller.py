"""Roll a sealed gate on AWS: another external id, by an update of the stack with the rights of whoever signed in.

The same template, one parameter higher: CloudFormation makes a new secret, brings the trust policy to its value and
deletes the old one. Not as the operator, whose role can't be narrowed to just this; see decision 0020. Wherever it
breaks off, the rotator seals the value that stands, at its next tick at the latest.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from remediator.core.windows import staged_at
from remediator.operator.aws.office import outputs_of
from remediator.operator.aws.rotator import InvokedRotator
from remediator.operator.errors import NotSealed
from remediator.service.errors import NotDone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    import boto3

    from remediator.core.windows import Window

GENERATION: Final = "GateGeneration"
SECRET: Final = "GateSecret"  # noqa: S105 - the logical id of the secret in the template
GOOD: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
UNDER_WAY: Final = "_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class Rolled:
    """Hold the generation that stands, and the windows that are sealed for its value; none while it is frozen."""

    generation: int
    frozen: bool
    windows: tuple[Window, ...]


class GateRoller:
    """Roll the gate of one deployment; `waits` pauses between looks at something that is under way."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        session: boto3.Session,
        stack: str,
        *,
        endpoint_url: str | None,
        clock: Callable[[], float],
        waits: Callable[[], Iterable[None]],
        tell: Callable[[str], None],
    ) -> None:
        self._session = session
        self._stack = stack
        self._endpoint_url = endpoint_url
        self._clock = clock
        self._waits = waits
        self._tell = tell

    def roll(self) -> Rolled:
        """Make a new value, have it sealed, and look whether it is; raise `NotSealed`, or `NotDone` with what holds."""
        outputs = outputs_of(self._session, self._stack, endpoint_url=self._endpoint_url)
        if outputs.get("Gate") != "sealed":
            raise NotSealed(
                f"the gate of {self._stack} isn't sealed: STS compares another value in each window anyway",
                next="There is nothing to roll. To stop at once: `remediator freeze`.",
            )
        generation = self._renew()
        self._tell("the rotator seals it for the staged windows")
        frozen = InvokedRotator(self._client("lambda"), outputs["RotateFunction"], self._waits).finds_frozen()
        windows = () if frozen else staged_at(self._clock())
        self._require_sealed(outputs["StateTable"], windows)
        return Rolled(generation, frozen, windows)

    def _renew(self) -> int:
        """Bring the stack to its next generation, after whatever is under way with it."""
        before = self._settled()
        texts = {one["ParameterKey"]: one["ParameterValue"] for one in before.get("Parameters", ())}
        generation = int(texts[GENERATION]) + 1
        self._tell(f"CloudFormation makes generation {generation} of the gate's external id")
        kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(texts) if name != GENERATION]
        self._client("cloudformation").update_stack(
            StackName=self._stack,
            UsePreviousTemplate=True,
            Parameters=[*kept, {"ParameterKey": GENERATION, "ParameterValue": str(generation)}],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        found = self._settled(since=before.get("LastUpdatedTime", before["CreationTime"]))
        if found["StackStatus"] != "UPDATE_COMPLETE":
            reason = found.get("StackStatusReason", "it doesn't say why")
            raise NotDone(f"the old external id stands, as CloudFormation went back to it: {reason}")
        return generation

    def _settled(self, since: datetime | None = None) -> Mapping[str, Any]:
        """Return the stack once nothing is under way with it, and what was begun after `since` is over."""
        said = ""
        for _ in chain((None,), self._waits()):
            found = self._described()
            status = found["StackStatus"]
            if status in GOOD and found.get("LastUpdatedTime", found["CreationTime"]) != since:
                return found
            if status not in GOOD and not status.endswith(UNDER_WAY):
                raise NotDone(f"{self._stack} is in {status}: put it right with CloudFormation first")
            if status != said:
                self._tell(f"CloudFormation: {status}")
            said = status
        raise NotDone(f"CloudFormation is still at it, {said}; run it again when that has ended")

    def _described(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._client("cloudformation").describe_stacks(StackName=self._stack)["Stacks"][0]
        return found

    def _require_sealed(self, table: str, windows: Iterable[Window]) -> None:
        """Raise `NotDone` unless the windows' pads are for the value that stands."""
        version = self._version()
        keys = [{"pk": {"S": f"window/{window}"}} for window in windows]
        if not keys:
            return
        request = {"Keys": keys, "ConsistentRead": True, "ProjectionExpression": "pk, pad_of"}
        items = self._client("dynamodb").batch_get_item(RequestItems={table: request})["Responses"].get(table, [])
        sealed = {item["pk"]["S"] for item in items if item.get("pad_of") == {"S": version}}
        missing = sorted(key["pk"]["S"].partition("/")[2] for key in keys if key["pk"]["S"] not in sealed)
        if missing:
            named = ", ".join(missing)
            raise NotDone(f"the new external id stands, but isn't sealed for {named}: the next tick does it")

    def _version(self) -> str:
        """Return the id of the version that the gate's secret has now."""
        found = self._client("cloudformation").describe_stack_resource(StackName=self._stack, LogicalResourceId=SECRET)
        secret = found["StackResourceDetail"]["PhysicalResourceId"]
        described = self._client("secretsmanager").describe_secret(SecretId=secret)
        stages: Mapping[str, list[str]] = described["VersionIdsToStages"]
        return next(version for version, names in stages.items() if "AWSCURRENT" in names)

    def _client(self, service: str) -> Any:  # noqa: ANN401 - an SDK client of any service
        session: Any = self._session
        return session.client(service, endpoint_url=self._endpoint_url)
