"""`-p name=value`: text from the command line as values of the flow's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbflow.core.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.core.flow import Flow


def flow_parameters(flow: Flow, given: list[str]) -> dict[str, Any]:
    """Values by name, checked against the flow's schema. Raises ParameterError, whose message lists the parameters there are."""
    from nbflow.core.parameters import validate

    try:
        values = _values(flow, given)
        validate(flow.name, flow.parameters, values)
    except ParameterError as error:
        raise ExplainedParameterError(error, flow) from None
    return values


def _values(flow: Flow, given: list[str]) -> dict[str, Any]:
    from nbflow.core.parameters import coerce_text

    properties = flow.parameters.get("properties", {})
    values: dict[str, Any] = {}
    for item in given:
        name, equals, text = item.partition("=")
        if not equals:
            raise ParameterError(flow.name, name, "write it as name=value")
        if name in values:
            raise ParameterError(flow.name, name, "given twice")
        values[name] = coerce_text(properties.get(name, {}), text, flow.parameters)
    return values


class ExplainedParameterError(ParameterError):
    """The error with all parameters of the flow."""

    def __init__(self, error: ParameterError, flow: Flow) -> None:
        super().__init__(error.flow, error.field, "")
        self.args = (f"{error}\n{describe(flow.parameters)}",)


def describe(schema: Mapping[str, Any]) -> str:
    """The parameters of a schema, one a line."""
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    if not properties:
        return "The flow takes no parameters."
    required = set(schema.get("required", ()))
    lines = []
    for name, facts in properties.items():
        default = "required" if name in required else f"default {facts.get('default')!r}"
        note = f": {facts['description']}" if facts.get("description") else ""
        lines.append(f"  -p {name}=...  {_type(facts)}, {default}{note}")
    return "The flow's parameters:\n" + "\n".join(lines)


def _type(facts: Mapping[str, Any]) -> str:
    if "enum" in facts:
        return " | ".join(map(str, facts["enum"]))
    if "anyOf" in facts:
        return " | ".join(_type(option) for option in facts["anyOf"])
    kind = str(facts.get("format") or facts.get("type") or str(facts.get("$ref", "any")).rpartition("/")[2])
    return f"{kind} of {_type(facts['items'])}" if kind == "array" and facts.get("items") else kind
