"""`@node`: a Python function that becomes a node when a flow calls it, and stays a function everywhere else."""

from __future__ import annotations

import functools
import inspect
import typing
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, TypeVar, cast, overload

from nbflow.authoring.symbol import Output, literal
from nbflow.authoring.trace import active_trace, given_settings, settings_from
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import Node, NodeSettings, Retry
from nbflow.core.node import PYTHON_FUNCTION, Context, Inputs, Join, NodeType, Port, Where, port_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

P = ParamSpec("P")
R = TypeVar("R")
_CONTEXT = "ctx"


class FunctionNode(Generic[P, R]):
    """A function that can be a node. Called inside a @flow it draws itself; called elsewhere it just runs."""

    def __init__(
        self, function: Callable[P, R], node_type: NodeType, *, id_: str | None = None, settings: NodeSettings | None = None, fixed_id: bool = False
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.node_type = node_type
        self.id = id_ or function.__name__
        self.settings = settings or NodeSettings()
        self._fixed_id = fixed_id

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The function's value; while a flow is being drawn, the symbol of its output."""
        trace = active_trace()
        if trace is None:
            return self.function(*args, **kwargs)
        try:
            bound = self._drawn_signature.bind_partial(*args, **kwargs).arguments
        except TypeError as error:
            message = f"node '{self.id}': {error}; its signature is {self.id}{self._drawn_signature}"
            raise DefinitionError(message) from None
        id_ = trace.claim(self.id if self._fixed_id else None, self.id)
        inputs: list[tuple[str, Output]] = []
        literals: dict[str, Any] = {}
        for name, value in bound.items():
            if isinstance(value, Output):
                inputs.append((name, value))
            elif self._is_many(name) and isinstance(value, list | tuple) and value and all(isinstance(item, Output) for item in value):
                inputs.extend((name, item) for item in value)
            else:
                literals[name] = literal(value, f"argument '{name}' of node '{id_}'", exact=True)
        config: dict[str, Any] = {"function": trace.function_name(self.node_type)}
        if literals:
            config["args"] = literals
        trace.add(Node(id=id_, type=PYTHON_FUNCTION, config=config, parent=trace.parent, settings=self.settings), inputs)
        ports = self.node_type.outputs_of(config) + (("error",) if self.settings.on_error == "output" else ())
        return cast("R", Output(id_, "output" if "output" in ports else "", ports))

    @functools.cached_property
    def _drawn_signature(self) -> inspect.Signature:
        """Without the context, which the engine lends."""
        signature = inspect.signature(self.function)
        lent = self.node_type.takes_context
        return signature.replace(parameters=[parameter for name, parameter in signature.parameters.items() if name != lent])

    def _is_many(self, name: str) -> bool:
        return any(port.many for port in self.node_type.inputs if port.name == name)

    def options(self, *, id: str | None = None, **settings: Any) -> FunctionNode[P, R]:  # noqa: A002 -- the document's word
        """The same function with another id or other settings: `clean.options(id="second", timeout=30)(raw)`."""
        merged = {**given_settings(self.settings), **settings}
        return FunctionNode(
            self.function, self.node_type, id_=id or self.id, settings=settings_from(merged), fixed_id=id is not None or self._fixed_id
        )

    def __repr__(self) -> str:
        return f"<node {self.id}{inspect.signature(self.function)}>"


def function_type(
    function: Callable[..., Any], *, outputs: tuple[str, ...] = ("output",), join: Join = "all", where: Where | None = None
) -> NodeType:
    """The declaration that a function makes by its signature. Raises DefinitionError for parameters a node cannot have."""
    hints = _hints(function)
    ports: list[Port] = []
    context: str | None = None
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY}:
            message = (
                f"@node {function.__name__}: parameter '{parameter}' has no name to connect to; "
                "name each input, or annotate one with nf.Inputs to take any number of outputs as a list"
            )
            raise DefinitionError(message)
        if parameter.name == _CONTEXT or hints.get(parameter.name) is Context:
            context = parameter.name
        else:
            ports.append(port_of(parameter, hints))
    if where is not None and where != "process" and inspect.iscoroutinefunction(function):
        message = f"@node {function.__name__}: an async function runs on the engine's loop; where='{where}' is for plain functions"
        raise DefinitionError(message)
    return NodeType(
        type=PYTHON_FUNCTION,
        function=function,
        inputs=tuple(ports),
        outputs=outputs,
        join=join,
        where=where,
        returns=None if any(hints.get("return") is nothing for nothing in (None, Any, Inputs)) else hints["return"],
        takes_context=context,
    )


def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Evaluated annotations. When one cannot be, as after `if TYPE_CHECKING: import ...`, only those of nbflow, known by their names."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:  # noqa: BLE001 -- annotations that cannot be evaluated say nothing; the function works all the same
        ours = {"Inputs": Inputs, "Context": Context}
        texts = {name: str(text).rpartition(".")[2] for name, text in getattr(function, "__annotations__", {}).items()}
        return {name: ours[text] for name, text in texts.items() if text in ours}


@overload
def node(function: Callable[P, R], /) -> FunctionNode[P, R]: ...
@overload
def node(
    *,
    id: str | None = None,
    outputs: tuple[str, ...] = ("output",),
    join: Join = "all",
    where: Where | None = None,
    retry: Retry | int | Mapping[str, Any] | None = None,
    timeout: timedelta | float | None = None,
    on_error: Literal["stop", "continue", "output"] = "stop",
    each: bool = False,
    concurrency: int | None = None,
    notes: str = "",
) -> Callable[[Callable[P, R]], FunctionNode[P, R]]: ...
def node(
    function: Callable[..., Any] | None = None,
    /,
    *,
    id: str | None = None,  # noqa: A002 -- the document's word
    outputs: tuple[str, ...] = ("output",),
    join: Join = "all",
    where: Where | None = None,
    **settings: Any,
) -> Any:
    """Makes a function a node. Its parameters are the input ports, its annotations are checked along the edges.

    `outputs`: names of several ports; the function then returns `nf.Emit(name=value)`, and what follows a port that is not
    named is skipped. `where`: "inline", "thread" or "process"; without it, sync functions run in a thread until they are
    measured faster than 1 ms. `retry`: a number of tries or a `Retry`. `timeout`: seconds for one try. `on_error`: "stop"
    the flow, "continue" with a Failure as the value, or put it out of the port `error`. `each`: run once per item of the
    first input. `concurrency`: calls at the same time. A parameter called `ctx` is lent the `Context`.
    """

    def declare(decorated: Callable[..., Any]) -> FunctionNode[..., Any]:
        if isinstance(decorated, FunctionNode):
            message = f"{decorated.id} is a node already; set options with {decorated.id}.options(...)"
            raise DefinitionError(message)
        return FunctionNode(decorated, function_type(decorated, outputs=outputs, join=join, where=where), id_=id, settings=settings_from(settings))

    return declare if function is None else declare(function)
