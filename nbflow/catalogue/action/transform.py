"""`action.transform`."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from nbflow.catalogue.expressions import OneExpression
from nbflow.catalogue.rows import is_frame, is_record, records
from nbflow.core.config import NodeConfig
from nbflow.core.errors import InputError
from nbflow.core.node import Context, Lazy, node_type

Kind = Literal["any", "string", "number", "boolean", "array", "object"]


class Assignment(NodeConfig):
    """One field to set."""

    name: str = Field(min_length=1, description="Field to set; `customer.city` sets a field inside a field.")
    value: Any = Field(description="Its value, usually with expressions over `item`: `{{ item.price * item.count }}`.")
    type: Kind = Field(default="any", description="What the value is converted to.")


class TransformConfig(NodeConfig):
    """Fields to set on each record, or one expression that makes the result."""

    mode: Literal["fields", "expression"] = Field(default="fields", description="Set fields of each record, or compute the result as a whole.")
    assignments: Annotated[tuple[Assignment, ...], Lazy()] = Field(default=(), description="Fields to set, in order.")
    include: Literal["all", "none", "selected", "except"] = Field(
        default="all", description="Other fields of the record that stay: all, none, only those of `fields`, all but those of `fields`."
    )
    fields: tuple[str, ...] = Field(default=(), description="Field names for `include` selected and except.")
    dot_notation: bool = Field(default=True, description="Whether a dot in a name reaches into a field.")
    ignore_conversion_errors: bool = Field(default=False, description="Keep a value that cannot be converted as it is.")
    expression: OneExpression = Field(default="", description="Mode expression: what the result is, such as `input | jmespath('orders[].total')`.")
    per_item: bool = Field(default=False, description="Mode expression: evaluate once per item of a list (as `item`) instead of once.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.mode == "expression" and not self.expression:
            msg = "mode 'expression' needs the field 'expression'"
            raise ValueError(msg)
        stray = {"assignments", "fields", "include"} if self.mode == "expression" else {"expression", "per_item"}
        for name in sorted(stray & self.model_fields_set):
            msg = f"field '{name}' does not belong to mode '{self.mode}'"
            raise ValueError(msg)
        if self.fields and self.include not in {"selected", "except"}:
            msg = f"'fields' goes with include 'selected' or 'except', not '{self.include}'"
            raise ValueError(msg)
        return self


@node_type("action.transform")
def transform(config: TransformConfig, input: Any = None, *, ctx: Context) -> Any:  # noqa: A002 - the port's name
    """Set fields, or compute a value with an expression.

    Takes one record, a list of records or a DataFrame and gives the same kind; the input itself is not changed. No input counts as one
    empty record. Raises InputError naming field and item when a value cannot be converted.
    """
    if config.mode == "expression":
        if not config.per_item:
            return ctx.render(config.expression, input=input, item=input, index=0)
        many = records(input) if is_frame(input) else list(input) if isinstance(input, list | tuple) else [input]
        return [ctx.render(config.expression, input=input, item=item, index=index) for index, item in enumerate(many)]
    if is_frame(input):
        return _frame(config, input, ctx)
    if input is None or is_record(input):
        return _record(config, input or {}, {"input": input, "item": input or {}, "index": 0}, ctx)
    return [_record(config, item, {"input": input, "item": item, "index": index}, ctx) for index, item in enumerate(records(input))]


def _record(config: TransformConfig, item: Mapping[str, Any], scope: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    result = {name: item[name] for name in item if _stays(config, name)}
    for assignment in config.assignments:
        value = _value(config, assignment, scope, ctx)
        _set(result, assignment.name, value, dotted=config.dot_notation, index=scope["index"])
    return result


def _frame(config: TransformConfig, frame: Any, ctx: Context) -> Any:
    """Columns that nobody sets keep their type and are not copied."""
    import pandas as pd

    rows = records(frame)
    result = frame[[name for name in frame.columns if _stays(config, name)]].copy(deep=False)
    for assignment in config.assignments:
        values = [_value(config, assignment, {"input": frame, "item": row, "index": index}, ctx) for index, row in enumerate(rows)]
        result[assignment.name] = pd.Series(values, index=frame.index, dtype=object).infer_objects()
    return result


def _stays(config: TransformConfig, name: Any) -> bool:
    listed = name in config.fields
    return {"all": True, "none": False, "selected": listed, "except": not listed}[config.include]


def _value(config: TransformConfig, assignment: Assignment, scope: Mapping[str, Any], ctx: Context) -> Any:
    value = ctx.render(assignment.value, **scope)
    try:
        return _convert(value, assignment.type)
    except (TypeError, ValueError):
        if config.ignore_conversion_errors:
            return value
        msg = f"assignment '{assignment.name}': {value!r:.80} ({type(value).__name__}) is no {assignment.type}"
        raise InputError(msg, index=scope["index"]) from None


def _convert(value: Any, kind: Kind) -> Any:
    """n8n's conversions: numbers and booleans out of text, arrays and objects out of JSON text. None stays None."""
    if value is None or kind == "any":
        return value
    if kind == "string":
        return value if isinstance(value, str) else json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)
    if kind == "number":
        return _number(value)
    if kind == "boolean":
        return _boolean(value)
    wanted = dict if kind == "object" else list
    found = json.loads(value) if isinstance(value, str) else list(value) if isinstance(value, tuple) else value
    if not isinstance(found, wanted):
        raise TypeError
    return found


def _number(value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.removeprefix("-").isdecimal() else float(text)
    if isinstance(value, bool):
        return int(value)
    float(value)
    return value


def _boolean(value: Any) -> bool:
    answers = {"true": True, "1": True, "false": False, "0": False, "1.0": True, "0.0": False}
    text = str(value).strip().casefold()
    if text not in answers:
        raise ValueError
    return answers[text]


def _set(record: dict[str, Any], name: str, value: Any, *, dotted: bool, index: int | None) -> None:
    """Sets a field inside fields; what is changed on the way is copied, for it belongs to the input."""
    *outer, last = name.split(".") if dotted else [name]
    for part in outer:
        inner = record.get(part, {})
        if not is_record(inner):
            msg = (
                f"assignment '{name}': '{part}' is a {type(inner).__name__}, nothing can be set inside it; set dot_notation=False for a dot in a name"
            )
            raise InputError(msg, index=index)
        record[part] = dict(inner)
        record = record[part]
    record[last] = value
