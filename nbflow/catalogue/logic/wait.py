"""`logic.wait`."""

from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import Field, model_validator

from nbflow.core.config import NodeConfig
from nbflow.core.node import Context, node_type


class WaitConfig(NodeConfig):
    """How long, or until when."""

    duration: timedelta | None = Field(default=None, ge=timedelta(0), description="How long to wait, as seconds or ISO 8601 (PT5M).")
    until: datetime | None = Field(default=None, description="Instant to wait for; without an offset it is in the flow's time zone.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.duration is None) == (self.until is None):
            msg = "give either duration or until"
            raise ValueError(msg)
        return self


@node_type("logic.wait")
async def wait(config: WaitConfig, input: Any = None, *, ctx: Context) -> Any:  # noqa: A002 - the port's name
    """Wait for a while or until a moment, then pass the input on.

    A moment that is over does not wait. The wait lives in this process: it ends with the kernel or server.
    """
    if config.duration is not None:
        seconds = config.duration.total_seconds()
    else:
        until = config.until or ctx.now()
        seconds = ((until if until.tzinfo else until.replace(tzinfo=ctx.now().tzinfo)) - ctx.now()).total_seconds()
    if seconds > 0:
        await ctx.sleep(seconds)
    return input
