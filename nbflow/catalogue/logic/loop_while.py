"""`logic.loop.while`."""

from datetime import timedelta
from typing import Any

from pydantic import Field

from nbflow.catalogue.expressions import OneExpression, truth
from nbflow.core.config import NodeConfig
from nbflow.core.errors import LimitError
from nbflow.core.node import Context, node_type


class WhileConfig(NodeConfig):
    """When to go on, and when to give up."""

    condition: OneExpression = Field(min_length=1, description="Expression over the state `item`, looked at before each round: `item.page < 5`.")
    max_iterations: int = Field(default=1000, ge=1, description="Going on after this many rounds is an error.")
    delay: timedelta = Field(default=timedelta(0), ge=timedelta(0), description="Pause between rounds, as seconds or ISO 8601.")


@node_type("logic.loop.while", container=True)
async def loop_while(config: WhileConfig, input: Any = None, *, ctx: Context) -> Any:  # noqa: A002 - the port's name
    """Repeat the nodes inside while a condition holds.

    The state starts as the input; each round's result is the next state. Gives the state for which the condition is false.
    Raises LimitError when the condition still holds after `max_iterations` rounds, InputError when it is neither true nor false.
    """
    state = input
    index = 0
    while truth(ctx.render(config.condition, item=state, index=index, input=input), "the condition"):
        if index == config.max_iterations:
            msg = f"the condition still holds after {index} rounds; raise max_iterations when that is right"
            raise LimitError(msg)
        if index and config.delay:
            await ctx.sleep(config.delay.total_seconds())
        state = await ctx.body.run(state, index)
        index += 1
    return state
