"""Routes of HTTP functions take the paths that ASP.NET's take."""

from __future__ import annotations

import pytest

from remediator.local.azure.apps.routes import ordered, route
from remediator.local.azure.apps.settings import BadApp


@pytest.mark.parametrize(
    ("template", "path", "params"),
    [
        (None, "/api/name", {}),
        ("a/b", "/api/A/b/", {}),
        ("a/{x}", "/api/a/1", {"x": "1"}),
        ("a/{x}", "/api/a/1/2", None),
        ("a/{x}", "/api/a", None),
        ("a/{x?}", "/api/a", {}),
        ("a/{x:int}", "/api/a/12", {"x": "12"}),
        ("a/{x:int}", "/api/a/b", None),
        ("a/{x:guid}", "/api/a/00000000-0000-4000-8000-000000000000", {"x": "00000000-0000-4000-8000-000000000000"}),
        ("v1/{*rest}", "/api/v1/a/b", {"rest": "a/b"}),
        ("v1/{*rest}", "/api/v1", {}),
        ("v1/{*rest}", "/api/v12", None),
        ("a.b", "/api/axb", None),
        ("", "/api", {}),
    ],
)
def test_a_path_is_taken_apart(template: str | None, path: str, params: dict[str, str] | None) -> None:
    assert route("name", template, "api", (), "anonymous").params("GET", path) == params


def test_methods_and_prefix_count() -> None:
    one = route("name", "x", "", ["get", "POST"], "ANONYMOUS")
    assert one.params("GET", "/x") == {}
    assert one.params("PUT", "/x") is None
    assert one.params("GET", "/api/x") is None
    assert one.level == "anonymous"


def test_the_more_literal_route_is_tried_first() -> None:
    routes = [route("f", template, "", (), "anonymous") for template in ("{*all}", "a/{x}", "a/b")]
    assert [one.template for one in ordered(routes)] == ["a/b", "a/{x}", "{*all}"]


@pytest.mark.parametrize("template", ["a/{x:colour}", "a/x{y}", "{", "a/{x}z"])
def test_what_is_not_understood_is_refused(template: str) -> None:
    with pytest.raises(BadApp):
        route("f", template, "", (), "anonymous")
