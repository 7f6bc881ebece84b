"""From a webhook's request to the flow's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import ParameterError
from nbflow.core.parameters import coerce_text, validate

if TYPE_CHECKING:
    from nbflow.core.flow import Flow

WHOLE = "request"  # the parameter that gets all of it
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def bind(flow: Flow, request: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all parameters, defaults filled in.

    `request` is `{"method", "path", "headers", "params", "query", "body", "files"}`. Each declared parameter is looked for by name in the
    path's params, then the query, then the fields of a body that is an object, then the files of a multipart body. A parameter `request` without
    a type, or of type object, gets the whole request. What comes as text (path, query, forms) is read as the parameter's type.
    Raises ParameterError naming the parameter.
    """
    declared: Mapping[str, Mapping[str, Any]] = flow.parameters.get("properties", {})
    body = request.get("body")
    fields = body if isinstance(body, Mapping) else {}
    places = (
        (request.get("params") or {}, True),
        (request.get("query") or {}, True),
        (fields, _is_form(request)),
        (request.get("files") or {}, False),
    )
    given: dict[str, Any] = {}
    for name, schema in declared.items():
        if name == WHOLE and schema.get("type") in {None, "object"} and not {"$ref", "anyOf", "enum"} & schema.keys():
            given[name] = dict(request)
            continue
        for values, is_text in places:
            if name in values:
                given[name] = _read(schema, values[name], flow.parameters) if is_text else values[name]
                break
        else:
            if name in flow.parameters.get("required", ()):
                message = f"it is required and was not given; give it in the query (?{name}=...) or as a field of a JSON or form body"
                raise ParameterError(flow.name, name, message)
    return validate(flow.name, flow.parameters, given)


def _read(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any]) -> Any:
    """Text as the parameter's type. A list's parts come one by one: `?tag=a&tag=b`."""
    if schema.get("type") == "array" and not (isinstance(value, str) and value.lstrip().startswith("[")):
        items = value if isinstance(value, list) else [value]
        return [_read(schema.get("items") or {}, item, root) for item in items]
    return coerce_text(schema, value, root) if isinstance(value, str) else value


def _is_form(request: Mapping[str, Any]) -> bool:
    headers = request.get("headers") or {}
    kind = next((str(value) for name, value in headers.items() if str(name).lower() == "content-type"), "")
    return kind.partition(";")[0].strip().lower() in _FORMS
