"""`data.json`."""

import json as standard_json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from nbflow.catalogue.expressions import OneExpression, truth
from nbflow.catalogue.files import describe, replacing, resolve, translated
from nbflow.catalogue.json_shapes import flatten, merge, unflatten
from nbflow.catalogue.operation import check_fields
from nbflow.catalogue.rows import is_frame, is_record, items, records
from nbflow.core.config import NodeConfig
from nbflow.core.errors import ConfigError, InputError
from nbflow.core.node import Context, node_type

FIELDS = {
    "transform": "expression query",
    "filter": "expression!",
    "map": "expression!",
    "merge": "depth lists list_key",
    "flatten": "separator max_depth keep_lists",
    "unflatten": "separator",
    "pick": "fields!",
    "omit": "fields!",
    "rename": "names!",
    "parse": "path",
    "stringify": "path indent sort_keys",
}


class JsonConfig(NodeConfig):
    """What to do with the value."""

    operation: Literal["transform", "filter", "map", "merge", "flatten", "unflatten", "pick", "omit", "rename", "parse", "stringify"] = Field(
        default="transform", description="What to do with the value."
    )
    expression: OneExpression = Field(
        default="", description="Over `input` (transform), or `item` and `index` (filter, map): `item.total > 10`, `item.name | upper`."
    )
    query: str = Field(default="", description="JMESPath query of transform, instead of an expression: `orders[?total > `10`].id`.")
    depth: Literal["shallow", "deep"] = Field(default="deep", description="Merge only the top level, or mappings inside mappings too.")
    lists: Literal["replace", "concat", "by_key"] = Field(
        default="replace", description="Two lists at one place: the second, both, or records with the same `list_key` merged."
    )
    list_key: str = Field(default="id", min_length=1, description="Field that identifies the records of a list.")
    separator: str = Field(
        default=".", pattern=r"^[^\\0-9]+$", description="Sign between the names of a flat key; in names it is escaped with a backslash."
    )
    max_depth: int | None = Field(default=None, ge=1, description="Levels to flatten; all when not given.")
    keep_lists: bool = Field(default=False, description="Leave lists as they are instead of numbering their items.")
    fields: tuple[str, ...] = Field(default=(), description="Fields to keep (pick) or leave out (omit).")
    names: dict[str, str] = Field(default_factory=dict, description="New names by old ones.")
    path: Path | None = Field(default=None, description="File to read (parse) or write (stringify), in the project.")
    indent: int | None = Field(default=None, ge=0, le=16, description="Blanks a level; one line when not given.")
    sort_keys: bool = Field(default=False, description="Write keys in alphabetical order.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_fields(self, self.operation, FIELDS)
        if self.operation == "transform" and bool(self.expression) == bool(self.query):
            msg = "transform needs either expression or query"
            raise ValueError(msg)
        return self


@node_type("data.json")
def json(config: JsonConfig, input: Any = None, other: Any = None, *, ctx: Context) -> Any:  # noqa: A002 - the port's name
    """Transform, filter, merge, flatten, parse or write JSON values.

    merge puts the value at the port `other` over the input. flatten, unflatten, pick, omit and rename work on a record, or on each of a
    list. filter and map take what can be gone through. A DataFrame counts as its records. The input itself is never changed.
    Raises InputError, and ExpressionError from expressions.
    """
    if config.operation in {"parse", "stringify"}:
        return _parse(config, input, ctx) if config.operation == "parse" else _stringify(config, input, ctx)
    value = records(input) if is_frame(input) else input
    if config.operation == "transform":
        return _query(config.query, value) if config.query else ctx.render(config.expression, input=value, item=value)
    if config.operation == "filter":
        return _filter(config, value, ctx)
    if config.operation == "map":
        return [ctx.render(config.expression, item=item, index=index, input=value) for index, item in enumerate(items(value))]
    if config.operation == "merge":
        return merge(value, records(other) if is_frame(other) else other, deep=config.depth == "deep", lists=config.lists, key=config.list_key)
    return _each_record(_shapes(config), value)


def _shapes(config: JsonConfig) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    chosen = frozenset(config.fields)
    shapes: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "flatten": lambda record: flatten(record, separator=config.separator, max_depth=config.max_depth, keep_lists=config.keep_lists),
        "unflatten": lambda record: unflatten(record, separator=config.separator),
        "pick": lambda record: {name: record[name] for name in config.fields if name in record},
        "omit": lambda record: {name: value for name, value in record.items() if name not in chosen},
        "rename": lambda record: _rename(record, config.names),
    }
    return shapes[config.operation]


def _each_record(shape: Callable[[Mapping[str, Any]], dict[str, Any]], value: Any) -> Any:
    if is_record(value):
        return shape(value)
    result = []
    for index, record in enumerate(records(value)):
        try:
            result.append(shape(record))
        except InputError as error:
            raise InputError(str(error), index=index) from None
    return result


def _rename(record: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    renamed = {names.get(name, name): value for name, value in record.items()}
    if len(renamed) < len(record):
        msg = f"renaming gives two fields the same name; there are {', '.join(map(str, record))}"
        raise InputError(msg)
    return renamed


def _filter(config: JsonConfig, value: Any, ctx: Context) -> Any:
    """A mapping stays one; anything else becomes a list."""
    kept = [
        (index, item)
        for index, item in enumerate(items(value))
        if truth(ctx.render(config.expression, item=item, index=index, input=value), f"item {index}: the expression")
    ]
    return {item["key"]: item["value"] for _, item in kept} if is_record(value) else [item for _, item in kept]


def _query(query: str, value: Any) -> Any:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        compiled = jmespath.compile(query)
    except JMESPathError as error:
        msg = f"no JMESPath query: {error}"
        raise ConfigError(msg, field="query") from None
    try:
        return compiled.search(value)
    except JMESPathError as error:
        msg = f"the query {query!r} does not work on this input: {error}"
        raise InputError(msg) from None


def _parse(config: JsonConfig, value: Any, ctx: Context) -> Any:
    if config.path is not None:
        path = resolve(config.path, ctx.project)
        with translated(path):
            value = path.read_bytes()
    if not isinstance(value, str | bytes):
        msg = f"parse takes text or bytes, not {type(value).__name__}"
        raise InputError(msg)
    try:
        return standard_json.loads(value.removeprefix("\ufeff") if isinstance(value, str) else value)
    except ValueError as error:
        msg = f"no JSON: {error}"
        raise InputError(msg) from None


def _stringify(config: JsonConfig, value: Any, ctx: Context) -> Any:
    plain = records(value) if is_frame(value) else value
    try:
        text = standard_json.dumps(plain, indent=config.indent, sort_keys=config.sort_keys, ensure_ascii=False, allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        msg = f"the value cannot be written as JSON: {error}"
        raise InputError(msg) from error
    if config.path is None:
        return text
    path = resolve(config.path, ctx.project)
    with replacing(path) as file:
        file.write(text.encode())
    return describe(path, ctx.project)


def _plain(value: Any) -> Any:
    """Dates as ISO 8601, numpy values as numbers and lists."""
    for method in ("isoformat", "tolist", "to_pydatetime"):
        if hasattr(value, method):
            return getattr(value, method)()
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    msg = f"{type(value).__name__} has no JSON form"
    raise TypeError(msg)
