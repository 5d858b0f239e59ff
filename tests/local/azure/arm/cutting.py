"""Cut the description of the resource types that we use out of Azure's own API descriptions.

Run `python -m tests.local.azure.arm.cutting SPECS` to write it anew, where the folder SPECS holds those.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[4] / "functions/remediator/local/azure/arm/description.json"

PROVENANCE = (
    "Cut from the API descriptions of Azure/azure-rest-api-specs (MIT License, Microsoft Corporation), as of commit "
    "a5ddbe85d3985a1be45128eb1ef77c43c7238151 of 2022-05-11: what requests may say, without descriptions, and without "
    "what lies below properties that only Azure writes."
)

TYPES = {
    "Microsoft.Compute/disks": "compute/resource-manager/Microsoft.Compute/stable/2021-12-01/disk.json",
    "Microsoft.DBforPostgreSQL/flexibleServers/configurations": (
        "postgresql/resource-manager/Microsoft.DBforPostgreSQL/stable/2021-06-01/postgresql.json"
    ),
    "Microsoft.KeyVault/vaults": "keyvault/resource-manager/Microsoft.KeyVault/stable/2021-10-01/keyvault.json",
    "Microsoft.Network/networkSecurityGroups": (
        "network/resource-manager/Microsoft.Network/stable/2021-05-01/networkSecurityGroup.json"
    ),
    "Microsoft.Sql/servers": "sql/resource-manager/Microsoft.Sql/preview/2021-11-01-preview/Servers.json",
    "Microsoft.Sql/servers/databases/transparentDataEncryption": (
        "sql/resource-manager/Microsoft.Sql/preview/2021-11-01-preview/TransparentDataEncryptions.json"
    ),
    "Microsoft.Storage/storageAccounts": ("storage/resource-manager/Microsoft.Storage/stable/2021-09-01/storage.json"),
    "Microsoft.Web/sites": "web/resource-manager/Microsoft.Web/stable/2021-03-01/WebApps.json",
    "Microsoft.Web/sites/config": "web/resource-manager/Microsoft.Web/stable/2021-03-01/WebApps.json",
}
FIXED_NAMES = {"Microsoft.Web/sites/config": "web"}
"""The child that is meant, where a type has several that differ."""


def cut(specs: Path) -> dict[str, Any]:
    """Return the description of all types."""
    shapes: dict[str, Any] = {}
    types = {name: _type(name, specs / "specification" / file, shapes) for name, file in TYPES.items()}
    return {"source": PROVENANCE, "types": types, "shapes": dict(sorted(shapes.items()))}


def text(description: dict[str, Any]) -> str:
    """Return a description as it is committed: one line for each type and each shape."""
    lines = [f' "source": {json.dumps(description["source"])}']
    for part in ("types", "shapes"):
        entries = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in description[part].items())
        lines.append(f" {json.dumps(part)}: {{\n" + ",\n".join(entries) + "\n }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _type(name: str, file: Path, shapes: dict[str, Any]) -> dict[str, Any]:
    document = _load(file)
    methods = next(methods for path, methods in document["paths"].items() if re.fullmatch(_path(name), path))
    bodies = {
        method.upper(): _shape(_body_of(operation), file, shapes)
        for method, operation in sorted(methods.items())
        if method in ("get", "put", "patch", "delete")
    }
    return {"api": document["info"]["version"], "methods": bodies}


def _path(name: str) -> str:
    provider, *types = name.split("/")
    fixed = FIXED_NAMES.get(name)
    *parents, last = types
    named = "".join(rf"/{kind}/\{{\w+\}}" for kind in parents)
    return rf"/subscriptions/\{{\w+\}}/resource[gG]roups/\{{\w+\}}/providers/{provider}{named}/{last}/" + (
        fixed or r"\{\w+\}"
    )


def _body_of(operation: dict[str, Any]) -> dict[str, Any] | None:
    return next((one["schema"] for one in operation["parameters"] if one.get("in") == "body"), None)


def _shape(schema: dict[str, Any] | None, file: Path, shapes: dict[str, Any]) -> Any:  # noqa: PLR0911 - a table
    if schema is None:
        return None
    if "$ref" in schema:
        return _named(schema["$ref"], file, shapes)
    if "enum" in schema:
        return {"enum": schema["enum"]}
    if "properties" in schema or "allOf" in schema:
        return _object(schema, file, shapes)
    if schema.get("type") == "array":
        return {"list": _shape(schema["items"], file, shapes)}
    if isinstance(schema.get("additionalProperties"), dict):
        return {"map": _shape(schema["additionalProperties"], file, shapes)}
    return schema.get("type", "object")


def _named(reference: str, file: Path, shapes: dict[str, Any]) -> str:
    place, _, pointer = reference.partition("#")
    other = (file.parent / place).resolve() if place else file
    name = f"{other.stem}.{pointer.rpartition('/')[2]}"
    if name not in shapes:
        shapes[name] = None
        shapes[name] = _shape(_load(other)["definitions"][pointer.rpartition("/")[2]], other, shapes)
    return f"#{name}"


def _object(schema: dict[str, Any], file: Path, shapes: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    required: set[str] = set()
    for part in schema.get("allOf", []):
        inherited = _resolved(part, file, shapes)
        fields |= inherited["fields"]
        required |= set(inherited.get("required", []))
    for name, value in schema.get("properties", {}).items():
        fields[name] = "readonly" if _is_read_only(value) else _shape(value, file, shapes)
    required |= set(schema.get("required", []))
    required = {name for name in required if fields.get(name) != "readonly"}
    return {"fields": fields} | ({"required": sorted(required)} if required else {})


def _resolved(part: dict[str, Any], file: Path, shapes: dict[str, Any]) -> dict[str, Any]:
    place, _, pointer = part["$ref"].partition("#")
    other = (file.parent / place).resolve() if place else file
    return _object(_load(other)["definitions"][pointer.rpartition("/")[2]], other, shapes)


def _is_read_only(schema: dict[str, Any]) -> bool:
    return schema.get("readOnly") is True or schema.get("x-ms-mutability") == ["read"]


@cache
def _load(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(file.read_bytes())
    return loaded


if __name__ == "__main__":
    FILE.write_text(text(cut(Path(sys.argv[1]).resolve())), encoding="utf-8")
