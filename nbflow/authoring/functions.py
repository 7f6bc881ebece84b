"""The Python functions of a flow, as written code gets them: their sources, an import, or a stub where neither is known."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nbflow.authoring.formatting import quoted
from nbflow.authoring.function import FunctionNode
from nbflow.authoring.names import Imports, Names, is_name
from nbflow.authoring.trace import settings_from
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import NodeSettings, Retry
from nbflow.core.node import PYTHON_FUNCTION, NodeType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from nbflow.core.flow import Flow, Node
    from nbflow.core.node import Catalogue

_MAIN = "__main__"
_SETTINGS = frozenset(NodeSettings.__dataclass_fields__)
_MAKERS = {"Retry": Retry, "timedelta": timedelta}


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionCode:
    """How a function is called in the written flow."""

    call: str
    id: str  # what its nodes are called, unless they say otherwise
    parameters: tuple[str, ...]
    by_place: frozenset[str] = frozenset()  # parameters that may be given without their names
    many: frozenset[str] = frozenset()
    outputs: tuple[str, ...] = ("output",)
    settings: NodeSettings = field(default_factory=NodeSettings)
    unsure: frozenset[str] = frozenset()  # settings that its decorator gives in a way that only running it tells


@dataclass(kw_only=True, slots=True)
class _Usage:
    """What a document's nodes tell of a function."""

    nodes: list[Node] = field(default_factory=list)
    given: list[set[str]] = field(default_factory=list)  # by node
    parameters: list[str] = field(default_factory=list)  # those with edges first
    many: set[str] = field(default_factory=set)
    outputs: dict[str, None] = field(default_factory=dict)


