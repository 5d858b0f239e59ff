"""Pass the gate: assume the write role for one fix on named targets, until the deadline.

Making a client costs milliseconds and swapping credentials costs nothing, so idle clients are kept per service and
region and given the next session's credentials in place. A client serves one session at a time.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from remediator.aws.clients import session_beside
from remediator.catalogue.policies import SESSION_LIMIT, TAGGING, chunks, compact, session_policy
from remediator.service.errors import GateShut, SessionTooLarge, TagsUnread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from botocore.session import Session as SdkSession

    from remediator.aws.external_ids import ExternalIds
    from remediator.catalogue.spec import Fix, Target
    from remediator.service.passage import Passage

SHORTEST: Final = 900
"""The shortest session STS gives, in seconds; the session's policy ends it at the deadline."""

MOST_ARNS: Final = 100
"""ARNs that AWS takes in one question for tags."""

USES: Final = ("sts:AssumeRole",)

_calls: ContextVar[list[str] | None] = ContextVar("calls", default=None)


@dataclass(slots=True)
class AwsSession:
    """Hold a client that has the session's credentials until it is given back."""

    client: Any
    credentials: Any
    tagging: Any = None
    """The client that tells tags, if the session was opened for that."""
    tags_at_once: int = MOST_ARNS

    def tags(self, targets: Sequence[Target]) -> dict[str, dict[str, str]]:
        """Return targets' tags by ARN. Where AWS answers in part, ask for fewer: it pages no list of ARNs."""
        answer = self.tagging.get_resources(ResourceARNList=list(dict.fromkeys(target.id for target in targets)))
        if not answer.get("PaginationToken"):
            return {one["ResourceARN"]: _tags(one) for one in answer["ResourceTagMappingList"]}
        if len(targets) == 1:
            raise TagsUnread("AWS doesn't show all tags of one resource")
        middle = len(targets) // 2
        return self.tags(targets[:middle]) | self.tags(targets[middle:])

    @contextmanager
    def recording(self) -> Iterator[list[str]]:
        """Collect the names of the operations that this thread calls."""
        calls: list[str] = []
        token = _calls.set(calls)
        try:
            yield calls
        finally:
            _calls.reset(token)


class StsSessions:
    """Open sessions of the write role."""

    failures: tuple[type[Exception], ...] = (ClientError, BotoCoreError)

    def __init__(self, session: SdkSession, *, external_ids: ExternalIds, write_role: str) -> None:
        self._session = session_beside(session)
        self._sts: Any = session.create_client("sts")
        self._external_ids = external_ids
        self._write_role = write_role
        self._idle: defaultdict[tuple[str, str], list[AwsSession]] = defaultdict(list)
        self._making = threading.Lock()

    @staticmethod
    def explain(error: Exception) -> tuple[str, str]:
        """Return the cloud's error code and message, or the SDK's name for what went wrong on the way."""
        response: Any = getattr(error, "response", None) or {}
        details = response.get("Error", {})
        return details.get("Code") or type(error).__name__, details.get("Message") or "The call didn't get through."

    @staticmethod
    def may_be_accepted(error: Exception) -> bool:
        """Tell whether the cloud may have accepted a call that ended so: no answer came, or one to a later try."""
        response: Any = getattr(error, "response", {})
        answered = response.get("ResponseMetadata", {})
        failed = answered.get("HTTPStatusCode", 0) not in range(400, 500)
        return failed or answered.get("RetryAttempts", 0) > 0

    def chunks(
        self, fix: Fix[Any, Any, Any], targets: Sequence[Target], *, deadline: int, write: bool, tags: bool = False
    ) -> Iterable[int]:
        """Return how many of the targets, in order, fit in each session."""
        return [len(chunk) for chunk in chunks(fix, targets, deadline=deadline, write=write, tags=tags)]

    def at(self, passage: Passage) -> StsDoorway:
        """Return the gate as one request comes to it."""
        return StsDoorway(self, passage)

    @contextmanager
    def open(
        self, fix: Fix[Any, Any, Any], targets: Sequence[Target], *, passage: Passage, write: bool, tags: bool = False
    ) -> Iterator[AwsSession]:
        """Assume the write role with the opening, under a policy that names this fix's grants and these targets."""
        policy = compact(session_policy(fix, targets, deadline=passage.deadline, write=write, tags=tags))
        if len(policy) > SESSION_LIMIT:
            raise SessionTooLarge("the policy is longer than STS takes")
        given = self._assume(passage, policy)
        region = targets[0].region or self._home()
        taken = [self._take(service, region) for service in (fix.service, *([TAGGING] if tags else ()))]
        for one in taken:
            one.credentials.access_key = given["AccessKeyId"]
            one.credentials.secret_key = given["SecretAccessKey"]
            one.credentials.token = given["SessionToken"]
        session, *tagging = taken
        try:
            yield replace(session, tagging=tagging[0].client if tagging else None)
        finally:
            for service, one in zip((fix.service, TAGGING), taken, strict=False):
                self._idle[service, region].append(one)

    def _assume(self, passage: Passage, policy: str) -> dict[str, Any]:
        try:
            answer = self._sts.assume_role(
                RoleArn=self._write_role,
                RoleSessionName=passage.name,
                ExternalId=self._external_ids(passage),
                DurationSeconds=SHORTEST,
                Policy=policy,
            )
        except (ClientError, BotoCoreError) as error:
            code, _ = self.explain(error)
            if code.startswith("PackedPolicyTooLarge"):
                raise SessionTooLarge(code) from None
            raise GateShut(code) from None
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials

    def _take(self, service: str, region: str) -> AwsSession:
        with self._making:
            idle = self._idle[service, region]
            return idle.pop() if idle else self._make(service, region)

    def _make(self, service: str, region: str) -> AwsSession:
        self._session.set_credentials("", "", "")
        credentials = self._session.get_credentials()
        client = self._session.create_client(service, region_name=region)
        client.meta.events.register("before-call", record_call)
        return AwsSession(client, credentials)

    def _home(self) -> str:
        return str(self._sts.meta.region_name)


@dataclass(frozen=True, slots=True)
class StsDoorway:
    """Open sessions for one request."""

    sessions: StsSessions
    passage: Passage

    def open(
        self, fix: Fix[Any, Any, Any], targets: Sequence[Target], *, write: bool, tags: bool = False
    ) -> AbstractContextManager[AwsSession]:
        """Open a session that ends at the request's deadline."""
        return self.sessions.open(fix, targets, passage=self.passage, write=write, tags=tags)


def _tags(resource: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", ())}


def record_call(model: Any, **_: Any) -> None:  # noqa: ANN401 - the SDK's own event
    """Note a call of this thread for `recording`; a client registers it for `before-call`."""
    calls = _calls.get()
    if calls is not None:
        calls.append(f"{model.service_model.service_name}:{model.name}")
