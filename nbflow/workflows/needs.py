"""Which statements of a notebook a flow needs: running a flow must not run the notebook around it.

A statement is needed when it binds a name that the flow uses, directly or through other names; when it changes such a name
(`config["x"] = 1`, `names.append("x")`); or when it sets up the process or an imported module that is used (`sys.path.insert(...)`,
`pd.set_option(...)`). One whose names are all bound anew before anybody reads them is not: in a kernel's history that is what a cell was
before it was edited. What runs a flow is never needed: a flow that uses such a result lives on the state of a kernel.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import TYPE_CHECKING

from nbflow.core.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from nbflow.workflows.notebook import Cell

GIVEN = frozenset({*dir(builtins), "__name__", "__builtins__", "__doc__", "__file__", "__annotations__", "display", "get_ipython"})
_PROCESS = frozenset({"sys", "os", "warnings", "logging"})  # modules whose calls for effect set up the process
_LOADS = frozenset({"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"})
_STORES = frozenset({"STORE_NAME", "STORE_GLOBAL"})
_ALWAYS_BINDS = (ast.Assign, ast.AnnAssign, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_EFFECTS = (ast.Expr, ast.For, ast.While, ast.If, ast.With, ast.Try, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)


@dataclass(frozen=True)
class Statement:
    """A top-level statement of a cell, and what it has to do with names."""

    cell: str
    node: ast.stmt

    @property
    def place(self) -> str:
        """`orders.ipynb, cell 3, line 2`."""
        return f"{self.cell}, line {self.node.lineno}"

    @cached_property
    def code(self) -> CodeType:
        """Compiled for looking at: annotations count as uses, whatever the notebook imports from `__future__`."""
        tree = ast.Module(body=[self.node], type_ignores=[])
        code = compile(tree, self.cell, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        assert isinstance(code, CodeType)  # noqa: S101 -- what "exec" gives
        return code

    @cached_property
    def binds(self) -> frozenset[str]:
        """Global names that get a value here."""
        top = {item.argval for item in dis.get_instructions(self.code) if item.opname in _STORES}
        inner = {item.argval for code in _nested(self.code) for item in dis.get_instructions(code) if item.opname == "STORE_GLOBAL"}
        return frozenset(top | inner)

    @cached_property
    def uses(self) -> frozenset[str]:
        """Global names that are read here or in a function defined here; names in quoted annotations too."""
        loaded = {item.argval for code in (self.code, *_nested(self.code)) for item in dis.get_instructions(code) if item.opname in _LOADS}
        return frozenset(loaded | set(_quoted(self.node)))

    @cached_property
    def reads(self) -> frozenset[str]:
        """Those of `uses` that are read when the statement itself is executed: not those in the body of a function defined here."""
        if not self.is_definition:
            return self.uses
        at_once = (self.code, *(code for code in _nested(self.code) if not code.co_flags & inspect.CO_OPTIMIZED))  # bodies of classes
        loaded = {item.argval for code in at_once for item in dis.get_instructions(code) if item.opname in _LOADS}
        return frozenset(loaded | set(_quoted(self.node)))

    @cached_property
    def reads_later(self) -> frozenset[str]:
        """Those of `uses` that functions made here read whenever they are called."""
        bodies = (code for code in _nested(self.code) if code.co_flags & inspect.CO_OPTIMIZED)
        loaded = {item.argval for code in bodies for item in dis.get_instructions(code) if item.opname in _LOADS}
        return frozenset(loaded | set(_quoted(self.node)))

    @cached_property
    def rebinds(self) -> frozenset[str]:
        """Those of `binds` that get their value here in any case, so that what they were before does not matter.

        `import a.c` does not undo `import a.b`.
        """
        if not isinstance(self.node, _ALWAYS_BINDS) or self.brings_anything:
            return frozenset()
        return frozenset(item.argval for item in dis.get_instructions(self.code) if item.opname in _STORES)

    @cached_property
    def changes(self) -> frozenset[str]:
        """Names whose objects are changed: `x.y = ...`, `x[0] = ...`, `x.add(...)` for its effect."""
        if not isinstance(self.node, _EFFECTS):
            return frozenset()
        found: set[str] = set()
        for node in _own_nodes(self.node):
            if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
                found.add(_root(node))
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
                found.add(_root(node.value.func))
        return frozenset(found - {""})

    @cached_property
    def calls(self) -> frozenset[str]:
        """Names that are called here, not in a function defined here; also `x` of `x.start()`."""
        return frozenset(_root(node.func) for node in _own_nodes(self.node) if isinstance(node, ast.Call))

    @property
    def is_definition(self) -> bool:
        """Whether it defines a function or a class."""
        return isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)

    @property
    def brings_anything(self) -> bool:
        """`from x import *`, and what changes how the rest is read."""
        return isinstance(self.node, ast.ImportFrom) and (self.node.names[0].name == "*" or self.node.module == "__future__")


def statements(cells: Sequence[Cell]) -> list[Statement]:
    """All statements of the readable cells."""
    return [Statement(cell.name, node) for cell in cells for node in cell.body]


def defined_flows(all_: Sequence[Statement]) -> dict[str, str]:
    """Flows that are plain to see: variable -> name. Decorated with `@flow`, or assigned from `flow(...)` or `load("x.flow.json")`."""
    found: dict[str, str] = {}
    for statement in all_:
        node = statement.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                call = decorator if isinstance(decorator, ast.Call) else None
                if _last(call.func if call else decorator) == "flow":
                    found[node.name] = _given_name(call) or node.name
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            function = _last(node.value.func)
            first = node.value.args[0] if node.value.args else None
            loads = function == "load" and isinstance(first, ast.Constant) and str(first.value).endswith(".json")
            if loads or function == "flow":
                found[node.targets[0].id] = _given_name(node.value) or node.targets[0].id
    return found


def needed(all_: Sequence[Statement], roots: set[str], flows: set[str], *, kernel: Collection[str] = ()) -> list[Statement]:
    """The statements that the names in `roots` need, in order. `flows`: variables that hold flows; `kernel`: names that a kernel knows.

    Raises DefinitionError for names that only running a flow gives, or that no statement gives.
    """
    runners = _runners(all_, flows)
    starts = {id(statement) for statement in all_ if _starts(statement, runners)}
    search = _Search([statement for statement in all_ if id(statement) not in starts], flows)
    chosen = search.chosen(roots)
    _refuse_state(all_, chosen, roots, starts, kernel)
    return chosen


class _Search:
    """Goes from the last statement to the first with the names that are still read further on, until nothing new is found.

    What a function reads, it reads when it is called: at the end, and where a statement calls it.
    """

    def __init__(self, all_: Sequence[Statement], flows: set[str]) -> None:
        self._all = all_
        self._flows = flows
        self._imported = _imported(all_)
        self._makers: dict[str, list[Statement]] = {}
        for statement in all_:
            for name in statement.binds:
                self._makers.setdefault(name, []).append(statement)

    def chosen(self, roots: set[str]) -> list[Statement]:
        at_end, wanted, size = set(roots), set(roots), -1
        while True:
            found = self._backwards(at_end, wanted)
            if size == len(at_end) + len(wanted):
                return found
            size = len(at_end) + len(wanted)
            at_end |= {name for statement in found for name in statement.reads_later}
            wanted |= {name for statement in found for name in statement.uses}

    def _backwards(self, at_end: set[str], wanted: set[str]) -> list[Statement]:
        live, found = set(at_end), []
        for statement in reversed(self._all):
            if statement.brings_anything or statement.binds & live or _sets_up(statement, live, wanted - self._flows, self._imported):
                found.append(statement)
                live -= statement.rebinds
                live |= self._reached(statement.reads)
        return found[::-1]

    def _reached(self, names: frozenset[str]) -> set[str]:
        """The names, and those that functions of these names read when they are called."""
        found: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += [used for maker in self._makers.get(name, ()) if maker.is_definition for used in maker.uses]
        return found


def _refuse_state(all_: Sequence[Statement], chosen: Sequence[Statement], roots: set[str], starts: set[int], kernel: Collection[str]) -> None:
    if any(statement.brings_anything and statement.node.names[0].name == "*" for statement in chosen if isinstance(statement.node, ast.ImportFrom)):
        return  # anything may come from there
    bound = {name for statement in chosen for name in statement.binds}
    for user in chosen:
        for name in sorted(user.uses - bound - GIVEN - roots):
            run = next((statement for statement in all_ if id(statement) in starts and name in statement.binds), None)
            if run is not None:
                reason = f"{run.place} makes it by running a flow, which is not run again for that; make it in a node, or a parameter of the flow"
            elif name in kernel:
                reason = "no cell that was run defines it: it exists only as state of this kernel; define it in a cell, or make it a parameter"
            else:
                reason = "no cell defines it (state of the kernel?); define it in a cell, or make it a parameter"
            message = f"{user.cell}, line {_line_of(name, user.node)}: '{name}' is used, but {reason}"
            raise DefinitionError(message)


def _line_of(name: str, node: ast.stmt) -> int:
    return next((inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.Name) and inner.id == name), node.lineno)


def _sets_up(statement: Statement, live: set[str], wanted: set[str], imported: dict[str, str]) -> bool:
    for root in statement.changes:
        module = imported.get(root)
        if module is None and root in live:
            return True
        if module in _PROCESS:
            return True
        if module is not None and module not in {"nbflow", "IPython"} and root in wanted and statement.uses <= wanted | imported.keys() | GIVEN:
            return True
    return False


def _runners(all_: Sequence[Statement], flows: set[str]) -> set[str]:
    """The flows, and functions that mention one: calling those may run it."""
    found = set(flows)
    size = -1
    while len(found) > size:
        size = len(found)
        for statement in all_:
            if isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef) and statement.uses & (found - statement.binds):
                found |= statement.binds
    return found


def _starts(statement: Statement, runners: set[str]) -> bool:
    """Whether it runs a flow (or does something with one for its effect). Definitions only name what they call."""
    return not statement.is_definition and bool(statement.calls & (runners - statement.binds))


def _imported(all_: Sequence[Statement]) -> dict[str, str]:
    """Names bound by imports -> their top package."""
    found: dict[str, str] = {}
    for statement in all_:
        node = statement.node
        if isinstance(node, ast.Import):
            found.update({(item.asname or item.name).partition(".")[0]: item.name.partition(".")[0] for item in node.names})
        elif isinstance(node, ast.ImportFrom):
            found.update({item.asname or item.name: (node.module or "").partition(".")[0] for item in node.names})
    return found


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is in it, but not the bodies of functions and classes defined there."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _own_nodes(child)


def _nested(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield constant
            yield from _nested(constant)


def _quoted(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        for annotation in (getattr(inner, "annotation", None), getattr(inner, "returns", None)):
            for part in ast.walk(annotation) if isinstance(annotation, ast.AST) else ():
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    try:
                        tree = ast.parse(part.value, mode="eval")
                    except SyntaxError:
                        continue
                    yield from (name.id for name in ast.walk(tree) if isinstance(name, ast.Name))


def _root(node: ast.AST) -> str:
    """`a` of `a.b[0].c`; empty when it begins with something else."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _given_name(call: ast.Call | None) -> str | None:
    for keyword in call.keywords if call else ():
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str):
            return keyword.value.value
    return None
