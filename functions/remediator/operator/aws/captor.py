"""Catch what a fix would write on AWS, as commands of the AWS CLI."""

from __future__ import annotations

import base64
import copy
import json
import shlex
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import BotoCoreError, ClientError

from remediator.catalogue.policies import operations_of
from remediator.operator.aws.foresight import FORESEEN, foresee

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import boto3

    from remediator.catalogue.spec import JSON, Fix, Target

CLI_NAMES: Final[Mapping[str, str]] = {"config": "configservice", "s3": "s3api"}
"""What the AWS CLI calls a service where it isn't what the SDK calls it."""


@dataclass(slots=True)
class AwsWatched:
    """Hold a client, and what was caught on its way out."""

    client: Any
    reads: frozenset[str]
    wanted: JSON
    caught: list[str] = field(default_factory=list)
    looked_again: bool = False
    _given: Mapping[str, Any] = field(default_factory=dict)
    _made: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    _seen: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def note(self, params: Mapping[str, Any], **_: Any) -> None:  # noqa: ANN401 - the SDK's own event
        """Keep a call's parameters as the fix gave them."""
        self._given = copy.deepcopy(params)

    def see(self, model: Any, parsed: Mapping[str, Any], **_: Any) -> None:  # noqa: ANN401 - the SDK's own event
        """Keep what a read really showed: what is answered here passes by, too."""
        if not self._made:
            self._seen[_name(model)] = copy.deepcopy(parsed)

    def catch(self, model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:  # noqa: ANN401 - the SDK's own event
        """Let a declared read pass; answer anything else in the cloud's place, with nothing."""
        name = _name(model)
        if name not in self.reads:
            self._made.append((name, self._given))
            self.caught.append(self._command(name))
            return self._answer({})
        if not self._made:
            return None
        foreseen = foresee(name, self._seen.get(name, {}), self._made, self.wanted)
        self.looked_again |= foreseen is None
        return None if foreseen is None else self._answer(foreseen)

    def _answer(self, parsed: dict[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
        return AWSResponse(self.client.meta.endpoint_url, 200, HTTPHeaders(), None), parsed

    def _command(self, name: str) -> str:
        service, _, operation = name.partition(":")
        given = {key: value for key, value in self._given.items() if value != FORESEEN}
        document = json.dumps(given, default=_plain, ensure_ascii=False)
        words = ["aws", CLI_NAMES.get(service, service), xform_name(operation, "-")]
        words += ["--region", self.client.meta.region_name, "--cli-input-json", document]
        return shlex.join(words)


class AwsCaptor:
    """Read with a session's own credentials; `endpoint_url` is for accounts that aren't AWS's."""

    failures: tuple[type[Exception], ...] = (ClientError, BotoCoreError)

    def __init__(self, session: boto3.Session, *, endpoint_url: str | None = None) -> None:
        self._session: Any = session
        self._endpoint_url = endpoint_url

    @contextmanager
    def watching(self, fix: Fix[Any, Any, Any], target: Target, wanted: JSON) -> Iterator[AwsWatched]:
        """Return a client for one fix on one target whose declared reads alone are sent."""
        region = target.region or self._session.region_name
        client = self._session.client(fix.service, region_name=region, endpoint_url=self._endpoint_url)
        reads = operations_of(fix.service, fix.reads) - operations_of(fix.service, fix.writes)
        watched = AwsWatched(client, reads, wanted)
        client.meta.events.register_first("before-parameter-build", watched.note)
        client.meta.events.register_first("before-call", watched.catch)
        client.meta.events.register("after-call", watched.see)
        try:
            yield watched
        finally:
            client.close()


def _name(model: Any) -> str:  # noqa: ANN401 - the SDK's own description of an operation
    return f"{model.service_model.service_name}:{model.name}"


def _plain(value: Any) -> JSON:  # noqa: ANN401 - what JSON doesn't know
    """Return bytes as the AWS CLI reads them; nothing else is sent that JSON doesn't know."""
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} has no form in JSON")
    return base64.b64encode(value).decode()
