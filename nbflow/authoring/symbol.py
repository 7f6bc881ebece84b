"""What stands for a value while a flow is being drawn: a parameter, a node's output, the item of a loop.

A symbol can be passed on, subscripted and put into an f-string. Whatever would need its value says what to do instead.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn

from nbflow.core.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable


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
        if isinstance(step, bool) or not isinstance(step, str | int):
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

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        self._refuse(f"look up its attribute '{name}'", "use methods and attributes inside a @node; a part is `value['name']`")

    def __bool__(self) -> NoReturn:  # noqa: PLE0304 -- never returns
        self._refuse(
            "test it",
            "a branch of a flow is a node. Write\n"
            f"    check = nf.nodes.logic.if_({self._tested()})\n"
            "    yes, no = check.true, check.false\n"
            "and pass `yes` and `no` on; nodes after the other way are skipped",
        )

    def _tested(self) -> str:
        """What to give to logic.if_ for a test of this symbol."""
        return f'value, condition="{{{{ {self.expression} }}}}"'

    def __iter__(self) -> NoReturn:
        self._refuse("loop over it", "write nf.foreach(values, lambda value: step(value))")

    def __len__(self) -> NoReturn:  # noqa: PLE0303 -- never returns
        self._refuse("measure it", "measure inside a @node, or write '{{ input | length }}' in a field")

    def _compare(self, _other: object) -> NoReturn:
        self._refuse("compare it", "compare inside a @node, or branch with nf.nodes.logic.if_(value, condition='{{ input > 10 }}')")

    def _compute(self, _other: object = None) -> NoReturn:
        self._refuse("compute with it", "do it inside a @node, or write an expression such as '{{ input * 2 }}' in a field")

    def __call__(self, *_arguments: object, **_named: object) -> NoReturn:
        """Refused: there is nothing to call yet."""
        self._refuse("call it", "call methods inside a @node")

    __hash__ = object.__hash__
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _compare
    __contains__ = _compare
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _compute
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __and__ = __or__ = __neg__ = __invert__ = _compute
    __matmul__ = __rmatmul__ = __xor__ = __rxor__ = __rand__ = __ror__ = __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = _compute
    __divmod__ = __rdivmod__ = __pos__ = __abs__ = __round__ = __trunc__ = __floor__ = __ceil__ = _compute
    __int__ = __float__ = __complex__ = __index__ = _compute

    def __setitem__(self, _step: object, _value: object = None) -> NoReturn:
        self._refuse("change it", "make the changed value inside a @node and pass it on")

    __delitem__ = __setitem__

    def __enter__(self) -> NoReturn:
        self._refuse("open it in a `with`", "do it inside a @node")

    def __exit__(self, *_: object) -> None:
        """Never reached; Python looks for it first."""

    def __await__(self) -> NoReturn:
        self._refuse("await it", "pass it on: a node starts when what it needs is there")


class Parameter(Symbol):
    """A parameter of the flow."""

    __slots__ = ()


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

    def port(self, name: str) -> Output:
        """The output of this name, whatever it is: `sorted_.port("not paid")`."""
        if name in self._ports:
            return Output(self._node, name, self._ports)
        message = f"node '{self._node}' has no port '{name}' (ports: {', '.join(self._ports)})"
        raise DefinitionError(message)

    def _part(self, path: tuple[str | int, ...]) -> Output:
        return Output(self._node, self._port, self._ports, path)

    def _tested(self) -> str:
        part = "".join(f"[{step!r}]" for step in self._path)
        return f'{self._node}, condition="{{{{ input{part} }}}}"'

    def __getattr__(self, name: str) -> Output:
        if name.startswith("_"):
            raise AttributeError(name)
        port = name.removesuffix("_")
        if port in self._ports:
            return Output(self._node, port, self._ports)
        ports = ", ".join(self._ports)
        message = (
            f"node '{self._node}' has no port '{name}' (ports: {ports}). "
            f"A method or attribute of the value itself is only there when the flow runs: use it inside a @node"
        )
        raise DefinitionError(message)

    def __dir__(self) -> list[str]:
        return list(self._ports)


class LoopOutput(Output):
    """A loop's `item` or `index`. As an expression it exists in that loop's own body only: further inside, `item` is the inner loop's."""

    __slots__ = ("_inside",)

    def __init__(self, node: str, port: str, inside: Callable[[], str | None], path: tuple[str | int, ...] = ()) -> None:
        super().__init__(node, port, ("item", "index"), path)
        self._inside = inside

    @property
    def expression(self) -> str:
        """Such as `item['name']`. Raises DefinitionError in the body of another loop."""
        inside = self._inside()
        if inside != self._node:
            place = f"inside the loop '{inside}'" if inside else "outside of every loop"
            message = (
                f"`{{{{ {self._port} }}}}` {place} is not the {self._port} of the loop '{self._node}': "
                f"give it to a @node as an argument of its own (`step(outer_{self._port}, ...)`), not inside a text, list or field"
            )
            raise DefinitionError(message)
        return super().expression

    def _part(self, path: tuple[str | int, ...]) -> Output:
        return LoopOutput(self._node, self._port, self._inside, path)

    def _tested(self) -> str:
        part = "".join(f"[{step!r}]" for step in self._path)
        return f'{self._port}, condition="{{{{ input{part} }}}}"'

    def __getattr__(self, name: str) -> Output:
        if name in {"item", "index"}:
            return LoopOutput(self._node, name, self._inside)
        return super().__getattr__(name)

    def __repr__(self) -> str:
        return f"<{self._port} of the loop {self._node}, known when the flow runs>"


def literal(value: Any, where: str, *, exact: bool = False) -> Any:
    """The value as it stands in a document: symbols inside become `{{ }}`. Raises DefinitionError for what JSON cannot hold.

    `exact`: nothing will turn a text back into a date or a path, so those are refused too.
    """
    if isinstance(value, Symbol):
        return format(value)
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    if isinstance(value, list | tuple):
        return [literal(item, where, exact=exact) for item in value]
    if isinstance(value, dict):
        if wrong := [key for key in value if not isinstance(key, str)]:
            message = f"{where} has the key {wrong[0]!r}; the keys of objects in a flow document are texts"
            raise DefinitionError(message)
        return {key: literal(item, where, exact=exact) for key, item in value.items()}
    return _text_of(value, where) if not exact else _refused(value, where)


def _text_of(value: Any, where: str) -> Any:
    """Forms that a node's config turns back into what they were."""
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    if hasattr(value, "isoformat") or hasattr(value, "__fspath__"):
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    return _refused(value, where)


def _refused(value: Any, where: str) -> NoReturn:
    what = f"a {type(value).__name__}" if not isinstance(value, float) else repr(value)
    message = f"{where} is {what}, which a flow document cannot hold: make it a parameter of the flow, or make it inside a @node"
    raise DefinitionError(message)
