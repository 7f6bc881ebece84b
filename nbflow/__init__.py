"""nbflow: workflows for people who live in notebooks. `import nbflow as nf`.

Names are imported when they are first used, so that importing nbflow costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbflow.authoring.function import node
    from nbflow.authoring.loops import for_range, foreach, while_
    from nbflow.authoring.namespace import Namespace
    from nbflow.core.errors import CheckError, ExecutionError, NbflowError, NodeError
    from nbflow.core.flow import Flow, Retry
    from nbflow.core.node import Context, Emit, Failure, Inputs
    from nbflow.credential import credentials
    from nbflow.define import flow, load, new
    from nbflow.history import execution, executions, sql
    from nbflow.publication import published, workflow

    nodes: Namespace

__version__ = "0.1.0"

_HOMES = {
    "flow": "nbflow.define",
    "load": "nbflow.define",
    "new": "nbflow.define",
    "node": "nbflow.authoring.function",
    "nodes": "nbflow.runtime.catalogue",
    "foreach": "nbflow.authoring.loops",
    "for_range": "nbflow.authoring.loops",
    "while_": "nbflow.authoring.loops",
    "credentials": "nbflow.credential",
    "sql": "nbflow.history",
    "execution": "nbflow.history",
    "executions": "nbflow.history",
    "workflow": "nbflow.publication",
    "published": "nbflow.publication",
    "Flow": "nbflow.core.flow",
    "Retry": "nbflow.core.flow",
    "Context": "nbflow.core.node",
    "Emit": "nbflow.core.node",
    "Failure": "nbflow.core.node",
    "Inputs": "nbflow.core.node",
    "NbflowError": "nbflow.core.errors",
    "CheckError": "nbflow.core.errors",
    "ExecutionError": "nbflow.core.errors",
    "NodeError": "nbflow.core.errors",
}

__all__ = [
    "CheckError",
    "Context",
    "Emit",
    "ExecutionError",
    "Failure",
    "Flow",
    "Inputs",
    "NbflowError",
    "NodeError",
    "Retry",
    "credentials",
    "execution",
    "executions",
    "flow",
    "for_range",
    "foreach",
    "load",
    "new",
    "node",
    "nodes",
    "published",
    "sql",
    "while_",
    "workflow",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        message = f"module 'nbflow' has no attribute '{name}'"
        raise AttributeError(message)
    value = globals()[name] = getattr(import_module(home), name)
    return value


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext nbflow`: the magics `%%node` and `%flow`."""
    import_module("nbflow.magics").load_ipython_extension(shell)


def __dir__() -> list[str]:
    return sorted([*_HOMES, "__version__"])
