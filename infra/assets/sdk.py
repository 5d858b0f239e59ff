"""Cut the SDK's data down to the operations that a function calls.

The SDK reads its models at every cold start: uncut, they cost 70 ms there and 20 MB in the asset.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from infra.assets.closure import Unshippable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

JSON: TypeAlias = Any

ALWAYS: Final = ("_retry.json", "partitions.json", "sdk-default-configuration.json")
ENDPOINTS: Final = "endpoints.json"
SELF_CALLED: Final[Mapping[str, tuple[str, ...]]] = {"s3": ("CreateSession", "HeadBucket")}
"""What the SDK calls on its own: to find a bucket's region, to enter a directory bucket."""


@dataclass(frozen=True, slots=True)
class SdkData:
    """Hold the SDK's data folder."""

    folder: Path

    def cut(self, operations: Iterable[str]) -> dict[str, bytes]:
        """Return the files, by their path in the folder, that serve operations such as `s3:GetPublicAccessBlock`."""
        wanted: dict[str, set[str]] = {}
        for operation in operations:
            service, _, name = operation.partition(":")
            wanted.setdefault(service, {*SELF_CALLED.get(service, ())}).add(name)
        files = {name: _dumped(self._loaded(name)) for name in ALWAYS}
        prefixes = set()
        for service, names in sorted(wanted.items()):
            version = self._version(service)
            model = cut_model(self._loaded(f"{version}/service-2.json"), names, service)
            prefixes.add(model["metadata"]["endpointPrefix"])
            files |= self._service(version, model)
        files[ENDPOINTS] = _dumped(cut_endpoints(self._loaded(ENDPOINTS), prefixes))
        return files

    def _service(self, version: str, model: JSON) -> dict[str, bytes]:
        files = {f"{version}/service-2.json": _dumped(model)}
        for name in (f"{version}/endpoint-rule-set-1.json", f"{version}/service-2.sdk-extras.json"):
            if self._has(name):
                files[name] = _dumped(self._loaded(name))
        pages = f"{version}/paginators-1.json"
        if self._has(pages):
            kept = {
                name: page for name, page in self._loaded(pages)["pagination"].items() if name in model["operations"]
            }
            files[pages] = _dumped({"pagination": kept})
        return files

    def _version(self, service: str) -> str:
        """Return the folder of the service's newest model."""
        models = (self.folder / service).glob("*/service-2.json*")
        versions = sorted(model.parent.name for model in models)
        if not versions:
            raise Unshippable(f"the SDK knows no service {service}")
        return f"{service}/{versions[-1]}"

    def _has(self, name: str) -> bool:
        return any((self.folder / f"{name}{ending}").is_file() for ending in ("", ".gz"))

    def _loaded(self, name: str) -> JSON:
        plain = self.folder / name
        if plain.is_file():
            return json.loads(plain.read_bytes())
        return json.loads(gzip.decompress(plain.with_name(f"{plain.name}.gz").read_bytes()))


def cut_model(model: JSON, names: Collection[str], service: str) -> JSON:
    """Return a service's model with these operations, the shapes they are made of, and no documentation."""
    unknown = sorted(set(names) - set(model["operations"]))
    if unknown:
        raise Unshippable(f"{service} has no operation {', '.join(unknown)}")
    operations = {name: model["operations"][name] for name in sorted(names)}
    reached: set[str] = set()
    todo = [shape for operation in operations.values() for shape in _named(operation)]
    while todo:
        shape = todo.pop()
        if shape not in reached:
            reached.add(shape)
            todo.extend(_named(model["shapes"][shape]))
    shapes = {name: shape for name, shape in model["shapes"].items() if name in reached}
    cut = _undocumented({**model, "operations": operations, "shapes": shapes})
    for parameter in cut.get("clientContextParams", {}).values():
        parameter["documentation"] = ""  # the one place where the SDK insists on it
    return cut


def cut_endpoints(endpoints: JSON, prefixes: Collection[str]) -> JSON:
    """Return the table of endpoints with these services alone; partitions and regions all stay."""
    partitions = [
        {**one, "services": {name: service for name, service in one["services"].items() if name in prefixes}}
        for one in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _named(value: JSON) -> Iterator[str]:
    """Yield the names of the shapes that a part of a model refers to."""
    if isinstance(value, dict):
        shape = value.get("shape")
        if isinstance(shape, str):
            yield shape
        for part in value.values():
            yield from _named(part)
    elif isinstance(value, list):
        for part in value:
            yield from _named(part)


def _undocumented(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {
            name: _undocumented(part)
            for name, part in value.items()
            if not (name == "documentation" and isinstance(part, str))
        }
    return [_undocumented(part) for part in value] if isinstance(value, list) else value


def _dumped(value: JSON) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
