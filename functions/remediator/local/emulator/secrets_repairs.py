"""Let a batch of secrets be read although one of them has no value: moto fails the whole batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.secretsmanager.exceptions import SecretsManagerClientError
from moto.secretsmanager.models import SecretsManagerBackend

if TYPE_CHECKING:
    from remediator.local.emulator.hooks import Hooks

Batch = tuple[list[dict[str, Any]], list[Any], str | None]


def install(hooks: Hooks) -> None:
    """Repair moto's Secrets Manager.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
    """

    def batch_get_secret_value(
        self: SecretsManagerBackend,
        secret_id_list: list[str] | None = None,
        filters: list[dict[str, Any]] | None = None,
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> Batch:
        if not secret_id_list or filters or max_results:
            whole: Batch = original(self, secret_id_list, filters, max_results, next_token)
            return whole
        values, errors = [], []
        for secret_id in secret_id_list:
            try:
                values.append(self.get_secret_value(secret_id, "", ""))
            except SecretsManagerClientError as error:
                errors.append({"SecretId": secret_id, "ErrorCode": error.error_type, "Message": error.message})
        return values, errors, None

    original = hooks.replace(SecretsManagerBackend, "batch_get_secret_value", batch_get_secret_value)
