"""The base of every catalogue node's config. Apart from `node.py` so that importing nbflow does not import pydantic."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from nbflow.core.node import Lazy


class NodeConfig(BaseModel):
    """Frozen, unknown keys refused; each field carries a description."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Expression = Annotated[str, Lazy()]
"""A field whose `{{ expression }}` the node evaluates itself, per item or per round."""
