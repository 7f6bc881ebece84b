"""One `{{ expression }}`: parsed once, compiled on first use, evaluated in a sandbox. Imports Jinja; only `template.py` imports this.

Expressions read data; they cannot act. Names that begin with an underscore, modules, classes and functions are out of
reach, and methods can be called on texts, numbers, times, lists and mappings only (the table in `sandbox.py`). This keeps an expression
away from the machine. It is not a jail against using much CPU: flows of strangers run in a process of their own.
"""

from __future__ import annotations

from functools import lru_cache
from types import BuiltinMethodType, MethodType
from typing import TYPE_CHECKING, Any, cast

from jinja2 import Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.parser import Parser
from jinja2.runtime import Undefined

from nbflow.core.errors import ExpressionError
from nbflow.core.sandbox import PLAIN, SANDBOX, listed_if_lazy, raise_undefined
from nbflow.core.suggest import advice

if TYPE_CHECKING:
    from collections.abc import Mapping

_CACHED = 4096  # expressions, a process
_MAX_LENGTH = 10_000
_SHOWN = 80  # characters of an expression in messages
_REFERENCES = (nodes.Name, nodes.Getattr, nodes.Getitem)
_ELSEWHERE = object()
_METHODS = (BuiltinMethodType, MethodType)


class Expression:
    """The text between `{{` and `}}`. Raises ExpressionError when it is not one."""

    __slots__ = ("_path", "_program", "_tree", "names", "node_refs", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._tree = _parsed(source)
        self._program: Template | None = None
        names = {item.name for item in _all(self._tree, nodes.Name)}
        if "self" in names:  # Jinja's own object
            raise _error(source, "'self' does not exist here")
        self.names = frozenset(names)
        self.node_refs = frozenset(_node_refs(source, self._tree))
        _check_words(source, self._tree)
        self._path = _path(self._tree)

    def evaluate(self, scope: Mapping[str, Any]) -> Any:
        """The value, of whatever type. Raises ExpressionError."""
        if self._path is not None and (value := _looked_up(self._path, scope)) is not _ELSEWHERE:
            return value
        program = self._program
        try:
            if program is None:
                program = self._program = _program(self._tree)
            context = SANDBOX.context_class(SANDBOX, cast("dict[str, Any]", scope), program.name, {})  # new_context would list its globals first
            for _ in program.root_render_func(context):
                pass
            return _settled(self._tree, context.vars["result"])
        except ExpressionError as error:
            raise _error(self.source, str(error)) from error.__cause__
        except Exception as error:
            raise _error(self.source, self._explained(error, scope)) from error

    def _explained(self, error: Exception, scope: Mapping[str, Any]) -> str:
        text = str(error)
        if isinstance(error, UndefinedError):
            for name in self.names - set(scope):
                if text == f"{name!r} is undefined":
                    return f"nothing is called '{name}' here{advice(name, sorted(scope))}"
            return text
        if isinstance(error, SecurityError):
            return text
        return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _path(tree: nodes.Expr) -> tuple[str, ...] | None:
    """`input.body.total` as names, the first one of the scope; None for anything else."""
    names: list[str] = []
    node: nodes.Node = tree
    while isinstance(node, nodes.Getattr):
        names.append(node.attr)
        node = node.node
    return (node.name, *reversed(names)) if isinstance(node, nodes.Name) and names else None


def _looked_up(path: tuple[str, ...], scope: Mapping[str, Any]) -> Any:
    """What such a path leads to through plain objects, the way that the sandbox goes first too; else `_ELSEWHERE`, and the program decides."""
    value: Any = scope
    for name in path:
        if type(value) is not dict or name not in value:
            return _ELSEWHERE
        value = value[name]
    return value if type(value) in PLAIN else _ELSEWHERE


@lru_cache(maxsize=_CACHED)
def expression(source: str) -> Expression:
    """The expression, from the cache of this process. Raises ExpressionError."""
    return Expression(source)


def text_of(value: Any) -> str:
    """How a value appears amid text."""
    return value if type(value) is str else str(value)


def _error(source: str, message: str) -> ExpressionError:
    shown = source if len(source) <= _SHOWN else source[:_SHOWN] + "..."
    return ExpressionError(f"{{{{ {shown} }}}}: {message}", expression=source)


def _parsed(source: str) -> nodes.Expr:
    if len(source) > _MAX_LENGTH:
        raise _error(source, f"an expression has at most {_MAX_LENGTH:,} characters; use a Python function for so much")
    if not source:
        raise _error(source, "there is nothing between the braces")
    try:
        parser = Parser(SANDBOX, source, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise _error(source, f"'{parser.stream.current.value}' is not expected here; operators join values, filters begin with |")
    except TemplateSyntaxError as error:
        raise _error(source, f"not an expression: {error.message}") from None
    except RecursionError:
        raise _error(source, "nested too deeply") from None
    tree.set_environment(SANDBOX)
    return tree


def _program(tree: nodes.Expr) -> Template:
    body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), tree, lineno=1)]
    try:
        return SANDBOX.from_string(nodes.Template(body, lineno=1))
    except (RecursionError, MemoryError, SyntaxError):
        msg = "too complicated for an expression; use a Python function"
        raise ExpressionError(msg) from None


