"""What the values of a document are called in code: variables of nodes, items of loops, expressions that name them."""

from __future__ import annotations

import keyword
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbflow.authoring.drawing import Drawing, refuse
from nbflow.authoring.formatting import Code, quoted
from nbflow.authoring.literal import Symbol, is_output, path_code, symbols_in, value_code
from nbflow.authoring.names import Names, is_name
from nbflow.authoring.symbol import Output
from nbflow.core.errors import DefinitionError
from nbflow.core.node import PYTHON_FUNCTION

if TYPE_CHECKING:
    from collections.abc import Collection

    from nbflow.authoring.functions import Functions
    from nbflow.core.flow import Edge, Node

_ATTRIBUTES = frozenset(name for name in dir(Output) if not name.startswith("_"))


@dataclass(frozen=True, slots=True)
class Operand:
    """The value of an edge or output, and what is picked of it."""

    source: str
    suffix: str
    name: str | None = None  # of a loop's item or index


class Values:
    """Names and uses. `inner` and `defined` grow while the code is written."""

    def __init__(self, drawing: Drawing, functions: Functions, parameters: Collection[str], names: Names) -> None:
        self._drawing = drawing
        self._functions = functions
        self._parameters = parameters
        self.inner_uses: set[tuple[str, str]] = set()
        """Loops and which of their `item` and `index` is wanted."""
        self.uses = self._counted()
        self.variables = {id_: names.free(id_) for id_ in drawing.nodes if self.uses[id_]}
        """By node; one that nobody wants has none."""
        self.inner: dict[tuple[str, str], str] = {}
        """What an item or index is called, by loop and port."""
        self.defined: set[str] = set()
        """Nodes drawn so far."""

    def _counted(self) -> Counter[str]:
        drawing = self._drawing
        uses: Counter[str] = Counter()
        for target, edges in drawing.inputs.items():
            for edge in edges:
                if drawing.is_inner(edge):
                    self.inner_uses.add((edge.source, edge.source_port))
                else:
                    uses[edge.source] += 1
            for root, name in self._symbols(drawing.nodes[target]):
                if root == "nodes":
                    uses[name] += 1
                elif root in {"item", "index"}:
                    self.inner_uses.add((name, root))
        uses.update(edge.source for edge in drawing.results.values())
        uses.update(output.node for output in drawing.flow.outputs.values())
        return uses

    def _symbols(self, node: Node) -> list[tuple[str, str]]:
        """Expressions in the config that become variables; of `item` and `index` with their loop."""
        found = []
        for name, value in self._values(node):
            if self._is_text(node, name, value):
                continue
            for root, other in symbols_in(value):
                if root == "nodes" and other in self._drawing.nodes and other != node.id and self._drawing.scopes.sees(node.id, other):
                    found.append((root, other))
                elif root in {"item", "index"} and node.parent is not None and not node.settings.each:
                    found.append((root, node.parent))
        return found

    def _values(self, node: Node) -> list[tuple[str, Any]]:
        values = node.config.get("args", {}) if node.type == PYTHON_FUNCTION else node.config
        return list(values.items())

    def _is_text(self, node: Node, name: str, value: Any) -> bool:
        """Whether the field stays as it is: its expressions are the node's own, or it would become an edge."""
        declared = self._drawing.types.get(node.id)
        if declared is None:
            return isinstance(value, str) and is_output(value)
        if name in declared.lazy or name in declared.verbatim:
            return True
        is_port = any(port.name == name for port in declared.inputs) or (name == "items" and declared.container)
        return is_port and isinstance(value, str) and is_output(value)

    def code(self, node: Node, name: str, value: Any) -> Code:
        """A field or argument of a node. Raises DefinitionError for what is no JSON."""
        where = f"config.args.{name}" if node.type == PYTHON_FUNCTION else f"config.{name}"
        try:
            return value_code(value, None if self._is_text(node, name, value) else self._symbol(node))
        except ValueError as error:
            refuse(node.id, where, str(error))

    def _symbol(self, node: Node) -> Symbol:
        def code(root: str, name: str, path: tuple[str | int, ...]) -> str | None:
            if root == "params":
                return name + path_code(path) if name in self._parameters else None
            if root == "nodes":
                is_there = name in self.defined and name in self.variables and self._drawing.scopes.sees(node.id, name)
                return self.variables[name] + path_code(path) if is_there else None
            inner = None if node.parent is None or node.settings.each else self.inner.get((node.parent, root))
            return None if inner is None else inner + path_code(path)

        return code

    def operand(self, edge: Edge) -> Operand:
        """Where an edge begins."""
        if self._drawing.is_inner(edge):
            return Operand(edge.source, path_code(edge.path), self.inner[edge.source, edge.source_port])
        return Operand(edge.source, self.port(edge.source, edge.source_port) + path_code(edge.path))

    def output(self, name: str, id_: str, port: str, path: tuple[str | int, ...]) -> Operand:
        """Where an output of the flow begins."""
        node = self._drawing.nodes.get(id_)
        if node is None or node.parent is not None:
            reason = "does not exist" if node is None else f"is inside the loop '{node.parent}' and has no single value"
            message = f"output '{name}', field 'node': '{id_}' {reason}"
            raise DefinitionError(message)
        return Operand(id_, self.port(id_, port) + path_code(path))

    def port(self, id_: str, port: str) -> str:
        """How a port is reached from the node's variable."""
        node = self._drawing.nodes[id_]
        ports = self._ports(node)
        if port not in ports:
            refuse(id_, port, f"it has no such output; it has {', '.join(ports) or 'none'}")
        if port == "output":
            return ""
        if (not is_name(port.removesuffix("_")) and not keyword.iskeyword(port)) or port.startswith("_"):
            return f".port({quoted(port)})"
        return f".{port}_" if keyword.iskeyword(port) or port in _ATTRIBUTES or port.endswith("_") else f".{port}"

    def _ports(self, node: Node) -> tuple[str, ...]:
        error = ("error",) if node.settings.on_error == "output" else ()
        if node.type == PYTHON_FUNCTION:
            return self._functions.of(node).outputs + error
        try:
            return tuple(self._drawing.types[node.id].outputs_of(node.config)) + error
        except Exception as reason:  # noqa: BLE001 -- a plugin's own function, given a config that is wrong
            refuse(node.id, "config", f"its outputs cannot be told from this config ({reason})")
