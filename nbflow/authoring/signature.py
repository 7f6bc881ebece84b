"""A JSON Schema as the parameters of a function, where a signature says exactly the same."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbflow.authoring.formatting import Code, Item, call, flat, quoted
from nbflow.authoring.literal import value_code
from nbflow.authoring.names import is_name

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN: Mapping[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool, "null": type(None)}
_FORMATS: Mapping[str, tuple[str, str]] = {
    "date": ("datetime", "date"),
    "date-time": ("datetime", "datetime"),
    "time": ("datetime", "time"),
    "duration": ("datetime", "timedelta"),
    "uuid": ("uuid", "UUID"),
    "path": ("pathlib", "Path"),
}
_LIMITS: Mapping[str, str] = {
    "description": "description",
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "pattern": "pattern",
    "examples": "examples",
}
_HANDLED = frozenset({"type", "format", "enum", "const", "anyOf", "items", "additionalProperties", "title", "default", *_LIMITS})


class _Unsaid(Exception):  # noqa: N818 -- never leaves this module
    """No annotation says it."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """How a type is written, given what imported things are called, and the type itself."""

    write: Callable[[Callable[[str, str], str]], str]
    type: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One argument of the flow's function."""

    name: str
    annotation: Annotation | None = None
    default: Code | None = None


def signature_of(schema: Mapping[str, Any]) -> list[Parameter] | None:
    """The arguments that make exactly this schema; None when there are none such. A `*` stands where only names follow."""
    from nbflow.core.errors import DefinitionError
    from nbflow.core.parameters import schema_of

    if not schema:
        return []
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not all(is_name(name) and isinstance(part, Mapping) for name, part in properties.items()):
        return None
    try:
        parameters = [_parameter(name, part) for name, part in properties.items()]
        drawn = schema_of(_stub(parameters, properties))
    except (_Unsaid, ValueError, TypeError, DefinitionError):
        return None
    if json.dumps(drawn, sort_keys=True) != json.dumps(schema, sort_keys=True):
        return None
    for place, parameter in enumerate(parameters):
        if parameter.default is None and any(earlier.default is not None for earlier in parameters[:place]):
            return [*parameters[:place], Parameter(name="*"), *parameters[place:]]
    return parameters


def named_only(schema: Mapping[str, Any]) -> list[Parameter]:
    """The arguments beside a schema that is given as such: those that Python can name."""
    properties = schema.get("properties")
    return [Parameter(name=name) for name in properties if is_name(name)] if isinstance(properties, Mapping) else []


def _parameter(name: str, part: Mapping[str, Any]) -> Parameter:
    default = value_code(part["default"]) if "default" in part else None
    annotation = _annotation(part)
    return Parameter(name=name, annotation=None if annotation.type is Any else annotation, default=default)


def _stub(parameters: list[Parameter], properties: Mapping[str, Any]) -> Callable[..., Any]:
    """A function with this signature, to be read by what reads the written one."""

    def flow() -> None:
        """Never called."""

    kinds = inspect.Parameter
    stub: Any = flow
    stub.__annotations__ = {parameter.name: parameter.annotation.type for parameter in parameters if parameter.annotation}
    stub.__signature__ = inspect.Signature(
        [kinds(parameter.name, kinds.KEYWORD_ONLY, default=properties[parameter.name].get("default", kinds.empty)) for parameter in parameters]
    )
    made: Callable[..., Any] = stub
    return made


def _annotation(part: Any) -> Annotation:
    if not isinstance(part, Mapping) or set(part) - _HANDLED:
        raise _Unsaid
    base = _bare(part)
    limits = {word: part[key] for key, word in _LIMITS.items() if key in part}
    if not limits:
        return base
    from typing import Annotated

    from pydantic import Field

    arguments = [Item(f"{name}=", value_code(value)) for name, value in limits.items()]

    def write(name: Callable[[str, str], str]) -> str:
        field = flat(call(name("pydantic", "Field"), *arguments))
        return f"{name('typing', 'Annotated')}[{base.write(name)}, {field}]"

    return Annotation(write, Annotated[base.type, Field(**limits)])


def _bare(part: Mapping[str, Any]) -> Annotation:
    import typing

    if "anyOf" in part:
        return _union(part["anyOf"])
    if "const" in part or "enum" in part:
        return _choice([part["const"]] if "const" in part else part["enum"])
    kind = part.get("type")
    if kind is None:
        return Annotation(lambda name: name("typing", "Any"), typing.Any)
    if kind == "string" and "format" in part:
        if part["format"] not in _FORMATS:
            raise _Unsaid
        return _imported(*_FORMATS[part["format"]])
    if kind == "array":
        return _of("list", list, _annotation(part["items"])) if part.get("items") else _simple("list", list)
    if kind == "object":
        inner = part.get("additionalProperties", True)
        return _simple("dict", dict) if inner is True else _mapping(_annotation(inner))
    if not isinstance(kind, str) or kind not in _PLAIN:
        raise _Unsaid
    return _simple("None" if kind == "null" else _PLAIN[kind].__name__, _PLAIN[kind])


def _simple(text: str, type_: Any) -> Annotation:
    return Annotation(lambda _: text, type_)


def _imported(module: str, attribute: str) -> Annotation:
    from importlib import import_module

    return Annotation(lambda name: name(module, attribute), getattr(import_module(module), attribute))


def _of(text: str, type_: Any, inner: Annotation) -> Annotation:
    return Annotation(lambda name: f"{text}[{inner.write(name)}]", type_[inner.type])


def _mapping(inner: Annotation) -> Annotation:
    key_and_value: Any = (str, inner.type)
    return Annotation(lambda name: f"dict[str, {inner.write(name)}]", dict.__class_getitem__(key_and_value))


def _union(parts: Any) -> Annotation:
    import typing

    if not isinstance(parts, list) or len(parts) < 2:  # noqa: PLR2004 -- of one there is no union
        raise _Unsaid
    members = [_annotation(part) for part in parts]
    return Annotation(lambda name: " | ".join(member.write(name) for member in members), typing.Union[tuple(member.type for member in members)])  # noqa: UP007


def _choice(values: Any) -> Annotation:
    import typing

    if not isinstance(values, list) or not values or not all(isinstance(value, str | int | bool | None) for value in values):
        raise _Unsaid
    text = ", ".join(quoted(value) if isinstance(value, str) else repr(value) for value in values)
    return Annotation(lambda name: f"{name('typing', 'Literal')}[{text}]", typing.Literal[tuple(values)])
