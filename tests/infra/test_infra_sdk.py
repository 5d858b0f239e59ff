"""What is left of the SDK's data, and that it is enough."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore
import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from infra.assets.closure import Unshippable
from infra.assets.recipes import remediate_recipe, rotate_recipe, watch_recipe
from infra.assets.sdk import SdkData, cut_endpoints, cut_model

if TYPE_CHECKING:
    from botocore.model import Shape

    from infra.assets.build import Recipe

DATA = Path(botocore.__file__).parent / "data"
RECIPES = [rotate_recipe(), remediate_recipe(), watch_recipe()]


def cut_loader(folder: Path, operations: set[str] | frozenset[str]) -> Loader:
    for name, content in SdkData(DATA).cut(operations).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return Loader(extra_search_paths=[str(folder)], include_default_search_paths=False)


def outline(shape: Shape | None, seen: tuple[str, ...] = ()) -> Any:
    """Return everything that makes a shape, down to its leaves, without what is written about it."""
    if shape is None or shape.name in seen:
        return shape and shape.name
    deeper = (*seen, shape.name)
    parts: dict[str, Any] = {"type": shape.type_name, "serialization": dict(shape.serialization)}
    parts["metadata"] = {key: value for key, value in shape.metadata.items() if key != "document"}
    if shape.type_name == "structure":
        parts["members"] = {name: outline(member, deeper) for name, member in shape.members.items()}  # type: ignore[attr-defined]  # a structure's
    elif shape.type_name == "list":
        parts["member"] = outline(shape.member, deeper)  # type: ignore[attr-defined]  # a list's
    elif shape.type_name == "map":
        parts["key"], parts["value"] = outline(shape.key, deeper), outline(shape.value, deeper)  # type: ignore[attr-defined]  # a map's
    return parts


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: str(recipe.name))
def test_what_is_left_of_each_operation_is_what_it_was(recipe: Recipe, tmp_path: Path) -> None:
    whole, cut = Loader(), cut_loader(tmp_path, frozenset(recipe.operations))
    for operation in sorted(recipe.operations):
        service, _, name = operation.partition(":")
        before = ServiceModel(whole.load_service_model(service, "service-2"), service).operation_model(name)
        after = ServiceModel(cut.load_service_model(service, "service-2"), service).operation_model(name)
        assert after.http == before.http
        assert outline(after.input_shape) == outline(before.input_shape)
        assert outline(after.output_shape) == outline(before.output_shape)
        assert [one.name for one in after.error_shapes] == [one.name for one in before.error_shapes]
        assert after.service_model.metadata == before.service_model.metadata


def test_only_the_named_operations_and_their_shapes_are_left(tmp_path: Path) -> None:
    model = cut_loader(tmp_path, {"iam:GetRole"}).load_service_model("iam", "service-2")
    assert list(model["operations"]) == ["GetRole"]
    assert "GetRoleRequest" in model["shapes"]
    assert "CreateUserRequest" not in model["shapes"]
    assert len(json.dumps(model)) < 10_000


def test_documentation_goes_but_a_member_of_that_name_stays() -> None:
    model = {
        "metadata": {},
        "documentation": "long",
        "operations": {"Do": {"name": "Do", "input": {"shape": "In"}, "documentation": "long"}},
        "shapes": {
            "In": {
                "type": "structure",
                "members": {"documentation": {"shape": "Text", "documentation": "long"}},
                "documentation": "long",
            },
            "Text": {"type": "string"},
            "Unused": {"type": "string"},
        },
    }
    assert cut_model(model, {"Do"}, "any") == {
        "metadata": {},
        "operations": {"Do": {"name": "Do", "input": {"shape": "In"}}},
        "shapes": {
            "In": {"type": "structure", "members": {"documentation": {"shape": "Text"}}},
            "Text": {"type": "string"},
        },
    }


def test_shapes_are_followed_through_lists_maps_and_themselves() -> None:
    model = {
        "metadata": {},
        "operations": {"Do": {"output": {"shape": "Tree"}, "errors": [{"shape": "Bad"}]}},
        "shapes": {
            "Tree": {"type": "structure", "members": {"children": {"shape": "Trees"}, "tags": {"shape": "Tags"}}},
            "Trees": {"type": "list", "member": {"shape": "Tree"}},
            "Tags": {"type": "map", "key": {"shape": "Key"}, "value": {"shape": "Value"}},
            "Key": {"type": "string"},
            "Value": {"type": "string"},
            "Bad": {"type": "structure", "members": {}, "exception": True},
            "Unused": {"type": "string"},
        },
    }
    assert set(cut_model(model, {"Do"}, "any")["shapes"]) == {"Tree", "Trees", "Tags", "Key", "Value", "Bad"}


def test_partitions_and_regions_all_stay_and_other_services_go() -> None:
    whole = json.loads((DATA / "endpoints.json").read_bytes())
    cut = cut_endpoints(whole, {"sts", "dynamodb"})
    for before, after in zip(whole["partitions"], cut["partitions"], strict=True):
        assert after["services"].keys() <= {"sts", "dynamodb"}
        assert {**before, "services": {}} == {**after, "services": {}}
        assert after["services"].get("sts") == before["services"].get("sts")
    assert len(cut["partitions"]) > 5


def test_paginators_are_left_for_the_operations_that_are() -> None:
    files = SdkData(DATA).cut({"dynamodb:Query"})
    (pages,) = [json.loads(content) for name, content in files.items() if name.endswith("paginators-1.json")]
    assert list(pages["pagination"]) == ["Query"]


def test_what_the_sdk_calls_by_itself_is_left() -> None:
    files = SdkData(DATA).cut({"s3:PutBucketPolicy"})
    (model,) = [json.loads(content) for name, content in files.items() if name.endswith("service-2.json")]
    assert list(model["operations"]) == ["CreateSession", "HeadBucket", "PutBucketPolicy"]


@pytest.mark.parametrize(
    ("operation", "said"),
    [("iam:GetRoles", "iam has no operation GetRoles"), ("aim:GetRole", "the SDK knows no service aim")],
)
def test_an_operation_that_does_not_exist_is_refused(operation: str, said: str) -> None:
    with pytest.raises(Unshippable, match=said):
        SdkData(DATA).cut({operation})
