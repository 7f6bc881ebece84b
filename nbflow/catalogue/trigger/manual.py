"""`trigger.manual`."""

from typing import Any

from pydantic import Field

from nbflow.core.config import NodeConfig
from nbflow.core.node import Context, node_type


class ManualConfig(NodeConfig):
    """What the flow starts with when nobody gives it an input."""

    sample: Any = Field(default=None, description="The value to start with when the execution is started without an input.")


@node_type("trigger.manual", trigger=True)
async def manual(config: ManualConfig, *, ctx: Context) -> Any:
    """Start the flow by hand.

    Gives what the execution was started with, or the sample when that is nothing.
    """
    given = ctx.input
    nothing = given is None or (isinstance(given, dict) and not given)
    return config.sample if nothing and config.sample is not None else given