def _all(tree: nodes.Expr, kind: type[Any]) -> list[Any]:
    """Every node of a kind, the root too. With a stack of its own: Jinja's `find_all` recurses and leaves out the root."""
    found, pending = [], [cast("nodes.Node", tree)]
    while pending:
        node = pending.pop()
        if isinstance(node, kind):
            found.append(node)
        pending.extend(node.iter_child_nodes())
    return found


def _node_refs(source: str, tree: nodes.Expr) -> set[str]:
    """The engine must know before a run which nodes an expression needs, so `nodes` only goes with a literal id."""
    ids = [item.attr for item in _all(tree, nodes.Getattr) if _is_nodes(item.node)]
    ids += [item.arg.value for item in _all(tree, nodes.Getitem) if _is_nodes(item.node) and isinstance(item.arg, nodes.Const)]
    if len(ids) != sum(map(_is_nodes, _all(tree, nodes.Name))) or not all(isinstance(id_, str) for id_ in ids):
        msg = "name the node, as in nodes.fetch or nodes['fetch']; which node is meant must be known before the flow runs"
        raise _error(source, msg)
    return set(ids)


def _is_nodes(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "nodes"


def _check_words(source: str, tree: nodes.Expr) -> None:
    for item in _all(tree, nodes.Filter):
        if item.name not in SANDBOX.filters:
            raise _error(source, f"no filter is called '{item.name}'{advice(item.name, sorted(SANDBOX.filters))}")
    for item in _all(tree, nodes.Test):
        if item.name not in SANDBOX.tests:
            raise _error(source, f"no test is called '{item.name}'{advice(item.name, sorted(SANDBOX.tests))}")


def _settled(tree: nodes.Expr, value: Any) -> Any:
    """The value as it leaves: undefined parts raised, results of lazy filters listed. Looks only where the expression itself built something."""
    if isinstance(value, Undefined):
        raise_undefined(value)
    if type(value) in _METHODS and not isinstance(tree, nodes.Name):
        msg = f"this gives the method {value.__name__}, not a value; call it with ()"
        raise ExpressionError(msg)
    if isinstance(tree, _REFERENCES):
        return value
    if isinstance(tree, nodes.List | nodes.Tuple):
        items = [_settled(node, item) for node, item in zip(tree.items, value, strict=True)]
        return items if isinstance(tree, nodes.List) else tuple(items)
    if isinstance(tree, nodes.Dict):
        return {key: _settled(pair.value, item) for pair, (key, item) in zip(tree.items, value.items(), strict=True)}
    return listed_if_lazy(value)
