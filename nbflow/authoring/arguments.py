"""What a node is called with: its edges by place or name, its config, its settings."""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbflow.authoring.drawing import Drawing, refuse
from nbflow.authoring.formatting import Code, Group, Item, quoted
from nbflow.authoring.literal import duration_code, value_code
from nbflow.authoring.names import is_name
from nbflow.authoring.trace import settings_from
from nbflow.core.flow import Node, NodeSettings, Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from nbflow.authoring.functions import FunctionCode
    from nbflow.authoring.operands import Operand, Values


@dataclass(frozen=True, slots=True)
class Argument:
    """`prefix` is `name=`, or `"key": ` in an object."""

    prefix: str
    value: Code | Operand | tuple[Operand, ...]


class Arguments:
    """Of every node of a document."""

    def __init__(self, drawing: Drawing, values: Values, parameters: Collection[str], timedelta_name: Callable[[], str]) -> None:
        self._drawing = drawing
        self._values = values
        self._parameters = parameters
        self._timedelta_name = timedelta_name

    def of_function(self, node: Node, function: FunctionCode) -> list[Argument]:
        """Of a function's node."""
        edges = self.by_port(node, function.parameters, function.many)
        given: Mapping[str, Any] = node.config.get("args", {})
        arguments: list[Argument] = []
        by_place = has_no_edge = True
        for name in function.parameters:
            if name not in edges and name not in given:
                by_place = False
                continue
            if name in edges and name in given:
                refuse(node.id, name, "it has an edge and a value in `args`; remove one")
            value: Code | Operand | tuple[Operand, ...]
            if name in edges:
                value, reads_alone = (edges[name][0] if len(edges[name]) == 1 else tuple(edges[name])), True
            else:
                value = self._values.code(node, name, given[name])
                reads_alone = isinstance(value, str) and value.partition("[")[0] in self._parameters and has_no_edge
            has_no_edge = has_no_edge and name not in edges
            by_place = by_place and reads_alone and name in function.by_place
            arguments.append(Argument("" if by_place else f"{name}=", value))
        return arguments

    def by_port(self, node: Node, ports: Collection[str], many: Collection[str]) -> dict[str, list[Operand]]:
        """The edges into a node. Raises DefinitionError for those that cannot be given."""
        found: dict[str, list[Operand]] = {}
        for edge in self._drawing.inputs[node.id]:
            if edge.target_port not in ports:
                refuse(node.id, edge.target_port, f"it has no such input; it has {', '.join(ports) or 'none'}")
            found.setdefault(edge.target_port, []).append(self._values.operand(edge))
            if len(found[edge.target_port]) > 1 and edge.target_port not in many:
                refuse(node.id, edge.target_port, "several edges end here, and it takes one; join them with logic.merge")
        return found

    def of_type(self, node: Node) -> list[Argument]:
        """Of a catalogue node."""
        declared = self._drawing.types[node.id]
        names = [port.name for port in declared.inputs]
        edges = self.by_port(node, names, {port.name for port in declared.inputs if port.many})
        if declared.container and "body" in node.config:
            refuse(node.id, "config.body", "in Python this is the function with the nodes inside")
        arguments: list[Argument] = []
        by_place = True
        for port in declared.inputs:
            operands = edges.get(port.name)
            by_place = by_place and operands is not None
            if operands is None:
                continue
            if not by_place and port.name in node.config:
                refuse(node.id, port.name, "it has an edge and a value; remove one")
            prefix = "" if by_place else f"{_keyword(port.name)}="
            if by_place and port is declared.inputs[-1] and port.many:
                arguments += [Argument("", operand) for operand in operands]
            else:
                arguments.append(Argument(prefix, tuple(operands) if port.many and len(operands) > 1 else operands[0]))
        return arguments + self.fields(node, node.config)

    def fields(self, node: Node, config: Mapping[str, Any]) -> list[Argument]:
        """Config, by name."""
        arguments: list[Argument] = []
        splat: list[Item] = []
        for name, value in config.items():
            if name.endswith("_") and keyword.iskeyword(name.removesuffix("_")):
                refuse(node.id, f"config.{name}", f"in Python this name means the field '{name.removesuffix('_')}'")
            code = self._values.code(node, name, value)
            if is_name(_keyword(name)):
                arguments.append(Argument(f"{_keyword(name)}=", code))
            else:
                splat.append(Item(f"{quoted(name)}: ", code))
        return [*arguments, Argument("**", Group("{", tuple(splat), "}"))] if splat else arguments

    def options(self, node: Node, function: FunctionCode | None, *, needs_id: bool) -> list[Item]:
        """Of `.options(...)`: what differs from the function's own settings."""
        base = function.settings if function else NodeSettings()
        unsure: Collection[str] = function.unsure if function else ()
        items = [Item("id=", quoted(node.id))] if needs_id else []
        if needs_id and not node.id:
            refuse(node.id, "id", "an empty id cannot be given in Python")
        for name in NodeSettings.__dataclass_fields__:
            value = getattr(node.settings, name)
            if value != getattr(base, name) or name in unsure:
                items.append(Item(f"{name}=", self._setting(name, value)))
        return items

    def _setting(self, name: str, value: Any) -> Code:
        if name == "timeout" and value is not None:
            return duration_code(value, lambda seconds: settings_from({"timeout": seconds}).timeout, self._timedelta_name)
        if isinstance(value, Retry):
            return self._retry(value)
        return value_code(value)

    def _retry(self, retry: Retry) -> Code:
        plain = Retry()
        if retry == Retry(max_tries=retry.max_tries):
            return repr(retry.max_tries)
        items: list[Item] = []
        for name in Retry.__dataclass_fields__:
            value = getattr(retry, name)
            if value == getattr(plain, name):
                continue
            items.append(Item(f'"{name}": ', repr(value) if isinstance(value, int | float) else self._wait(name, value)))
        return Group("{", tuple(items), "}")

    def _wait(self, name: str, value: Any) -> Code:
        return duration_code(value, lambda seconds: getattr(settings_from({"retry": {name: seconds}}).retry, name), self._timedelta_name)


def _keyword(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name
