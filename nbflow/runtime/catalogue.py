"""The catalogue that an execution sees: the registry's node types, and the functions that its definition brought."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING

from nbflow.authoring.function import FunctionNode, function_type
from nbflow.authoring.namespace import Namespace
from nbflow.catalogue.registry import Registry
from nbflow.core.errors import DefinitionError
from nbflow.core.node import PYTHON_FUNCTION, NodeType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.core.flow import Node


@cache
def registry() -> Registry:
    """The installed node types, found once a process."""
    return Registry()


class FunctionCatalogue:
    """Implements `core.node.Catalogue`. A function that the definition did not bring is imported by its name."""

    def __init__(self, functions: Mapping[str, NodeType]) -> None:
        self._functions = dict(functions)

    def resolve(self, node: Node) -> NodeType:
        """Raises UnknownNodeTypeError; DefinitionError when a function cannot be had here."""
        if node.type != PYTHON_FUNCTION:
            return registry().get(node.type)
        name = str(node.config.get("function", ""))
        if name not in self._functions:
            self._functions[name] = _imported(name)
        return self._functions[name]


def _imported(name: str) -> NodeType:
    module, _, path = name.partition(":")
    advice = (
        "give the function as 'package.module:name' of something importable, or run the flow from where it is defined: nbflow run notebook.ipynb:flow"
    )
    if module in {"", "__main__"} or not path:
        message = f"the function '{name}' lives only in the notebook or script that defines it; {advice}"
        raise DefinitionError(message)
    try:
        found: object = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        message = f"the function '{name}' cannot be imported ({error}); {advice}"
        raise DefinitionError(message) from error
    if isinstance(found, FunctionNode):
        return found.node_type
    if not callable(found):
        message = f"'{name}' is no function but {type(found).__name__}; {advice}"
        raise DefinitionError(message)
    return function_type(found)


nodes = Namespace(registry)
"""The catalogue as Python: `nf.nodes.data.csv(...)`."""
