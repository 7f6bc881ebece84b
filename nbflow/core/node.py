"""The declaration of a node type, and what is lent to its function.

One declaration has many readers: palette, form, docs, OpenAPI and CLI are generated from it. A catalogue node is
one pydantic config, one function, one decorator:

    class Config(NodeConfig):
        url: str = Field(description="Where to send the request.")

    @node_type("action.http")
    async def http(config: Config, input: Any = None, *, ctx: Context) -> Any:
        '''Call an HTTP endpoint.'''

The parameters between `config` and `ctx` are the input ports: without a default required, annotated `Inputs` they take any
number of edges. A node with several outputs, or one that chooses between them, returns `Emit(port=value)`: a port that
is not named goes dead, and what follows it is skipped.
"""

from __future__ import annotations

import inspect
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from pydantic import BaseModel

    from nbflow.core.flow import Node

    ConfigModel = type[BaseModel]  # inside NodeType, `type` is a field

Join = Literal["all", "live", "any"]
"""When a node runs. `all`: every edge delivered (one dead edge skips it). `live`: every edge settled, at least one
delivered. `any`: the first delivery; later ones are ignored."""

Where = Literal["inline", "thread", "process"]


class Inputs(list[Any]):
    """Annotation of a port that takes any number of edges; the values arrive in the order of the edges."""


class Emit:
    """What a node with several output ports returns: the live ports and their values."""

    __slots__ = ("ports",)

    def __init__(self, **ports: Any) -> None:
        self.ports: Mapping[str, Any] = ports

    @classmethod
    def of(cls, ports: Mapping[str, Any]) -> Emit:
        """For port names that are no Python identifiers."""
        emit = cls()
        emit.ports = dict(ports)
        return emit

    def __repr__(self) -> str:
        return f"Emit({', '.join(self.ports)})"


@dataclass(frozen=True, slots=True)
class Lazy:
    """Marks a config field whose `{{ }}` the node evaluates itself, through `Context.render`, as often as it likes."""


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Marks a config field in which `{{ }}` is no expression: source code, templates of other languages."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Port:
    """One input. `annotation` is a Python type or None when anything goes."""

    name: str
    annotation: Any = None
    required: bool = True
    many: bool = False


class Body(Protocol):
    """The nodes inside a loop, as its function sees them. Runs happen in the engine: order, limits, cancel, records."""

    async def run(self, item: Any, index: int) -> Any:
        """Runs the body once; gives what reached the loop's `result` port (None without such an edge). Raises the failing node's error."""

    async def map(self, items: Sequence[Any], *, concurrency: int = 1, collect_errors: bool = False) -> list[Any]:
        """Runs the body once per item; results in the order of the items.

        With `collect_errors` a failed iteration's place holds its `Failure`; otherwise the first failure cancels the rest and is raised.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What stands in the place of a value where a node failed and the flow goes on."""

    node: str
    type: str  # the exception's class name
    message: str
    index: int | None = None  # of the item in an `each` node or a loop

    def __bool__(self) -> bool:
        return False


class Credential(Protocol):
    """A named credential, resolved. Its secret fields are attributes that do not show themselves; it cannot be sent to another process."""

    @property
    def name(self) -> str:
        """As asked for."""

    @property
    def kind(self) -> str:
        """`postgres`, `openai`, ..."""

    def fields(self) -> Mapping[str, Any]:
        """Values by field, secret ones as pydantic's SecretStr; None for what was not given."""

    def reveal(self, field: str) -> str:
        """A field's value as text, a secret in clear. Raises CredentialError when it has none."""

    def get(self, field: str, default: str | None = None) -> str | None:
        """Like `reveal`, with a default for what was not given."""