class Functions:
    """All functions of a flow. `above` are the blocks of code that must stand before the flow."""

    def __init__(
        self, flow: Flow, sources: Mapping[str, str], *, catalogue: Catalogue, imports: Imports, names: Names, hidden: Collection[str]
    ) -> None:
        self.above: list[str] = []
        self._catalogue = catalogue
        self._imports = imports
        self._names = names
        self._hidden = hidden  # names that mean something else inside the flow's function
        usage = _usage(flow)
        read: dict[str, ast.Module] = {}
        for name, text in sources.items():
            if name in usage and text not in read and _split(usage[name].nodes[0])[0] == _MAIN:
                read[text] = self._read(text, name)
        self._codes = {name: self._code(used, read.get(sources.get(name, ""))) for name, used in usage.items()}

    def of(self, node: Node) -> FunctionCode:
        """The function of a node of the type python.function."""
        return self._codes[node.config["function"]]

    def _read(self, text: str, name: str) -> ast.Module:
        """Takes a source over: its first imports go to the others, the rest stays as it was written."""
        text = textwrap.dedent(text).strip("\n")
        try:
            tree = compile(text, name, "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            message = f"the source of the function '{name}' is no Python: {error}"
            raise DefinitionError(message) from None
        assert isinstance(tree, ast.Module)  # noqa: S101 -- what "exec" gives
        last = 0
        for statement, following in zip(tree.body, [*tree.body[1:], None], strict=True):
            if not isinstance(statement, ast.Import | ast.ImportFrom) or (following and following.lineno == statement.end_lineno):
                break
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                break
            self._imports.read(statement)
            last = statement.end_lineno or last
        self._names.take(_bound(tree))
        rest = "\n".join(text.split("\n")[last:]).strip("\n")
        if rest:
            self.above.append(rest)
        return tree

    def _code(self, usage: _Usage, tree: ast.Module | None) -> FunctionCode:
        module, path = _split(usage.nodes[0])
        declared = _resolved(self._catalogue, usage.nodes[0])
        if module != _MAIN:
            return self._imported(module, path, declared, usage)
        if tree is None:
            return self._stub(path, declared, usage)
        first = path.partition(".")[0]
        if first not in _bound(tree):
            _refuse(usage.nodes[0], f"its source does not define '{first}'")
        definition = next((item for item in tree.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name == path), None)
        live = _live(module, path, declared)
        facts = _facts(declared, usage) if declared else _read_facts(definition, usage)
        decorators = [_decorator(item) for item in definition.decorator_list] if definition else []
        maker = next((item for item in decorators if item is not None), None)
        if definition is not None and maker is None and live is None:
            self.above.append(f"{path} = {self._imports.part('nbflow', 'node')}({path})")
        if live is not None:
            facts |= {"settings": live.settings, "id": live.id}
        elif isinstance(maker, ast.Call):
            facts |= _declared_settings(maker, path)
        elif definition is None:
            facts |= {"unsure": _SETTINGS}
        return FunctionCode(call=self._visible(path), **{"id": path.rpartition(".")[2], **facts})

    def _visible(self, path: str) -> str:
        """Under another name where an argument of the flow hides it."""
        if path.partition(".")[0] not in self._hidden:
            return path
        here = self._names.free(path.rpartition(".")[2])
        self.above.append(f"{here} = {path}")
        return here

    def _imported(self, module: str, path: str, declared: NodeType | None, usage: _Usage) -> FunctionCode:
        first, _, rest = path.partition(".")
        found = _live(module, path, declared)
        facts = _facts(declared, usage) if declared else _used_facts(usage)
        if declared is not None:
            here = f"{declared.function.__module__}:{declared.function.__qualname__}"
            if here != f"{module}:{path}":
                _refuse(usage.nodes[0], f"'{module}:{path}' is defined as '{here}'; name it so in the document")
        call = self._imports.part(module, first, beside=self._hidden) + (f".{rest}" if rest else "")
        if found is not None:
            facts |= {"settings": found.settings, "id": found.id}
        elif declared is not None:  # a plain function
            here = call if "." not in call else self._names.free(path.rpartition(".")[2])
            self.above.append(f"{here} = {self._imports.part('nbflow', 'node')}({call})")
            call = here
        return FunctionCode(call=call, **{"id": path.rpartition(".")[2], **facts})

    def _stub(self, path: str, declared: NodeType | None, usage: _Usage) -> FunctionCode:
        """A function that draws the same and cannot run."""
        if "." in path:
            _refuse(usage.nodes[0], f"the source of '{path}' is not known here")
        facts = _facts(declared, usage) if declared else _used_facts(usage)
        required, optional = _required(declared, usage)
        given = [(name, "") for name in facts["parameters"] if name in required] + [
            (name, " = None") for name in facts["parameters"] if name in optional
        ]
        annotations = {name: f": {self._imports.module('nbflow', 'nf')}.Inputs" for name in facts["many"]}
        written = [name + annotations.get(name, "") + (default if name in annotations else default.replace(" ", "")) for name, default in given]
        options = [f"outputs=({', '.join(map(quoted, facts['outputs']))}{',' * (len(facts['outputs']) == 1)})"] * (facts["outputs"] != ("output",))
        if declared is not None and not callable(declared.join) and declared.join != "all":
            options.append(f'join="{declared.join}"')
        names = tuple(name for name, _ in given)
        here = self._names.free(path) if path in self._hidden else path
        self._names.take([path])
        decorator = f"@{self._imports.part('nbflow', 'node')}" + (f"({', '.join(options)})" if options else "")
        self.above.append(
            f'{decorator}\ndef {path}({", ".join(written)}):\n    """Its source is not known here."""\n    raise NotImplementedError'
            + (f"\n\n\n{here} = {path}" if here != path else "")
        )
        return FunctionCode(call=here, **{**facts, "id": path, "parameters": names, "by_place": frozenset(names)})


# What is known of a function ---------------------------------------------------------------------


def _usage(flow: Flow) -> dict[str, _Usage]:
    found: dict[str, _Usage] = {}
    by_node: dict[str, tuple[_Usage, set[str]]] = {}
    for node in flow.nodes:
        if node.type != PYTHON_FUNCTION:
            continue
        _split(node)
        used = found.setdefault(node.config["function"], _Usage())
        given = set(node.config.get("args", {}))
        used.nodes.append(node)
        used.given.append(given)
        by_node[node.id] = used, given
    _see_parameters(flow, by_node)
    failing = {node.id for node in flow.nodes if node.settings.on_error == "output"}
    for source, port in [(edge.source, edge.source_port) for edge in flow.edges] + [(output.node, output.port) for output in flow.outputs.values()]:
        if source in by_node and not (port == "error" and source in failing):
            by_node[source][0].outputs[port] = None
    return found


def _see_parameters(flow: Flow, by_node: Mapping[str, tuple[_Usage, set[str]]]) -> None:
    ports: dict[str, list[str]] = {id_: [] for id_ in by_node}
    for edge in flow.edges:
        if edge.target in by_node:
            used, given = by_node[edge.target]
            given.add(edge.target_port)
            if edge.target_port in ports[edge.target]:
                used.many.add(edge.target_port)
            ports[edge.target].append(edge.target_port)
    for id_, names in ports.items():
        _merge(by_node[id_][0].parameters, names)
    for node in flow.nodes:
        if node.id in by_node:
            _merge(by_node[node.id][0].parameters, list(node.config.get("args", {})))


def _merge(known: list[str], names: list[str]) -> None:
    """Puts names that are not known yet before the known ones that follow them."""
    place = len(known)
    for name in reversed(names):
        if name in known:
            place = known.index(name)
        else:
            known.insert(place, name)


def _split(node: Node) -> tuple[str, str]:
    """Module and path of a node's function. Raises DefinitionError for a name that no code would give again."""
    extra = sorted(set(node.config) - {"function", "args"})
    if extra:
        _refuse(node, "a function's node has `function` and `args` only", field=f"config.{extra[0]}")
    if not isinstance(node.config.get("args", {}), dict) or not all(is_name(name) for name in node.config.get("args", {})):
        _refuse(node, "it is no object of argument names and values", field="config.args")
    name = node.config.get("function")
    module, colon, path = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not colon or not all(is_name(part) for part in [*module.split("."), *path.split(".")]):
        _refuse(node, f"{name!r} is no function at the top level of a module or notebook, so code cannot name it")
    return module, path


def _resolved(catalogue: Catalogue, node: Node) -> NodeType | None:
    try:
        return catalogue.resolve(node)
    except DefinitionError:
        return None


def _live(module: str, path: str, declared: NodeType | None) -> FunctionNode[..., Any] | None:
    """The node itself, when its module is loaded here."""
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, FunctionNode) and found.node_type is declared else None


