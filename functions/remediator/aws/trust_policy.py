"""Move the gate: the write role's trust policy, one dated statement per window.

A rotator that stops closes the gate by itself, and a stale document can only hold older statements: they close, never
open.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from remediator.core.gate import gate_value
from remediator.core.windows import window_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.core.gate import Opening
    from remediator.core.windows import Window
    from remediator.service.ports import Monitor

USES: Final = ("iam:GetRole", "iam:UpdateAssumeRolePolicy")


class TrustPolicyGate:
    """Open the write role to the remediator's role alone, for who brings a live window's opening."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - an SDK client
        *,
        deployment: str,
        write_role: str,
        remediator_role: str,
        monitor: Monitor,
    ) -> None:
        self._client = client
        self._monitor = monitor
        self._deployment = deployment
        self._write_role = write_role
        self._remediator_role = remediator_role

    def stands(self, windows: Sequence[Window], fingerprint: str) -> bool:
        """Compare the role's trust policy, as IAM gives it now, with the one that was left."""
        document = self._read()
        opened = {_opens(statement) for statement in _statements(document)}
        return _fingerprint(document) == fingerprint and opened.issuperset(_instant(one.not_before) for one in windows)

    def set(self, openings: Mapping[Window, Opening]) -> str:
        """Write one statement per window, over whatever stands there; what isn't ours rings."""
        self._look_for_others(openings)
        values = {
            window: gate_value(self._deployment, window, opened).text() for window, opened in sorted(openings.items())
        }
        return self._write(open_document(self._remediator_role, values))

    def close(self) -> str:
        """Write the closed trust policy; what stood there and isn't ours by its form rings."""
        self._look_for_others({})
        return self._write(closed_document(self._remediator_role))

    def _read(self) -> dict[str, Any]:
        document: dict[str, Any] = self._client.get_role(RoleName=self._write_role)["Role"]["AssumeRolePolicyDocument"]
        return document

    def _look_for_others(self, openings: Mapping[Window, Opening]) -> None:
        """Ring for statements that no run of ours wrote: a deployment's are closed, and an earlier run's known."""
        others = sum(not self._is_ours(statement, openings) for statement in _statements(self._read()))
        if others:
            self._monitor.note("somebody else changed whom the write role trusts", statements=others)
            self._monitor.count("GateChanged")

    def _is_ours(self, statement: Any, openings: Mapping[Window, Opening]) -> bool:  # noqa: ANN401 - as IAM shows it
        """Tell whether a statement is as we write it; a window that is over has no opening any more to compare with."""
        if statement == closed_document(self._remediator_role)["Statement"][0]:
            return True
        window = _window_of(statement)
        if window is None or (openings and window > max(openings)):
            return False
        value = _at(statement, "Condition", "StringEquals", "sts:ExternalId")
        if window in openings:
            value = gate_value(self._deployment, window, openings[window]).text()
        return bool(statement == _statement(self._remediator_role, value, window.not_before, window.closes))

    def _write(self, document: dict[str, Any]) -> str:
        self._client.update_assume_role_policy(RoleName=self._write_role, PolicyDocument=compact(document))
        return _fingerprint(document)


def open_document(remediator_role: str, values: Mapping[Window, str]) -> dict[str, Any]:
    """Return the trust policy that opens in each window, grace included, for its own gate value."""
    return _document(
        [_statement(remediator_role, value, window.not_before, window.closes) for window, value in values.items()]
    )


def closed_document(remediator_role: str) -> dict[str, Any]:
    """Return the trust policy that opens for nobody: one statement, dated 2000."""
    start = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
    return _document([_statement(remediator_role, "closed", start, start + 1)])


def compact(document: Mapping[str, Any]) -> str:
    """Return a policy as the shortest JSON."""
    return json.dumps(document, separators=(",", ":"))


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(remediator_role: str, value: str, start: int, end: int) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": remediator_role},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"sts:ExternalId": value},
            "DateGreaterThanEquals": {"aws:CurrentTime": _instant(start)},
            "DateLessThan": {"aws:CurrentTime": _instant(end)},
        },
    }


def _opens(statement: Any) -> str:  # noqa: ANN401 - whatever somebody wrote
    return str(_at(statement, "Condition", "DateGreaterThanEquals", "aws:CurrentTime"))


def _at(value: Any, *path: str) -> Any:  # noqa: ANN401 - as above
    """Return what is at a path, or an empty text: others may write any form that IAM takes."""
    for name in path:
        value = value.get(name, "") if isinstance(value, dict) else ""
    return value


def _statements(document: Mapping[str, Any]) -> list[Any]:
    """Return the statements; IAM takes a single one without a list, too."""
    statements = document["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _window_of(statement: Any) -> Window | None:  # noqa: ANN401 - whatever somebody wrote
    try:
        return window_at(datetime.fromisoformat(_opens(statement)).timestamp())
    except ValueError:
        return None


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fingerprint(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
