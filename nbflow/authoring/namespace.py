"""The catalogue as Python: `nf.nodes.data.csv(...)`, with signatures and docstrings for completion, made from the declarations."""

from __future__ import annotations

import inspect
import keyword
from typing import TYPE_CHECKING, Any, Protocol

from nbflow.authoring.body import draw_body
from nbflow.authoring.symbol import Output, literal
from nbflow.authoring.trace import given_settings, need_trace, settings_from
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import Node, NodeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbflow.core.node import NodeType


class Types(Protocol):
    """The part of a registry that a namespace needs."""

    def get(self, type_: str) -> NodeType:
        """Raises UnknownNodeTypeError."""

    def types(self) -> Sequence[str]:
        """Names of all types."""


class CatalogueNode:
    """One node type. Called inside a @flow: outputs of nodes go to its ports in order or by name, everything else is config.

    A loop takes its body as a function: `nf.nodes.logic.loop_foreach(rows, body=lambda row: score(row))`; see also `nf.foreach`.
    """

    def __init__(self, node_type: NodeType, *, name: str, id_: str | None = None, settings: NodeSettings | None = None) -> None:
        self.node_type = node_type
        self.settings = settings or NodeSettings()
        self.__name__ = name
        self.__doc__ = _documentation(node_type)
        self._id = id_

    @property
    def __signature__(self) -> inspect.Signature:
        kinds = inspect.Parameter
        ports = [
            kinds(port.name, kinds.VAR_POSITIONAL) if port.many else kinds(port.name, kinds.POSITIONAL_OR_KEYWORD, default=None)
            for port in self.node_type.inputs
        ]
        fields = self.node_type.config.model_fields if self.node_type.config else {}
        names = {port.name for port in ports}
        options = [
            kinds(
                name,
                kinds.KEYWORD_ONLY,
                default=kinds.empty if info.is_required() else info.get_default(call_default_factory=True),
                annotation=info.annotation or Any,
            )
            for name, info in fields.items()
            if name not in names
        ]
        if self.node_type.container:
            options.append(kinds("body", kinds.KEYWORD_ONLY, default=None))
        return inspect.Signature([*ports, *options])

    def __call__(self, /, *values: Any, **fields: Any) -> Output:
        """Draws a node into the flow. Raises DefinitionError outside of one."""
        trace = need_trace(f"{self.node_type.type}")
        id_ = trace.claim(self._id, self.__name__, named_by_variable=True)
        body = fields.pop("body") if self.node_type.container and callable(fields.get("body")) else None
        inputs, config = self._sort(id_, values, fields)
        trace.add(Node(id=id_, type=self.node_type.type, config=config, parent=trace.parent, settings=self.settings), inputs)
        if body is not None:
            draw_body(trace, body, id_)
        return self.output(id_, config)

    def output(self, id_: str, config: Mapping[str, Any]) -> Output:
        """The symbol of a drawn node."""
        ports = self.node_type.outputs_of(config) + (("error",) if self.settings.on_error == "output" else ())
        return Output(id_, "output" if "output" in ports else "", ports)

    def _sort(self, id_: str, values: Sequence[Any], fields: Mapping[str, Any]) -> tuple[list[tuple[str, Output]], dict[str, Any]]:
        """Ports and config. Outputs given by a port's name are edges; any other output becomes an expression in the config."""
        ports = self.node_type.inputs
        inputs: list[tuple[str, Output]] = []
        for position, value in enumerate(values):
            port = ports[min(position, len(ports) - 1)] if ports and (position < len(ports) or ports[-1].many) else None
            if port is None:
                taken = ", ".join(port.name for port in ports) or "none"
                message = f"node '{id_}' ({self.node_type.type}) has no input for value {position + 1} (inputs: {taken}); give fields by name"
                raise DefinitionError(message)
            several = value if port.many and isinstance(value, list | tuple) else [value]
            for item in several:
                if not isinstance(item, Output):
                    message = f"node '{id_}' ({self.node_type.type}): input '{port.name}' takes the output of a node; give fields by name"
                    raise DefinitionError(message)
                inputs.append((port.name, item))
        named = {port.name: port for port in ports}
        config = {}
        for name, value in fields.items():
            field = name.removesuffix("_") if keyword.iskeyword(name.removesuffix("_")) else name
            if field in named and isinstance(value, Output):
                inputs.append((field, value))
            elif field in named and named[field].many and _are_outputs(value):
                inputs.extend((field, item) for item in value)
            else:
                config[field] = literal(value, f"field '{field}' of node '{id_}'")
        return inputs, config

    def options(self, *, id: str | None = None, **settings: Any) -> CatalogueNode:  # noqa: A002 -- the document's word
        """The same type with an id or settings: `nf.nodes.action.http.options(retry={"max_tries": 5})(url=...)`."""
        merged = {**given_settings(self.settings), **settings}
        return CatalogueNode(self.node_type, name=self.__name__, id_=id or self._id, settings=settings_from(merged))

    def __repr__(self) -> str:
        return f"<node type {self.node_type.type}: {self.node_type.summary}>"


class Group:
    """The node types of one group, as attributes."""

    def __init__(self, registry: Types, name: str) -> None:
        self._registry = registry
        self._name = name

    def _types(self) -> dict[str, str]:
        prefix = f"{self._name}."
        return {attribute(type_): type_ for type_ in self._registry.types() if type_.startswith(prefix)}

    def __getattr__(self, name: str) -> CatalogueNode:
        type_ = self._types().get(name)
        if type_ is None:
            if name.startswith("_"):
                raise AttributeError(name)
            type_ = f"{self._name}.{name.rstrip('_')}"  # the registry knows what looks alike
        return CatalogueNode(self._registry.get(type_), name=name)

    def __dir__(self) -> list[str]:
        return sorted(self._types())

    def __repr__(self) -> str:
        return f"<nodes {self._name}: {', '.join(self.__dir__())}>"


class Namespace:
    """All groups, as attributes: `nf.nodes`."""

    def __init__(self, registry: Callable[[], Types]) -> None:
        self._make = registry

    def __getattr__(self, name: str) -> Group:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.__dir__():
            message = f"no group of node types is called '{name}' (groups: {', '.join(self.__dir__())})"
            raise AttributeError(message)
        return Group(self._make(), name)

    def __dir__(self) -> list[str]:
        return list(dict.fromkeys(type_.partition(".")[0] for type_ in self._make().types()))

    def __repr__(self) -> str:
        return f"<node types by group: {', '.join(self.__dir__())}>"


def _are_outputs(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Output) for item in value)


def attribute(type_: str) -> str:
    """The Python name of a type inside its group: `logic.loop.for` is `loop_for`, `logic.if` is `if_`."""
    name = type_.partition(".")[2].replace(".", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def _documentation(node_type: NodeType) -> str:
    lines = [inspect.getdoc(node_type.function) or "", ""]
    if node_type.inputs:
        lines += ["Inputs", *(f"    {port.name}{'' if port.required else ' (optional)'}" for port in node_type.inputs), ""]
    fields = node_type.config.model_fields if node_type.config else {}
    if fields:
        lines += ["Fields", *(f"    {name}: {info.description or ''}" for name, info in fields.items())]
    return "\n".join(lines).strip()
