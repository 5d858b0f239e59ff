"""List a secret without a value among the errors of a batch, as Secrets Manager does; moto fails the whole batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.secretsmanager.exceptions import ResourceNotFoundException
from moto.secretsmanager.models import SecretsManagerBackend

if TYPE_CHECKING:
    from remediator.local.emulator.hooks import Hooks


def install(hooks: Hooks) -> None:
    """Repair moto's BatchGetSecretValue."""

    def batch_get_secret_value(
        self: SecretsManagerBackend,
        secret_id_list: list[str] | None = None,
        filters: list[dict[str, Any]] | None = None,
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> tuple[list[dict[str, Any]], list[Any], str | None]:
        values: list[dict[str, Any]] = []
        errors: list[Any] = []
        for secret in secret_id_list or [""]:
            try:
                one = batch(self, [secret] if secret else None, filters, max_results, next_token)
            except ResourceNotFoundException as error:
                errors.append({"SecretId": secret, "ErrorCode": "ResourceNotFoundException", "Message": error.message})
                continue
            values += one[0]
            errors += one[1]
        return values, errors, None if secret_id_list else one[2]

    batch = hooks.replace(SecretsManagerBackend, "batch_get_secret_value", batch_get_secret_value)
