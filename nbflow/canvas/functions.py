"""The Python functions that a canvas may use: those of its flow, and those that the user's session has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nbflow.authoring.function import FunctionNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.core.node import NodeType


def functions_at_hand(brought: Mapping[str, NodeType]) -> dict[str, NodeType]:
    """By their name in the document. A function defined again counts as it is now."""
    found = dict(brought)
    for value in list(vars(sys.modules["__main__"]).values()):
        if isinstance(value, FunctionNode):
            function = value.function
            found.setdefault(f"{function.__module__}:{function.__qualname__}", value.node_type)
    return found
