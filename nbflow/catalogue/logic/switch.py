"""`logic.switch`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from nbflow.catalogue.expressions import OneExpression, one_expression, truth
from nbflow.catalogue.operators import Condition, all_hold
from nbflow.core.config import NodeConfig
from nbflow.core.errors import InputError
from nbflow.core.node import Context, Emit, Lazy, node_type

EXTRA = "extra"


class Rule(NodeConfig):
    """One way out and when it is taken."""

    output: str = Field(min_length=1, description="Name of the output port.")
    condition: str = Field(default="", description="Expression that decides, such as `input.status == 'paid'`.")
    conditions: tuple[Condition, ...] = Field(default=(), description="Comparisons that decide, instead of an expression.")
    combinator: Literal["and", "or"] = Field(default="and", description="Whether all or some of the comparisons must hold.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.condition) == bool(self.conditions):
            msg = f"rule '{self.output}': give either condition or conditions"
            raise ValueError(msg)
        one_expression(self.condition)
        return self


class SwitchConfig(NodeConfig):
    """Rules with named outputs, or an expression that gives the output's name or number."""

    rules: Annotated[tuple[Rule, ...], Lazy()] = Field(default=(), description="Ways out, looked at in order.")
    expression: OneExpression = Field(default="", description="Gives the name of an output, or its number from 0; instead of rules.")
    outputs: tuple[str, ...] = Field(default=(), description="Names of the outputs that the expression chooses from.")
    fallback: Literal["none", "extra"] = Field(
        default="none", description="When nothing matches: nothing follows, or the input leaves by the port `extra`."
    )
    all_matching: bool = Field(default=False, description="Leave by every matching rule's output instead of the first one's.")
    ignore_case: bool = Field(default=True, description="Compare text without regard to upper and lower case.")
    loose: bool = Field(default=False, description="Convert sides of different types ('5' and 5) instead of raising an error.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if bool(self.rules) == bool(self.expression):
            msg = "give either rules or expression"
            raise ValueError(msg)
        if bool(self.expression) != bool(self.outputs):
            msg = "expression and outputs go together: outputs are the names to choose from"
            raise ValueError(msg)
        if EXTRA in {*self.outputs, *(rule.output for rule in self.rules)}:
            msg = f"the output name '{EXTRA}' is the fallback's"
            raise ValueError(msg)
        if len(set(self.outputs)) != len(self.outputs):
            msg = "an output is named twice"
            raise ValueError(msg)
        return self


def _outputs(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Read from an unchecked config: what is not as it should be adds no port, and the checker reports it."""
    rules = config.get("rules") or config.get("outputs") or ()
    listed = rules if isinstance(rules, list | tuple) else ()
    names = [rule.get("output") if isinstance(rule, Mapping) else rule for rule in listed]
    extra = [EXTRA] if config.get("fallback") == EXTRA else []
    return tuple(dict.fromkeys([name for name in names if isinstance(name, str) and name] + extra))


@node_type("logic.switch", outputs=_outputs)
async def switch(config: SwitchConfig, input: Any = None, *, ctx: Context) -> Emit:  # noqa: A002 - the port's name
    """Send the input one of several ways.

    Two rules may name the same output. Raises InputError when an expression chooses an output that does not exist.
    """
    if config.expression:
        chosen = _chosen(ctx.render(config.expression, input=input), config)
    else:
        matching = (rule.output for rule in config.rules if _matches(rule, config, input, ctx))
        chosen = list(matching) if config.all_matching else [name for name in [next(matching, None)] if name]
    if not chosen and config.fallback == EXTRA:
        chosen = [EXTRA]
    return Emit.of(dict.fromkeys(chosen, input))


def _matches(rule: Rule, config: SwitchConfig, value: Any, ctx: Context) -> bool:
    if rule.condition:
        return truth(ctx.render(one_expression(rule.condition), input=value), f"rule '{rule.output}'")
    conditions = [
        condition.model_copy(update={"left": ctx.render(condition.left, input=value), "right": ctx.render(condition.right, input=value)})
        for condition in rule.conditions
    ]
    try:
        return all_hold(conditions, rule.combinator, ignore_case=config.ignore_case, loose=config.loose)
    except InputError as error:
        msg = f"rule '{rule.output}', {error}"
        raise InputError(msg) from None


def _chosen(answer: Any, config: SwitchConfig) -> list[str]:
    if isinstance(answer, str) and answer in config.outputs:
        return [answer]
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(config.outputs):
        return [config.outputs[answer]]
    if config.fallback == EXTRA or answer is None:
        return []
    names = ", ".join(f"{number} {name}" for number, name in enumerate(config.outputs))
    msg = f"the expression chose {answer!r}, which is no output; there are {names}"
    raise InputError(msg)
