"""Keep seed records in a ring of six Secrets Manager secrets.

One secret would jam: versions younger than 24 hours are never removed, and there may be about 100. A slot of the ring
is written every half hour, 48 times a day: under the quota even if every write happened twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from remediator.core.seeds import parse_record, slot_of, version_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.core.seeds import Seed, SeedRecord
    from remediator.core.windows import Window

USES: Final = (
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
)


class SecretsManagerRing:
    """Hold the record of window `w` in slot `w mod 6`, under a version id that deployment and window determine."""

    def __init__(self, client: Any, deployment: str, slots: tuple[str, ...]) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._deployment = deployment
        self._slots = slots

    def held(self) -> Mapping[Window, Seed]:
        """Return the seeds that are current in their slots, in one call.

        A slot that is empty, or that the store doesn't show, is left out: `keep` and `read` find out by the version.
        """
        answer = self._client.batch_get_secret_value(SecretIdList=list(self._slots))
        records = [parse_record(value["SecretString"]) for value in answer["SecretValues"]]
        return {record.window: record.seed for record in records if record.deployment == self._deployment}

    def read(self, window: Window) -> Seed | None:
        """Return the window's seed by its version id, or None if it was never stored."""
        try:
            answer = self._client.get_secret_value(
                SecretId=self._slot(window), VersionId=version_of(self._deployment, window)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return None
        return parse_record(answer["SecretString"]).seed

    def keep(self, record: SeedRecord) -> Seed:
        """Store a record; where the window has one, the store refuses, and that one is returned."""
        try:
            self._client.put_secret_value(
                SecretId=self._slot(record.window),
                ClientRequestToken=version_of(self._deployment, record.window),
                SecretString=record.to_json(),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceExistsException":
                raise
            return self.read(record.window) or self._lost(error)
        return record.seed

    def _slot(self, window: Window) -> str:
        return self._slots[slot_of(window)]

    def _lost(self, error: ClientError) -> Seed:
        raise error
