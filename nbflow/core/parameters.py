"""A flow's parameters: JSON Schema from a function's signature, and values checked against a JSON Schema.

One schema has many readers: the widget form, the CLI's flags, the REST body. What is understood is the part of JSON Schema that
pydantic writes for signatures: types, enum, const, default, anyOf, items, properties, $ref, and limits of numbers and lengths.
Formats (date, email, duration ...) are texts here; the nodes read them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from datetime import date, time
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from nbflow.core.errors import DefinitionError, ParameterError
from nbflow.core.suggest import advice

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (Mapping,),
    "null": (type(None),),
}
_WORDS: Mapping[str, str] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "nothing",
}
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
_SHOWN = 80  # characters of a wrong value


class _Mismatch(Exception):  # noqa: N818 -- never leaves this module
    """Says what is expected instead of `value`; `path` leads to it."""

    def __init__(self, expected: str, path: str, value: Any) -> None:
        self.expected = expected
        self.path = path
        self.value = value
        super().__init__(expected)


# The schema ------------------------------------------------------------------------------------------


def schema_of(function: Callable[..., Any]) -> dict[str, Any]:
    """JSON Schema (type object) of a function's parameters; {} when it has none. Raises DefinitionError.

    A parameter without annotation, or of a type without a JSON form (a DataFrame), takes any value. Without a default it is required.
    """
    from pydantic import ConfigDict, PydanticUserError, create_model
    from pydantic.json_schema import GenerateJsonSchema

    name = getattr(function, "__name__", "flow")

    class Generator(GenerateJsonSchema):
        def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:  # noqa: ARG002 -- pydantic's interface
            return {"description": "A Python object; it can only be given in Python."}

        def emit_warning(self, kind: Any, detail: str) -> None:  # noqa: ARG002 -- pydantic's interface
            msg = f"flow '{name}': a default has no JSON form ({detail}); use None, and make the value in a @node"
            raise DefinitionError(msg)

    fields = _fields(function)
    if not fields:
        return {}
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    try:
        schema: dict[str, Any] = create_model(name, __config__=config, **fields).model_json_schema(schema_generator=Generator)
    except PydanticUserError as error:
        reason = str(error).partition("\n")[0]
        msg = f"flow '{name}': a parameter's annotation cannot be read ({reason}); use text, numbers, lists, or a pydantic model"
        raise DefinitionError(msg) from error
    schema.pop("title", None)
    return schema


def _fields(function: Callable[..., Any]) -> dict[str, Any]:
    import typing

    from pydantic import Field

    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        msg = f"flow '{function.__name__}': an annotation names '{error.name}', which is not defined"
        raise DefinitionError(msg) from error
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY}:
            msg = f"flow '{function.__name__}': parameter '{parameter}' has no name that a caller could give; name each parameter"
            raise DefinitionError(msg)
        annotation = hints.get(name, Any)
        if name.startswith("_"):
            msg = f"flow '{function.__name__}': parameter '{name}' begins with an underscore; give it another name"
            raise DefinitionError(msg)
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[f"{name}_"] = (annotation, Field(default, alias=name, title=name))  # the alias keeps pydantic's own names free
    return fields


# Values ----------------------------------------------------------------------------------------------


def validate(flow: str, schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all parameters, defaults filled in. `schema` is the flow's `parameters`. Raises ParameterError for the first wrong one."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    if not schema.get("additionalProperties", False):
        for name in given:
            if name not in properties:
                hint = advice(name, properties) if properties else "; it takes none"
                raise ParameterError(flow, name, f"the flow has no such parameter{hint}")
    values: dict[str, Any] = {}
    for name, part in properties.items():
        if name in given:
            try:
                values[name] = _checked(given[name], part, schema)
            except _Mismatch as error:
                where = f"{error.path} is wrong: " if error.path else ""
                raise ParameterError(flow, name, f"{where}{_shown(error.value)} was given, {error.expected} is expected") from None
        elif "default" in part:
            values[name] = _copied(part["default"])
        elif name in schema.get("required", ()):
            raise ParameterError(flow, name, f"it is required and was not given; {_expected(part, schema)} is expected")
    return {**values, **{name: value for name, value in given.items() if name not in properties}}


def coerce_text(schema: Mapping[str, Any], text: str, root: Mapping[str, Any] | None = None) -> Any:
    """A command line's text as the schema's type: "3", "true", "[1, 2]". What does not fit stays text, for `validate` to refuse.

    `schema` is one parameter's; `root` the flow's whole one, where `$ref` leads.
    """
    root = schema if root is None else root
    for part in _alternatives(schema, root):
        for kind in _kinds(part):
            found = _read(kind, text)
            if found is not None or (kind == "null" and text in {"", "null", "none", "None"}):
                return found
    return text


def _read(kind: str, text: str) -> Any:
    """None when the text is none of this kind."""
    import json

    if kind == "boolean":
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else None
    if kind == "integer":
        return int(text) if re.fullmatch(r"\s*[+-]?\d{1,4000}\s*", text, re.ASCII) else None
    if kind == "number":
        try:
            return float(text)
        except ValueError:
            return None
    if kind in {"array", "object"}:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, _TYPES[kind]) else None
    return None


def _checked(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str = "") -> Any:
    """The value as the first alternative of the schema takes it. Raises _Mismatch."""
    failures: list[tuple[bool, _Mismatch]] = []
    for part in _alternatives(schema, root):
        try:
            return _one_checked(value, part, root, path)
        except _Mismatch as error:
            failures.append((any(_is(value, kind) for kind in _kinds(part)), error))
    close = [error for right_kind, error in failures if right_kind or len(failures) == 1]
    if len(close) == 1:
        raise close[0]
    raise _Mismatch(_expected(schema, root), path, value)


def _one_checked(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if "const" in schema and value != schema["const"]:
        raise _Mismatch(repr(schema["const"]), path, value)
    if "enum" in schema and value not in schema["enum"]:
        expected = f"one of {', '.join(map(repr, schema['enum']))}"
        raise _Mismatch(expected, path, value)
    kinds = _kinds(schema)
    if kinds and not any(_is(value, kind) for kind in kinds):
        if "number" not in kinds and "integer" in kinds and isinstance(value, float) and value.is_integer():
            return _one_checked(int(value), schema, root, path)  # 3.0 of a browser's form
        if (plain := _plain(value)) is not value:
            return _one_checked(plain, schema, root, path)
        raise _Mismatch(_expected(schema, root), path, value)
    if isinstance(value, str | list | tuple | int | float) and not isinstance(value, bool):
        _check_limits(value, schema, path)
    if isinstance(value, list | tuple) and isinstance(schema.get("items"), Mapping):
        return [_checked(item, schema["items"], root, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Mapping) and ("properties" in schema or isinstance(schema.get("additionalProperties"), Mapping)):
        return _checked_object(value, schema, root, path)
    return value


def _checked_object(value: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], path: str) -> dict[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    rest = schema.get("additionalProperties", True)
    result: dict[str, Any] = {}
    for name, item in value.items():
        part = properties.get(name, rest)
        if part is False:
            expected = f"an object without '{name}'{advice(str(name), properties)}"
            raise _Mismatch(expected, path, value)
        result[name] = _checked(item, part, root, f"{path}.{name}".lstrip(".")) if isinstance(part, Mapping) else item
    for name in schema.get("required", ()):
        if name not in result:
            expected = f"an object with '{name}'"
            raise _Mismatch(expected, path, value)
    defaults = {name: _copied(part["default"]) for name, part in properties.items() if name not in result and "default" in part}
    return {**result, **defaults}


def _check_limits(value: Any, schema: Mapping[str, Any], path: str) -> None:
    wrong: list[tuple[str, Callable[[Any], bool], str]]
    if isinstance(value, int | float):
        wrong = [
            ("minimum", lambda limit: value < limit, "at least {}"),
            ("maximum", lambda limit: value > limit, "at most {}"),
            ("exclusiveMinimum", lambda limit: value <= limit, "more than {}"),
            ("exclusiveMaximum", lambda limit: value >= limit, "less than {}"),
            ("multipleOf", lambda limit: value % limit != 0, "a multiple of {}"),
        ]
    else:
        low, high, unit = ("minLength", "maxLength", "characters") if isinstance(value, str) else ("minItems", "maxItems", "items")
        wrong = [
            (low, lambda limit: len(value) < limit, f"at least {{}} {unit}"),
            (high, lambda limit: len(value) > limit, f"at most {{}} {unit}"),
            ("pattern", lambda limit: isinstance(value, str) and re.search(limit, value) is None, "text that matches {}"),
        ]
    for name, fails, words in wrong:
        if name in schema and fails(schema[name]):
            raise _Mismatch(words.format(schema[name]), path, value)


def _alternatives(schema: Mapping[str, Any], root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The schemas of which one must hold, `$ref` followed."""
    pending: list[Mapping[str, Any]] = [schema]
    found: list[Mapping[str, Any]] = []
    seen: set[str] = set()
    while pending:
        part = pending.pop(0)
        reference = part.get("$ref")
        if isinstance(reference, str):
            if reference not in seen:
                seen.add(reference)
                pending.append(_followed(reference, root))
        elif "anyOf" in part or "oneOf" in part:
            pending.extend(part.get("anyOf") or part["oneOf"])
        else:
            found.append(part)
    return found


