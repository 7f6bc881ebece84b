"""`logic.if`."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from nbflow.catalogue.expressions import OneExpression, truth
from nbflow.catalogue.operators import Condition, all_hold
from nbflow.core.config import NodeConfig
from nbflow.core.node import Context, Emit, node_type


class IfConfig(NodeConfig):
    """One expression, or a list of comparisons."""

    condition: OneExpression = Field(default="", description="Expression that decides, such as `input.total > 100`.")
    conditions: tuple[Condition, ...] = Field(default=(), description="Comparisons that decide, instead of an expression.")
    combinator: Literal["and", "or"] = Field(default="and", description="Whether all or some of the comparisons must hold.")
    ignore_case: bool = Field(default=True, description="Compare text without regard to upper and lower case.")
    loose: bool = Field(default=False, description="Convert sides of different types ('5' and 5) instead of raising an error.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.condition) == bool(self.conditions):
            msg = "give either condition or conditions"
            raise ValueError(msg)
        return self


@node_type("logic.if", outputs=("true", "false"))
async def if_(config: IfConfig, input: Any = None, *, ctx: Context) -> Emit:  # noqa: A002 - the port's name
    """Send the input one of two ways.

    The input leaves unchanged by the port `true` or `false`; the other port is dead and what follows it is skipped. With the setting
    `each`, every item of a list is decided by itself. Raises InputError for sides of the wrong type and for answers that are tables.
    """
    if config.condition:
        answer = truth(ctx.render(config.condition, input=input), "the condition")
    else:
        answer = all_hold(config.conditions, config.combinator, ignore_case=config.ignore_case, loose=config.loose)
    return Emit.of({"true" if answer else "false": input})
