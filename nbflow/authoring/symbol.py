"""What stands for a value while a flow is being drawn: a parameter, a node's output, the item of a loop.

A symbol can be passed on, subscripted and put into an f-string. Whatever would need its value says what to do instead.
"""

from __future__ import annotations

from typing import Any, NoReturn

from nbflow.core.errors import DefinitionError


class Symbol:
    """A value that exists only when the flow runs. `expression` is how `{{ }}` names it."""

    __slots__ = ("_path", "_root")

    def __init__(self, root: str, path: tuple[str | int, ...] = ()) -> None:
        self._root = root
        self._path = path

    @property
    def expression(self) -> str:
        """Such as `params.path` or `nodes.raw['rows'][0]`."""
        return self._root + "".join(f"[{step!r}]" for step in self._path)

    def __getitem__(self, step: str | int) -> Symbol:
        if not isinstance(step, str | int):
            self._refuse(f"subscript it with {type(step).__name__}", "only names and positions can be drawn; slice inside a @node")
        return self._part((*self._path, step))

    def _part(self, path: tuple[str | int, ...]) -> Symbol:
        return type(self)(self._root, path)

    def __format__(self, spec: str) -> str:
        if spec:
            self._refuse(f"format it with ':{spec}'", "format inside a @node, or write an expression such as '{{ input | round(2) }}'")
        return f"{{{{ {self.expression} }}}}"

    def __str__(self) -> str:
        return format(self)

    def __repr__(self) -> str:
        return f"<{self.expression}, known when the flow runs>"

    def _refuse(self, what: str, advice: str) -> NoReturn:
        message = f"`{self.expression}` has no value while the flow is being drawn, so Python cannot {what} here: {advice}"
        raise DefinitionError(message)

    def __bool__(self) -> bool:
        self._refuse(
            "test it",
            "a branch of a flow is a node. Write\n"
            f'    check = nf.nodes.logic.if_({self._root.removeprefix("nodes.")}, condition="{{{{ input }}}}")\n'
            "    yes, no = check.true, check.false\n"
            "and pass `yes` and `no` on; nodes after the other way are skipped",
        )

    def __iter__(self) -> NoReturn:
        self._refuse("loop over it", "write nf.foreach(values, lambda value: step(value))")

    def __len__(self) -> int:
        self._refuse("measure it", "measure inside a @node, or write '{{ input | length }}' in a field")

    def _compare(self, _other: object) -> NoReturn:
        self._refuse("compare it", "compare inside a @node, or branch with nf.nodes.logic.if_(value, condition='{{ input > 10 }}')")

    def _compute(self, _other: object = None) -> NoReturn:
        self._refuse("compute with it", "do it inside a @node, or write an expression such as '{{ input * 2 }}' in a field")

    def __call__(self, *_arguments: object, **_named: object) -> NoReturn:
        self._refuse("call it", "call methods inside a @node")

    __hash__ = object.__hash__
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _compare  # type: ignore[assignment]
    __contains__ = _compare
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _compute
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __and__ = __or__ = __neg__ = __invert__ = _compute
    __matmul__ = __xor__ = __abs__ = __int__ = __float__ = __index__ = _compute  # type: ignore[assignment]


class Parameter(Symbol):
    """A parameter of the flow."""

    __slots__ = ()

    def __init__(self, root: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(root, path)


class Output(Symbol):
    """What a node gives at a port. Its other ports are attributes: `check.true`."""

    __slots__ = ("_node", "_port", "_ports")

    def __init__(self, node: str, port: str, ports: tuple[str, ...], path: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"nodes.{node}" if port not in {"item", "index"} else port, path)
        self._node = node
        self._port = port
        self._ports = ports

    @property
    def source(self) -> tuple[str, str, tuple[str | int, ...]]:
        """Node, port and path: one end of an edge."""
        if self._port not in self._ports:
            ports = " and ".join(f"`.{port}`" for port in self._ports)
            message = f"node '{self._node}' has no output called '{self._port}': say which of {ports} you mean"
            raise DefinitionError(message)
        return self._node, self._port, self._path

    def _part(self, path: tuple[str | int, ...]) -> Output:
        return Output(self._node, self._port, self._ports, path)

    def __getattr__(self, name: str) -> Output:
        port = name.removesuffix("_")
        if port in self._ports:
            return Output(self._node, port, self._ports)
        if name.startswith("_"):
            raise AttributeError(name)
        ports = ", ".join(self._ports)
        message = (
            f"node '{self._node}' has no port '{name}' (ports: {ports}). "
            f"A method or attribute of the value itself is only there when the flow runs: use it inside a @node"
        )
        raise DefinitionError(message)

    def __dir__(self) -> list[str]:
        return list(self._ports)


def literal(value: Any, where: str) -> Any:
    """The value as it stands in a document: symbols inside become `{{ }}`. Raises DefinitionError for what JSON cannot hold."""
    if isinstance(value, Symbol):
        return format(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [literal(item, where) for item in value]
    if isinstance(value, dict):
        return {str(key): literal(item, where) for key, item in value.items()}
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    if hasattr(value, "isoformat") or hasattr(value, "__fspath__"):
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    message = (
        f"{where} is a {type(value).__name__}, which a flow document cannot hold: "
        "make it a parameter of the flow, or make it inside a @node"
    )
    raise DefinitionError(message)