def _followed(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    target: Any = root
    for step in reference.removeprefix("#/").split("/"):
        target = target.get(step, {}) if isinstance(target, Mapping) else {}
    return target if isinstance(target, Mapping) else {}


def _kinds(schema: Mapping[str, Any]) -> tuple[str, ...]:
    kinds = schema.get("type", ())
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind in {"integer", "number"}:
        return False
    return isinstance(value, _TYPES.get(kind, (object,)))


def _expected(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    words = []
    for part in _alternatives(schema, root):
        if "enum" in part:
            words.append(f"one of {', '.join(map(repr, part['enum']))}")
        elif "format" in part:
            words.append(f"text of the format {part['format']}")
        else:
            words += [_WORDS.get(kind, kind) for kind in _kinds(part)] or ["any value"]
    return " or ".join(dict.fromkeys(words))


def _plain(value: Any) -> Any:
    """Objects that a notebook gives where the schema has their JSON form."""
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, PurePath | UUID):
        return str(value)
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _shown(value: Any) -> str:
    if isinstance(value, str | int | float | bool | None):
        text = repr(value[: _SHOWN + 1] if isinstance(value, str) else value)
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return f"a {type(value).__name__}"


def _copied(default: Any) -> Any:
    """So that a run cannot change the next one's default."""
    if isinstance(default, Mapping):
        return {name: _copied(item) for name, item in default.items()}
    return [_copied(item) for item in default] if isinstance(default, list | tuple) else default
