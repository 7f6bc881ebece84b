"""`logic.loop.for`."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from nbflow.core.config import NodeConfig
from nbflow.core.errors import LimitError
from nbflow.core.node import Context, node_type


class ForConfig(NodeConfig):
    """The numbers to count through."""

    start: int = Field(default=0, description="First number.")
    end: int = Field(description="Where counting ends; itself counted only when `inclusive`.")
    step: int = Field(default=1, description="Distance between numbers; negative to count down.")
    inclusive: bool = Field(default=False, description="Count `end` too. Off, it is as in Python's range.")
    max_iterations: int = Field(default=100_000, ge=1, description="More rounds than this are an error before the first one runs.")
    concurrency: int = Field(default=1, ge=1, description="Rounds that run at the same time.")
    on_item_error: Literal["stop", "collect"] = Field(
        default="stop", description="Stop at the first failed round, or put its failure in its place in the result."
    )

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.step == 0:
            msg = "step 0 never reaches the end"
            raise ValueError(msg)
        return self


@node_type("logic.loop.for", container=True)
async def loop_for(config: ForConfig, input: Any = None, *, ctx: Context) -> list[Any]:  # noqa: A002, ARG001 - nodes inside read the input
    """Repeat the nodes inside for each number of a range.

    Inside, `item` is the number and `index` counts from 0. Gives the list of the rounds' results, in order. Raises LimitError.
    """
    end = config.end + (1 if config.step > 0 else -1) if config.inclusive else config.end
    numbers = range(config.start, end, config.step)
    if len(numbers) > config.max_iterations:
        msg = f"{len(numbers)} rounds are more than max_iterations ({config.max_iterations})"
        raise LimitError(msg)
    return await ctx.body.map(numbers, concurrency=config.concurrency, collect_errors=config.on_item_error == "collect")
