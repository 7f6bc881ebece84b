"""The nodes of a flow as statements: calls, variables, loops. What is used once, just before its one use, is written there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbflow.authoring.arguments import Argument, Arguments
from nbflow.authoring.drawing import Drawing, refuse
from nbflow.authoring.formatting import Code, Group, Item, call, fits, flat, followed, quoted, render
from nbflow.authoring.literal import path_code
from nbflow.authoring.names import Names, is_name
from nbflow.authoring.namespace import attribute
from nbflow.authoring.operands import Operand, Values
from nbflow.authoring.trace import Ids, base_id
from nbflow.core.flow import Node, NodeSettings
from nbflow.core.node import PYTHON_FUNCTION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from nbflow.authoring.functions import Functions

_STEP = 4
_NESTED = 60  # characters of a call inside a call
_DEEPEST = 2  # calls in a call
_ITEMS = {"logic.loop.for": "number", "logic.loop.while": "state"}

_Loop = tuple[str, str, tuple[str, ...], Mapping[str, Any]]
_LOOPS: Mapping[str, _Loop] = {  # what nf.foreach and the others say: name, id, fields given by place, fields left out when they have this value
    "logic.loop.foreach": (
        "foreach",
        "foreach",
        ("items",),
        {"concurrency": 1, "on_item_error": "stop", "batch_size": 1, "field": ""},
    ),
    "logic.loop.for": (
        "for_range",
        "for_range",
        ("start", "end"),
        {"step": 1, "inclusive": False, "concurrency": 1, "on_item_error": "stop", "max_iterations": 100_000},
    ),
    "logic.loop.while": ("while_", "while", ("condition",), {"max_iterations": 1000, "delay": 0}),
}


@dataclass(frozen=True, slots=True)
class _Pending:
    """A call that may still be written into the next one."""

    id: str
    code: Code
    depth: int


@dataclass(slots=True)
class _Block:
    """The statements of one function."""

    indent: int
    lines: list[str] = field(default_factory=list)
    pending: list[_Pending] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.lines.append(" " * self.indent + text)

    def define(self, lines: Sequence[str]) -> None:
        """A function inside, with blank lines around it."""
        if self.lines and self.lines[-1]:
            self.lines.append("")
        self.lines += [*lines, ""]


class Statements:
    """Writes the body of a flow's function. Names: of the module nbflow, of the flow's parameters, and those that the body must leave alone."""

    def __init__(
        self,
        drawing: Drawing,
        functions: Functions,
        *,
        nf: str,
        parameters: Collection[str],
        taken: Collection[str],
        timedelta_name: Callable[[], str],
    ) -> None:
        self._drawing = drawing
        self._functions = functions
        self._nf = nf
        self._ids = Ids()
        self._names = Names(taken)
        self._values = Values(drawing, functions, parameters, self._names)
        self._arguments = Arguments(drawing, self._values, parameters, timedelta_name)

    def lines(self) -> list[str]:
        """The statements, indented once."""
        outputs = self._drawing.flow.outputs
        returned = [
            Argument(f"{quoted(name)}: ", self._values.output(name, output.node, output.port, output.path)) for name, output in outputs.items()
        ]
        alone = next((name for name, output in outputs.items() if [*outputs] == [output.node]), None)
        block = self._scope(None, _STEP, alone)
        if alone is not None:
            returned = [Argument("", returned[0].value)]
        if returned:
            items, _ = self._filled(returned, block.pending, nest=True)
            code = items[0].value if alone is not None else Group("{", items, "}")
            self._flush(block)
            block.add("return " + render(code, _STEP, _STEP + 7))
        self._flush(block)
        return block.lines

    def _scope(self, loop: str | None, indent: int, returned: str | None) -> _Block:
        """`returned`: the node that is all that the function returns."""
        block = _Block(indent)
        ids = self._drawing.inside.get(loop, [])
        for id_ in ids:
            node = self._drawing.nodes[id_]
            is_end = id_ == ids[-1] == returned and self._values.uses[id_] == 1
            if node.type == PYTHON_FUNCTION:
                self._function(block, node, is_end=is_end)
            elif self._drawing.types[id_].container:
                self._loop(block, node, is_end=is_end)
            else:
                self._catalogue(block, node, is_end=is_end)
            self._values.defined.add(id_)
        return block

    def _function(self, block: _Block, node: Node, *, is_end: bool) -> None:
        function = self._functions.of(node)
        expected = self._ids.next(base_id(function.id))
        options = self._arguments.options(node, function, needs_id=node.id != expected)
        self._ids.take(base_id(function.id) if node.id == expected else node.id)
        code, depth = self._composed(block, node, self._head(function.call, options), self._arguments.of_function(node, function))
        nests = not options and self._values.uses[node.id] == 1 and self._values.variables.get(node.id) != node.id and len(flat(code)) <= _NESTED
        if is_end or (nests and depth <= _DEEPEST):
            block.pending.append(_Pending(node.id, code, depth))
            return
        self._flush(block)
        self._state(block, node.id, code)

    def _catalogue(self, block: _Block, node: Node, *, is_end: bool) -> None:
        head, fallback = self._type(node)
        expected = self._ids.next(base_id(fallback))
        is_end = is_end and node.id == expected
        named = self._values.uses[node.id] > 0 and not is_end
        needs_id = self._values.variables[node.id] != node.id if named else node.id != expected
        self._ids.take(node.id if named or needs_id else base_id(fallback))
        options = self._arguments.options(node, None, needs_id=needs_id)
        code, depth = self._composed(block, node, self._head(head, options), self._arguments.of_type(node))
        if is_end:
            block.pending.append(_Pending(node.id, code, depth))
            return
        self._flush(block)
        self._state(block, node.id, code)

    def _loop(self, block: _Block, node: Node, *, is_end: bool) -> None:
        short = self._short_form(node)
        head, fallback = (f"{self._nf}.{short[0]}", short[1]) if short else self._type(node)
        expected = self._ids.next(base_id(fallback))
        is_end = is_end and node.id == expected
        named = self._values.uses[node.id] > 0 and not is_end
        needs_id = self._values.variables[node.id] != node.id if named else node.id != expected
        self._ids.take(node.id if named or needs_id else base_id(fallback))
        before = list(self._short_arguments(node, short)) if short else self._arguments.of_type(node)
        body, definition = self._body(node, block.indent)
        if short:
            before.insert(_places(node), Argument("", body))
            if needs_id:
                before.append(Argument("id=", quoted(node.id)))
            options = []
        else:
            ports = sum(isinstance(argument.value, Operand) for argument in before)
            before.insert(ports, Argument("body=", body))
            options = self._arguments.options(node, None, needs_id=needs_id)
        code, depth = self._composed(block, node, self._head(head, options), before)
        if definition:
            self._flush(block)
            block.define(definition)
        if is_end:
            block.pending.append(_Pending(node.id, code, depth))
            return
        self._flush(block)
        self._state(block, node.id, code)

    def _state(self, block: _Block, id_: str, code: Code) -> None:
        lead = f"{self._values.variables[id_]} = " if self._values.uses[id_] else ""
        block.add(lead + render(code, block.indent, block.indent + len(lead)))

    def _flush(self, block: _Block) -> None:
        for pending in block.pending:
            self._state(block, pending.id, pending.code)
        block.pending.clear()

    def _composed(self, block: _Block, node: Node, head: str | Group, arguments: list[Argument]) -> tuple[Group, int]:
        """The call, with calls before it written into it where the line stays short."""
        lead = block.indent + len(self._values.variables.get(node.id, "")) + 3
        before = list(block.pending)
        items, depth = self._filled(arguments, block.pending, nest=True)
        code = call(head, *items)
        if len(block.pending) < len(before) and not fits(flat(code), lead):
            block.pending[:] = before
            items, depth = self._filled(arguments, block.pending, nest=False)
            code = call(head, *items)
        return code, depth

    def _filled(self, arguments: list[Argument], pending: list[_Pending], *, nest: bool) -> tuple[tuple[Item, ...], int]:
        """Arguments are evaluated from left to right, and ids depend on that: so only what was just called is taken, from the right."""
        depth = 0
        items: list[Item] = []

        def operand(value: Operand) -> Code:
            nonlocal depth
            if value.name is not None:
                return value.name + value.suffix
            if nest and pending and pending[-1].id == value.source:
                taken = pending.pop()
                depth = max(depth, taken.depth)
                return followed(taken.code, value.suffix)
            return self._values.variables[value.source] + value.suffix

        for argument in reversed(arguments):
            if isinstance(argument.value, Operand):
                items.append(Item(argument.prefix, operand(argument.value)))
            elif isinstance(argument.value, tuple):
                parts = [Item("", operand(value)) for value in reversed(argument.value)]
                items.append(Item(argument.prefix, Group("[", tuple(reversed(parts)), "]")))
            else:
                items.append(Item(argument.prefix, argument.value))
        return tuple(reversed(items)), depth + 1

    def _type(self, node: Node) -> tuple[str, str]:
        """How the catalogue calls the type, and what the nodes of it are called."""
        group = node.type.partition(".")[0]
        name = attribute(node.type)
        if not is_name(group) or not is_name(name) or group.startswith("_") or name.startswith("_"):
            refuse(node.id, "type", f"'{node.type}' cannot be written as nf.nodes.group.name")
        return f"{self._nf}.nodes.{group}.{name}", name

    def _head(self, head: str, options: list[Item]) -> str | Group:
        return call(f"{head}.options", *options) if options else head

    # Loops -------------------------------------------------------------------------------------

    def _short_form(self, node: Node) -> _Loop | None:
        """`nf.foreach` and the others, where they say all of it."""
        form = _LOOPS.get(node.type)
        if form is None or node.settings != NodeSettings():
            return None
        _, _, places, defaults = form
        fields = [name for name in node.config if name not in places]
        has_input = bool(self._drawing.inputs[node.id])
        if any(name not in defaults or node.config[name] == defaults[name] for name in fields):
            return None
        if "items" in places:
            return None if "items" in node.config and (has_input or node.config["items"] is None) else form
        return form if all(name in node.config for name in places) else None

    def _short_arguments(self, node: Node, form: _Loop) -> list[Argument]:
        name, _, places, _ = form
        self._arguments.by_port(node, ("input",), ())
        edges = [self._values.operand(edge) for edge in self._drawing.inputs[node.id]]
        source = Argument("", edges[0] if edges else "None")
        fields = self._arguments.fields(node, {key: value for key, value in node.config.items() if key not in places})
        given = [Argument("", self._values.code(node, key, node.config[key])) for key in places if key in node.config]
        if name == "foreach":
            return [*(given or [source]), *fields]
        if name == "while_":
            return [source, *given, *fields]
        return [*given, *fields, *([Argument("input=", edges[0])] if edges else [])]

    def _body(self, node: Node, indent: int) -> tuple[str, list[str]]:
        """The body as an argument, and the function that must be defined before."""
        if (direct := self._direct(node)) is not None:
            return direct, []
        result = self._drawing.results.get(node.id)
        count = 2 if (node.id, "index") in self._values.inner_uses else 1 if (node.id, "item") in self._values.inner_uses else 0
        wanted = [_ITEMS.get(node.type, "item"), "index"][:count]
        names = [self._names.free(name) for name in wanted]
        self._values.inner.update({(node.id, port): name for port, name in zip(("item", "index"), names, strict=False)})
        inner = self._scope(node.id, indent + _STEP, result.source if result else None)
        code: Code | None = None
        if result is not None:
            operand = Operand(result.source, self._values.port(result.source, result.source_port) + path_code(result.path))
            items, _ = self._filled([Argument("", operand)], inner.pending, nest=True)
            code = items[0].value
        self._flush(inner)
        self._names.release(names)
        arguments = ", ".join(names)
        empty = not self._drawing.inside.get(node.id)
        if not inner.lines and (empty or code is not None):
            text = f"lambda {arguments}: ".replace("lambda :", "lambda:") + (flat(code) if code is not None else "None")
            if fits(text, indent + _NESTED // 2):
                return text, []
        if code is not None:
            inner.add("return " + render(code, indent + _STEP, indent + _STEP + 7))
        if inner.lines and not inner.lines[-1]:
            inner.lines.pop()
        name = self._names.free(f"{node.id}_body")
        return name, [f"{' ' * indent}def {name}({arguments}):", *inner.lines]

    def _direct(self, node: Node) -> str | None:
        """The one function that the body is: `nf.foreach(numbers, square)`."""
        inside = self._drawing.inside.get(node.id, [])
        if len(inside) != 1 or self._drawing.nodes[inside[0]].type != PYTHON_FUNCTION:
            return None
        only = self._drawing.nodes[inside[0]]
        function = self._functions.of(only)
        expected = self._ids.next(base_id(function.id))
        edges, result = self._drawing.inputs[only.id], self._drawing.results.get(node.id)
        if only.config.get("args") or len(edges) != 1 or result is None or self._values.uses[only.id] != 1 or only.id != expected or result.path:
            return None
        (edge,) = edges
        first = function.parameters[:1]
        is_item = edge.source == node.id and edge.source_port == "item" and not edge.path and (edge.target_port,) == first
        if not is_item or first[0] not in function.by_place or result.source_port != "output" or "output" not in function.outputs:
            return None
        self._ids.take(base_id(function.id))
        options = self._arguments.options(only, function, needs_id=False)
        return flat(self._head(function.call, options))


def _places(node: Node) -> int:
    """Where the body stands among a loop's arguments."""
    return 1 if node.type == "logic.loop.foreach" else 2
