"""`-p name=value`: text from the command line as values of the flow's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbflow.core.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.core.flow import Flow


def flow_parameters(flow: Flow, given: list[str]) -> dict[str, Any]:
    """Values by name, checked against the flow's schema. Raises ParameterError, whose message lists the parameters there are."""
    from nbflow.core.parameters import coerce_text, validate

    texts: dict[str, str] = {}
    try:
        for item in given:
            name, equals, text = item.partition("=")
            if not equals:
                raise ParameterError(flow.name, name, "write it as name=value")
            if name in texts:
                raise ParameterError(flow.name, name, "given twice")
            texts[name] = text
        properties = flow.parameters.get("properties", {})
        values = {name: coerce_text(flow.name, flow.parameters, name, text) if name in properties else text for name, text in texts.items()}
        validate(flow.name, flow.parameters, values)
    except ParameterError as error:
        raise _Explained(error, flow) from None
    return values


class _Explained(ParameterError):
    def __init__(self, error: ParameterError, flow: Flow) -> None:
        self.flow, self.field = error.flow, error.field
        Exception.__init__(self, f"{error}\n{describe(flow.parameters)}")


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
