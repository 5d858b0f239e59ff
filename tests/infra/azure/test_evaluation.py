"""The evaluation of ARM templates refuses what ARM would refuse, and never guesses."""

from __future__ import annotations

from typing import Any

import pytest

from infra.azure.evaluate import evaluate
from infra.azure.expressions import Malformed
from tests.infra.azure.deployment import PLACE, SUBSCRIPTION, deployed


def value(expression: str, **template: Any) -> Any:
    written = {"resources": [], "outputs": {"it": {"value": expression}}, **template}
    return evaluate(written, {}, PLACE).outputs["it"]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("plain", "plain"),
        ("[[not evaluated]", "[not evaluated]"),
        ("[format('{0}-{1}', 'a', 7)]", "a-7"),
        ("[concat('it''s', ' ', 'one')]", "it's one"),
        ("[createObject('a', createArray(1, 2)).a[1]]", 2),
        ("[if(equals(1, 2), variables('absent'), 'not taken')]", "not taken"),
        ("[toLower(string(true()))]", "true"),
        ("[string(createArray('a', 'b'))]", '["a","b"]'),
        ("[take('remediator', 3)]", "rem"),
        ("[join(createArray('a', 'b'), ',')]", "a,b"),
        ("[subscription().subscriptionId]", SUBSCRIPTION),
        ("[resourceId('Microsoft.Web/sites', 'x')]", f"{PLACE.group_id}/providers/Microsoft.Web/sites/x"),
    ],
)
def test_an_expression_comes_to_what_the_documentation_says(expression: str, wanted: Any) -> None:
    assert value(expression) == wanted


@pytest.mark.parametrize(
    "expression",
    [
        "[parameters('absent')]",
        "[variables('absent')]",
        "[copyIndex()]",
        "[listKeys('x', 'y')]",
        "[resourceId('Microsoft.Web/sites', 'x', 'y')]",
        "[format('x']",
        "[format('x'))]",
        "[createObject('a', 1).b]",
        "[reference('/subscriptions/x/providers/Microsoft.Sql/servers/y', '2021-11-01')]",
        "[format('{0}' 'x')]",
        "[$]",
    ],
)
def test_what_is_not_known_or_not_well_formed_is_refused(expression: str) -> None:
    with pytest.raises(Malformed):
        value(expression)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("prefix", "no"),
        ("prefix", "farTooLongAPrefix"),
        ("readerObjectId", "short"),
        ("scopes", "/subscriptions/x"),
        ("retentionDays", 1),
        ("retentionDays", True),
        ("operatorPrincipalType", "Device"),
        ("operatorPrincipalType", "Group"),
        ("unheardOf", 1),
    ],
)
def test_a_parameter_that_is_not_as_declared_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(Malformed, match=name):
        deployed(**{name: wrong})


def test_loops_make_one_for_each_turn() -> None:
    loop = {"copy": [{"name": "found", "count": "[length(createArray(1, 2))]", "input": "[copyIndex('found')]"}]}
    assert value("[string(variables('found'))]", variables=loop) == "[0,1]"


def test_a_resource_whose_condition_fails_is_left_out() -> None:
    resource = {"type": "A/b", "apiVersion": "1", "name": "x", "condition": "[equals(1, 2)]"}
    assert evaluate({"resources": [resource]}, {}, PLACE).resources == []


def test_two_resources_of_one_id_are_refused() -> None:
    resource = {"type": "A/b", "apiVersion": "1", "name": "x"}
    with pytest.raises(Malformed, match="same id"):
        evaluate({"resources": [resource, resource]}, {}, PLACE)
