"""Mend the emulator where it forgets what the laws ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.kms.responses import KmsResponse

if TYPE_CHECKING:
    import pytest


def keep_rotation_period(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let KMS keep the period of rotation, and forget it when rotation is switched off."""
    enable, status = KmsResponse.enable_key_rotation, KmsResponse.get_key_rotation_status

    def key_of(response: KmsResponse) -> Any:
        return response.kms_backend.keys[response.kms_backend.get_key_id(response._get_param("KeyId"))]

    def enable_and_keep(response: KmsResponse) -> str:
        answer = enable(response)
        key_of(response).rotation_period = response._get_param("RotationPeriodInDays") or 365
        return answer

    def status_with_period(response: KmsResponse) -> str:
        answer = json.loads(status(response))
        if answer["KeyRotationEnabled"]:
            answer["RotationPeriodInDays"] = key_of(response).rotation_period
        return json.dumps(answer)

    monkeypatch.setattr(KmsResponse, "enable_key_rotation", enable_and_keep)
    monkeypatch.setattr(KmsResponse, "get_key_rotation_status", status_with_period)
