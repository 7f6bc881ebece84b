"""`example.greet`."""

from typing import Any

from pydantic import Field

from nbflow.core.config import NodeConfig
from nbflow.core.node import Context, node_type


class GreetConfig(NodeConfig):
    """Whom to greet."""

    name: str = Field(default="world", description="Whom to greet.")


@node_type("example.greet")
async def greet(config: GreetConfig, input: Any = None, *, ctx: Context) -> str:  # noqa: A002 - the port's name
    """Say hello."""
    return f"hello {config.name}"
