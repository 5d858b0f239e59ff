"""Who asks, and the refusal that answers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ANONYMOUS_ARN: Final = "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    """Name the caller of one request, as IAM sees it.

    `arn` is the role or user, `session_arn` the assumed-role session (sessions only). `unique_id` is `AROA…:session`
    for sessions and `AIDA…` for users. `issued_at` is the session's issue time in Unix seconds. `kind` is what
    `aws:PrincipalType` says; a `Service` has its DNS name as `arn` and no account. `tags` are the session's own.
    """

    arn: str
    session_arn: str | None
    account: str
    unique_id: str
    access_key: str
    session_policy: Mapping[str, object] | None
    issued_at: float | None = None
    kind: str = "AssumedRole"
    tags: tuple[tuple[str, str], ...] = ()
    source_identity: str | None = None

    @property
    def name(self) -> str:
        """Return the ARN that error messages and call logs show."""
        return self.session_arn or self.arn

    @property
    def entity_id(self) -> str:
        """Return the unique id of the role or user itself, without the session's name."""
        return self.unique_id.partition(":")[0]

    @classmethod
    def service(cls, name: str) -> Principal:
        """Return the principal that an AWS service is when it acts for itself, like `lambda.amazonaws.com`."""
        return cls(name, None, "", name, "", None, kind="Service")

    @classmethod
    def anonymous(cls) -> Principal:
        """Return the principal of an unsigned request."""
        return cls(ANONYMOUS_ARN, None, "", ANONYMOUS_ARN, "", None, kind="Anonymous")


class Refused(Exception):  # noqa: N818 - named for what is the case, like every error here
    """Say that a request was not authenticated, or not allowed.

    `code` is the generic AWS name (`AccessDenied`, `ExpiredToken`, …); `replies` turns it into each service's own.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
