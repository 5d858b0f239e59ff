"""The installed deployment on the embedded Azure, whose functions run here with their own identities and settings."""

from __future__ import annotations

import io
import json
import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from azure.data.tables import UpdateMode

from remediator.azure import remediate_function, rotate_function
from remediator.azure.receipt_entities import finding_from
from remediator.azure.seal import Credential, Seal
from remediator.azure.stored_credential import SECRET
from remediator.azure.windows_table import CONTROL, CONTROL_TABLE, LEASE, RECEIPTS_TABLE, WINDOWS_TABLE, row_of
from remediator.catalogue import registry
from remediator.catalogue.azure.network.examples import rule
from remediator.catalogue.spec import Home
from remediator.core.gate import opening, verifier_of
from remediator.core.seeds import parse_record
from remediator.core.windows import Window, staged_at, window_at
from remediator.local.azure.deployment import TARGETS
from remediator.local.azure.places import SUBSCRIPTION
from tests.azure.azure_house import HTTPS, House
from tests.faults.azure_wire import AzureWire
from tests.faults.stage import Answer, Receipt, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from remediator.core.seeds import Seed
    from remediator.local.azure.cloud import EmbeddedAzure

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{TARGETS}/providers/Microsoft.Network/networkSecurityGroups"


class AzureStage(Stage):
    """Both functions, and an administrator's look past the data planes."""

    cloud = "azure"
    failed = rotate_function.RotationFailed
    takes_lease = "tables PUT remediatorwindows"
    stores_first = ("tables POST $batch", 1)
    writes: ClassVar = {"arm PATCH storageAccounts": 0, "arm PUT networkSecurityGroups": 1}
    on_targets: ClassVar = frozenset(
        {*writes, "arm GET storageAccounts", "arm GET networkSecurityGroups", "arm GET operations"}
    )

    def __init__(self, cloud: EmbeddedAzure, patch: pytest.MonkeyPatch) -> None:
        wire: Any = AzureWire(cloud.services.find)
        super().__init__(wire)
        self.house = House(cloud, wire)
        self.house.enter(patch)
        self._log = io.StringIO()
        handler = logging.StreamHandler(self._log)
        patch.setattr(logging.getLogger("remediator"), "handlers", [handler])
        self._seal = Seal(self.house.deployment, remediate_function._settings().app_id)

    def now(self) -> float:
        return time.time()

    def pass_time(self, seconds: float) -> None:
        self.house.pass_time(seconds)

    def restart(self) -> None:
        for module in (rotate_function, remediate_function):
            for name, one in vars(module).items():
                if hasattr(one, "cache_clear") and one.__module__ == module.__name__ and name != "_settings":
                    one.cache_clear()

    def rotate(self) -> None:
        self.house.rotate()

    def logged(self) -> str:
        text = self._log.getvalue()
        self._log.seek(0)
        self._log.truncate()
        return text

    def metrics(self) -> dict[str, float]:
        text = self.logged()
        self.said.append(text)
        lines = [json.loads(line) for line in re.findall(r"\{.*\}", text)]
        return {line["metric"]: line["value"] for line in lines if "metric" in line}

    def shown(self) -> Mapping[Window, Seed]:
        secrets = [secret for secret in self.house.seeds.all() if secret.name.startswith("seed-")]
        records = [parse_record(secret.current.value) for secret in secrets]
        return {one.window: one.seed for one in records if one.deployment == self.house.deployment}

    def set_state(self, state: str | None) -> None:
        with self.wire.quiet():
            if state:
                self.house.table(CONTROL_TABLE).upsert_entity(
                    {"PartitionKey": CONTROL, "RowKey": CONTROL, "state": state}
                )
                return
            for name in (CONTROL_TABLE, WINDOWS_TABLE):
                for one in self.house.entities(name).values():
                    self.house.table(name).delete_entity(one["PartitionKey"], one["RowKey"])

    def require_whole(self) -> None:
        rows, seeds = self._rows(), self.shown()
        assert self._control()["state"] == "open"
        assert rows.get(LEASE, {"until": 0})["until"] <= self.now()
        for window in staged_at(self.now()):
            assert self._verifies(rows, seeds, window)
            assert self._opens(rows, seeds, window)

    def require_nothing_loose(self) -> None:
        rows, seeds = self._rows(), self.shown()
        living = [Window(window_at(self.now()).number + n) for n in range(-1, 5)]
        for window in living:
            row = rows.get(row_of(window), {})
            if window.closes > self.now() and row:
                assert self._verifies(rows, seeds, window)
            if window.closes > self.now() and "sealed" in row:
                assert self._opens(rows, seeds, window)

    def close_gate(self) -> None:
        with self.wire.quiet():
            for row in self._rows().values():
                bare = {name: value for name, value in row.items() if name not in ("sealed", "credential")}
                self.house.table(WINDOWS_TABLE).update_entity(bare, mode=UpdateMode.REPLACE)

    def opens(self) -> bool:
        return any("sealed" in row or "credential" in row for row in self._rows().values())

    def require_closed(self) -> None:
        assert not self.opens()
        assert row_of(staged_at(self.now())[-1]) not in self._rows()

    def _rows(self) -> dict[str, Any]:
        with self.wire.quiet():
            return self.house.entities(WINDOWS_TABLE)

    def _control(self) -> Any:
        with self.wire.quiet():
            return self.house.entities(CONTROL_TABLE)[CONTROL]

    def _verifies(self, rows: Mapping[str, Any], seeds: Mapping[Window, Seed], window: Window) -> bool:
        row, verifier = rows[row_of(window)], verifier_of(self.house.deployment, window, seeds[window])
        return (row["P"], row["c"]) == (verifier.proof_key.reveal(), verifier.check)

    def _opens(self, rows: Mapping[str, Any], seeds: Mapping[Window, Seed], window: Window) -> bool:
        """Tell whether the window's own opening unseals today's credential."""
        opened = opening(self.house.deployment, window, seeds[window])
        credential = Credential(self.house.credentials.secret(SECRET).current.value.encode())
        return self._seal.unseal(rows[row_of(window)]["sealed"], window, opened) == credential

    def break_settings(self) -> list[dict[str, Any]]:
        group, arm = f"{GROUPS}/n{uuid.uuid4().hex}", self.house.cloud.arm
        arm.add(group)
        made = arm.resource(group)
        rules = [rule("web", 200, "Tcp", "Internet", "20-443")]
        arm.set(group, made | {"properties": made["properties"] | {"securityRules": rules}})
        return [
            {"fix": HTTPS, "target": {"id": self.house.target()}},
            {"fix": "azure.network.close-port", "target": {"id": group}, "parameters": {"port": 22}},
        ]

    def setting(self, finding: Mapping[str, Any]) -> Any:
        fix: Any = registry.load(finding["fix"])
        return fix.read(_Past(self.house.cloud), fix.target.parse(finding["target"], Home("azure", SUBSCRIPTION)))

    def send(self, path: str, body: Any, key: str, *, who: str = "vendor", skew: float = 0) -> Answer:
        with self.wire.quiet():
            request = self.house.request(body, path=path, key=key, who=who, created=time.time() + skew)
        return self.call(request)

    def call(self, request: Any) -> Answer:
        """Call the function."""
        answered = self.house.answer(request)
        self.said.append(json.dumps(answered.body))
        return Answer(answered.status, answered.body, answered.headers)

    def unsettle(self, key: str) -> None:
        for name, row in self._of(key).items():
            if name != "record":
                self.house.table(RECEIPTS_TABLE).upsert_entity(dict(row) | {"outcome": "unverified"})

    def receipts(self, key: str) -> dict[int, Receipt]:
        found = [finding_from(row) for name, row in self._of(key).items() if name != "record"]
        return {
            one.index: Receipt(one.change and one.change.before, one.change and one.change.after, one.outcome)
            for one in found
        }

    def record(self, key: str) -> Mapping[str, Any] | None:
        return self._of(key).get("record")

    def _of(self, key: str) -> dict[str, Any]:
        with self.wire.quiet():
            return self.house.entities(RECEIPTS_TABLE, key)


class _Past:
    """Read resources past Resource Manager and its permissions."""

    def __init__(self, cloud: EmbeddedAzure) -> None:
        self._cloud = cloud

    def get(self, path: str, **_: Any) -> Any:
        return self._cloud.arm.resource(path)