class Context(Protocol):
    """Everything outside a node's function, lent to it. A test passes a double; nothing is patched."""

    @property
    def flow(self) -> str:
        """Name of the flow."""

    @property
    def node(self) -> str:
        """Id of the node."""

    @property
    def execution_id(self) -> str:
        """UUIDv7."""

    @property
    def path(self) -> tuple[int, ...]:
        """Iteration numbers of the loops around the node, outermost first; empty outside loops."""

    @property
    def attempt(self) -> int:
        """1 for the first try."""

    @property
    def params(self) -> Mapping[str, Any]:
        """The flow's validated parameters."""

    @property
    def input(self) -> Any:
        """What started the execution: the parameters, a webhook's request, a schedule's time."""

    @property
    def body(self) -> Body:
        """The nodes inside this loop. Raises TypeError for a node that is no container."""

    @property
    def project(self) -> Path:
        """The project's folder; relative paths of nodes start here."""

    @property
    def http(self) -> Any:
        """A shared `httpx.AsyncClient`."""

    def credential(self, name: str, kind: str | None = None) -> Credential:
        """A named credential; from then on its secrets are kept out of records, logs and views. May block for some milliseconds.

        Raises UnknownCredentialError, CredentialError (incomplete, not of this kind).
        """

    def now(self) -> datetime:
        """Aware, in the flow's time zone."""

    async def sleep(self, seconds: float) -> None:
        """Waits on the lent clock; cancelled with the execution."""

    def render(self, template: Any, **scope: Any) -> Any:
        """Evaluates every `{{ }}` in the value, with names added to what expressions see. Raises ExpressionError."""

    def progress(self, fraction: float | None, message: str = "") -> None:
        """`fraction` from 0 to 1, None for "busy". Shown at most ten times a second."""

    def log(self, message: str, level: Literal["debug", "info", "warn", "error"] = "info") -> None:
        """One line in the node's record."""

    def display(self, value: Any) -> None:
        """Shows a figure, a table, anything rich, in the node's record and view."""

    def respond(self, body: str | bytes, *, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "text/plain") -> None:
        """Answers whoever waits for the execution (a webhook's caller); the first answer counts. Without one, the answer is only recorded."""

    def usage(self, *, model: str = "", tokens_in: int = 0, tokens_out: int = 0, cost_usd: float | None = None) -> None:
        """Adds to what the execution consumed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeType:
    """A node type as the registry, the checker and the engine know it.

    `outputs`, `join` and `extra_inputs` may depend on a node's config: they then take its raw mapping, expressions not evaluated.
    """

    type: str
    function: Callable[..., Any]  # (config, *inputs, ctx=) for catalogue nodes; the user's own for functions
    config: ConfigModel | None = None  # None: a plain function, called with its ports and literals
    inputs: tuple[Port, ...] = ()
    outputs: tuple[str, ...] | Callable[[Mapping[str, Any]], tuple[str, ...]] = ("output",)
    join: Join | Callable[[Mapping[str, Any]], Join] = "all"
    container: bool = False
    trigger: bool = False
    where: Where | None = None  # None: the engine decides from measured times
    returns: Any = None  # annotation of the value on `output`, None when unknown
    takes_context: str | None = None  # name of the parameter that wants the Context
    lazy: frozenset[str] = frozenset()  # config fields whose expressions the node evaluates itself
    verbatim: frozenset[str] = frozenset()  # config fields that hold no expressions

    @property
    def group(self) -> str:
        """First part of the type's name: `action` of `action.http`."""
        return self.type.partition(".")[0]

    @property
    def summary(self) -> str:
        """First line of the docstring: the palette's text."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def outputs_of(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """Names of the output ports of a node with this config."""
        return self.outputs(config) if callable(self.outputs) else self.outputs

    def join_of(self, config: Mapping[str, Any]) -> Join:
        """When a node with this config runs."""
        return self.join(config) if callable(self.join) else self.join


class Catalogue(Protocol):
    """Finds the declaration of a node."""

    def resolve(self, node: Node) -> NodeType:
        """Raises UnknownNodeTypeError, or DefinitionError when a function node's function is not to be had here."""


PYTHON_FUNCTION = "python.function"
"""Type of a node that is a user's function. Config: `{"function": "module:name", "args": {literals and expressions}}`."""

_CONTEXT_NAMES = ("ctx",)


def node_type(
    type_: str,
    *,
    outputs: tuple[str, ...] | Callable[[Mapping[str, Any]], tuple[str, ...]] = ("output",),
    join: Join | Callable[[Mapping[str, Any]], Join] = "all",
    container: bool = False,
    trigger: bool = False,
    where: Where | None = None,
) -> Callable[[Callable[..., Awaitable[Any] | Any]], NodeType]:
    """Declares a catalogue node type. The decorated name becomes its NodeType; `.function` is the function."""

    def declare(function: Callable[..., Any]) -> NodeType:
        hints = typing.get_type_hints(function, include_extras=True)
        parameters = list(inspect.signature(function).parameters.values())
        if not parameters or parameters[0].name != "config" or parameters[-1].name not in _CONTEXT_NAMES:
            message = f"{type_}: a node function takes (config, <inputs>, *, ctx), not {inspect.signature(function)}"
            raise TypeError(message)
        config = hints["config"]
        return NodeType(
            type=type_,
            function=function,
            config=config,
            inputs=tuple(port_of(parameter, hints) for parameter in parameters[1:-1]),
            outputs=outputs,
            join=join,
            container=container,
            trigger=trigger,
            where=where,
            returns=None,
            takes_context=parameters[-1].name,
            lazy=_marked(config, Lazy),
            verbatim=_marked(config, Verbatim),
        )

    return declare


def _marked(config: ConfigModel, mark: type) -> frozenset[str]:
    """Fields with this mark among their annotations."""
    return frozenset(name for name, info in config.model_fields.items() if any(isinstance(item, mark) for item in info.metadata))


def port_of(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Port:
    """The input port that a function's parameter declares."""
    annotation = hints.get(parameter.name)
    return Port(
        name=parameter.name,
        annotation=None if annotation in (Any, inspect.Parameter.empty) else annotation,
        required=parameter.default is inspect.Parameter.empty and annotation is not Inputs,
        many=annotation is Inputs,
    )