def _facts(declared: NodeType, usage: _Usage) -> dict[str, Any]:
    try:
        kinds = {name: parameter.kind for name, parameter in inspect.signature(declared.function).parameters.items()}
    except (TypeError, ValueError):
        kinds = {}
    names = tuple(port.name for port in declared.inputs)
    for node, given in zip(usage.nodes, usage.given, strict=True):
        if unknown := sorted(given - set(names)):
            _refuse(node, f"the function has no parameter '{unknown[0]}'", field=unknown[0])
    return {
        "parameters": names,
        "by_place": frozenset(name for name in names if kinds.get(name) is inspect.Parameter.POSITIONAL_OR_KEYWORD),
        "many": frozenset(port.name for port in declared.inputs if port.many),
        "outputs": declared.outputs_of({}),
    }


def _used_facts(usage: _Usage) -> dict[str, Any]:
    for node, given in zip(usage.nodes, usage.given, strict=True):
        if wrong := [name for name in sorted(given) if not is_name(name)]:
            _refuse(node, f"a function has no parameter {wrong[0]!r}", field=wrong[0])
    return {"parameters": tuple(usage.parameters), "many": frozenset(usage.many), "outputs": tuple(usage.outputs) or ("output",)}


def _required(declared: NodeType | None, usage: _Usage) -> tuple[set[str], set[str]]:
    if declared is not None:
        required = {port.name for port in declared.inputs if port.required}
        return required, {port.name for port in declared.inputs} - required
    everywhere = set.intersection(*usage.given)
    return everywhere, set(usage.parameters) - everywhere


def _read_facts(definition: ast.FunctionDef | ast.AsyncFunctionDef | None, usage: _Usage) -> dict[str, Any]:
    """From the source, where the function itself is not to be had."""
    if definition is None:
        return _used_facts(usage)
    places = [item for item in definition.args.args if item.arg != "ctx"]
    names = tuple(item.arg for item in [*places, *definition.args.kwonlyargs] if item.arg != "ctx")
    many = {item.arg for item in [*places, *definition.args.kwonlyargs] if item.annotation and ast.unparse(item.annotation).endswith("Inputs")}
    facts = {"parameters": names, "by_place": frozenset(item.arg for item in places), "many": frozenset(many)}
    for node, given in zip(usage.nodes, usage.given, strict=True):
        if unknown := sorted(given - set(names)):
            _refuse(node, f"the function has no parameter '{unknown[0]}'", field=unknown[0])
    return {**facts, "outputs": ("output",)}


def _decorator(item: ast.expr) -> ast.expr | None:
    """The decorator when it is `@node`, `@nf.node` or a call of it."""
    target = item.func if isinstance(item, ast.Call) else item
    name = target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""
    return item if name == "node" else None


def _declared_settings(maker: ast.Call, name: str) -> dict[str, Any]:
    """What `@node(...)` says, as far as it can be read without running it."""
    known: dict[str, Any] = {}
    unsure: set[str] = set()
    for keyword in maker.keywords:
        try:
            known[keyword.arg or ""] = _evaluated(keyword.value)
        except (ValueError, TypeError):
            unsure |= {keyword.arg} if keyword.arg else _SETTINGS
    found: dict[str, Any] = {"unsure": frozenset(unsure & _SETTINGS), "id": known.get("id") or name}
    if isinstance(known.get("outputs"), tuple):
        found["outputs"] = known["outputs"]
    try:
        found["settings"] = settings_from({option: value for option, value in known.items() if option in _SETTINGS})
    except DefinitionError:
        found["unsure"] = _SETTINGS
    return found


def _evaluated(value: ast.expr) -> Any:
    if isinstance(value, ast.Call):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else value.func.id if isinstance(value.func, ast.Name) else ""
        if name not in _MAKERS:
            raise ValueError(name)
        given: Any = {keyword.arg: ast.literal_eval(keyword.value) for keyword in value.keywords if keyword.arg}
        made: Any = _MAKERS[name]
        return made(*map(ast.literal_eval, value.args), **given)
    return ast.literal_eval(value)


def _bound(tree: ast.Module) -> set[str]:
    """Names that a module's statements give."""

    def names(body: list[ast.stmt]) -> Iterator[str]:
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield statement.name
                continue
            if isinstance(statement, ast.Import | ast.ImportFrom):
                yield from ((alias.asname or alias.name).partition(".")[0] for alias in statement.names)
            for part in ast.walk(statement):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    yield part.id
                elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    yield part.name

    return set(names(tree.body))


def _refuse(node: Node, reason: str, *, field: str = "config.function") -> None:
    message = f"node '{node.id}', field '{field}': {reason}"
    raise DefinitionError(message)
