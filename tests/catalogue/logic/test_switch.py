import pytest
from pydantic import ValidationError

from nbflow.catalogue.registry import Registry
from nbflow.core.errors import InputError
from nbflow.testing import run_node

RULES = [
    {"output": "big", "condition": "input.total > 100"},
    {"output": "paid", "conditions": [{"left": "{{ input.status }}", "operator": "equals", "right": "paid"}]},
]


async def ports(config: dict, value: object) -> list[str]:
    return list((await run_node("logic.switch", config, value)).ports)


async def test_the_first_matching_rule_wins() -> None:
    assert await ports({"rules": RULES}, {"total": 200, "status": "paid"}) == ["big"]
    assert await ports({"rules": RULES}, {"total": 1, "status": "PAID"}) == ["paid"]


async def test_all_matching_rules_on_request() -> None:
    assert await ports({"rules": RULES, "all_matching": True}, {"total": 200, "status": "paid"}) == ["big", "paid"]


async def test_what_matches_nothing_goes_nowhere_or_to_extra() -> None:
    assert await ports({"rules": RULES}, {"total": 1, "status": "new"}) == []
    assert await ports({"rules": RULES, "fallback": "extra"}, {"total": 1, "status": "new"}) == ["extra"]


@pytest.mark.parametrize(("value", "port"), [("b", "b"), (0, "a")])
async def test_an_expression_gives_a_name_or_a_number(value: object, port: str) -> None:
    assert await ports({"expression": "input", "outputs": ["a", "b"]}, value) == [port]


@pytest.mark.parametrize("value", ["c", 2, -1, True, 1.5])
async def test_an_output_that_does_not_exist_is_an_error(value: object) -> None:
    with pytest.raises(InputError, match="no output; there are 0 a, 1 b"):
        await ports({"expression": "input", "outputs": ["a", "b"]}, value)
    assert await ports({"expression": "input", "outputs": ["a", "b"], "fallback": "extra"}, value) == ["extra"]


async def test_a_wrong_type_names_rule_and_condition() -> None:
    with pytest.raises(InputError, match="rule 'paid', condition 1: wrong type"):
        await ports({"rules": RULES[1:]}, {"status": 3})


def test_the_ports_follow_the_config() -> None:
    declared = Registry().get("logic.switch")
    assert declared.outputs_of({"rules": RULES, "fallback": "extra"}) == ("big", "paid", "extra")
    assert declared.outputs_of({"expression": "input", "outputs": ["a", "b"]}) == ("a", "b")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "either rules or expression"),
        ({"expression": "input"}, "go together"),
        ({"expression": "input", "outputs": ["a", "a"]}, "twice"),
        ({"rules": [{"output": "extra", "condition": "true"}]}, "fallback's"),
        ({"rules": [{"output": "a"}]}, "rule 'a': give either"),
        ({"rules": [{"output": "a", "condition": "{{ input }} b"}]}, "write one expression"),
    ],
)
async def test_a_config_that_cannot_work_is_refused(config: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        await ports(config, 1)
