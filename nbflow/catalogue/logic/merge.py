"""`logic.merge`."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BeforeValidator, Field, model_validator

from nbflow.catalogue.rows import frame, is_frame, is_record, records
from nbflow.core.config import NodeConfig
from nbflow.core.errors import InputError
from nbflow.core.node import Context, Inputs, Join, node_type
from nbflow.core.suggest import advice

Row = dict[str, Any]
_SIDE, _ROW = "\0side", "\0row"  # columns of ours, by names that no table has
Mode = Literal["append", "combine", "position", "combinations", "choose", "sql"]
NEEDS = {"combine": "by", "sql": "query"}


class MergeConfig(NodeConfig):
    """How several inputs become one."""

    mode: Mode = Field(
        default="append",
        description="One after the other; rows with equal keys joined; row by row; every row with every row; the first that arrived; by SQL.",
    )
    by: Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)] = Field(
        default=(), description="Key fields of mode combine; one name or a list."
    )
    join: Literal["inner", "left", "outer"] = Field(
        default="inner", description="Mode combine: keep rows found everywhere, all of the first input, or all."
    )
    clash: Literal["prefer_last", "prefer_first", "suffix"] = Field(
        default="prefer_last", description="A field that several inputs have: the last or first input's value, or `total_2` beside `total`."
    )
    include_unpaired: bool = Field(default=True, description="Mode position: keep the rest of the longer input.")
    query: str = Field(default="", description="Mode sql: DuckDB SQL over the inputs `input1`, `input2`, ... in the order of their edges.")
    wait: Literal["live", "all", "any"] = Field(
        default="live", description="Run when every branch came or was skipped, only when every branch came, or with the first that comes."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for mode, name in NEEDS.items():
            if self.mode == mode and not getattr(self, name):
                msg = f"mode '{mode}' needs the field '{name}'"
                raise ValueError(msg)
            if self.mode != mode and getattr(self, name):
                msg = f"field '{name}' belongs to mode '{mode}', not to '{self.mode}'"
                raise ValueError(msg)
        return self


def _join(config: Mapping[str, Any]) -> Join:
    wait = config.get("wait", "live")
    return cast("Join", wait) if wait in ("all", "any") else "live"


@node_type("logic.merge", join=_join)
async def merge(config: MergeConfig, inputs: Inputs, *, ctx: Context) -> Any:
    """Bring several branches together.

    Takes lists of records and DataFrames; a DataFrame among the inputs makes the result one. Mode append takes any values, mode choose gives
    the first live input unchanged. Fields that a row does not have are left out of records and are missing values in DataFrames.
    """
    if config.mode == "choose":
        return inputs[0] if inputs else None
    if config.mode == "sql":
        return await _sql(config.query, inputs)
    if config.mode == "append":
        return await asyncio.to_thread(_append, inputs)
    ctx.log(f"{config.mode}: {len(inputs)} inputs", "debug")
    return await asyncio.to_thread(_pairwise, config, inputs)


def _append(inputs: Sequence[Any]) -> Any:
    if any(map(is_frame, inputs)):
        import pandas as pd

        return pd.concat([frame(value, f"input {number}") for number, value in enumerate(inputs, 1)], ignore_index=True)
    result: list[Any] = []
    for value in inputs:
        result.extend(value) if isinstance(value, list | tuple) else result.append(value)
    return result


def _pairwise(config: MergeConfig, inputs: Sequence[Any]) -> Any:
    """Joins the second input to the first, the third to that, and so on."""
    if not inputs:
        return []
    if any(map(is_frame, inputs)):
        frames = [frame(value, f"input {number}") for number, value in enumerate(inputs, 1)]
        return reduce(lambda left, right: _join_frames(config, left, right[1], right[0]), enumerate(frames[1:], 2), frames[0])
    tables = [records(value, f"input {number}") for number, value in enumerate(inputs, 1)]
    return reduce(lambda left, right: _join_records(config, left, right[1], right[0]), enumerate(tables[1:], 2), tables[0])


# Lists of records: their own code, because pandas turns whole numbers beside gaps into fractions ---------------


def _join_records(config: MergeConfig, left: list[Row], right: list[Row], number: int) -> list[Row]:
    def both(one: Row | None, other: Row | None) -> Row:
        return _combined(config, one or {}, other or {}, number)

    if config.mode == "combinations":
        return [both(one, other) for one in left for other in right]
    if config.mode == "position":
        length = max(len(left), len(right)) if config.include_unpaired else min(len(left), len(right))
        return [both(_at(left, index), _at(right, index)) for index in range(length)]
    found = _by_key(config.by, right, number)
    used: set[Any] = set()
    result: list[Row] = []
    _check_keys(config.by, _fields(left), _before(number))
    for row in left:
        key = _key(config.by, row)
        matches = found.get(key, []) if key is not None else []
        used.add(key)
        if matches:
            result.extend(both(row, other) for other in matches)
        elif config.join != "inner":
            result.append(dict(row))
    if config.join == "outer":
        result.extend(dict(row) for row in right if (key := _key(config.by, row)) is None or key not in used)
    return result


def _combined(config: MergeConfig, left: Row, right: Row, number: int) -> Row:
    if config.clash == "prefer_last":
        return {**left, **right}
    if config.clash == "prefer_first":
        return {**left, **{name: value for name, value in right.items() if name not in left}}
    return {**left, **{f"{name}_{number}" if name in left and name not in config.by else name: value for name, value in right.items()}}


def _at(rows: list[Row], index: int) -> Row | None:
    return rows[index] if index < len(rows) else None


def _before(number: int) -> str:
    """What messages call the left side when input `number` is joined."""
    return f"inputs 1 to {number - 1}" if number - 1 > 1 else "input 1"


def _check_keys(by: Iterable[str], names: Iterable[Any], what: str) -> None:
    known = list(names)
    for name in by:
        if known and name not in known:
            msg = f"{what} has no field '{name}'{advice(name, known)}"
            raise InputError(msg)


def _fields(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _key(by: Sequence[str], row: Row) -> tuple[Any, ...] | None:
    """None for a row that lacks a key field: it matches nothing."""
    if any(row.get(name) is None for name in by):
        return None
    key = tuple(row[name] for name in by)
    try:
        hash(key)
    except TypeError:
        msg = f"the key {by} holds a list or mapping in {row!r:.80}; keys are single values"
        raise InputError(msg) from None
    return key


def _by_key(by: Sequence[str], rows: list[Row], number: int) -> dict[tuple[Any, ...], list[Row]]:
    _check_keys(by, _fields(rows), f"input {number}")
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = _key(by, row)
        if key is not None:
            found.setdefault(key, []).append(row)
    return found


# DataFrames ---------------------------------------------------------------------------------------------------


def _join_frames(config: MergeConfig, left: Any, right: Any, number: int) -> Any:
    shared = [name for name in left.columns if name in right.columns and not (config.mode == "combine" and name in config.by)]
    right = right.rename(columns={name: f"{name}_{number}" if config.clash == "suffix" else f"{name}\0right" for name in shared})
    try:
        result = _paired_frames(config, left, right, number)
    except ValueError as error:  # keys of different types
        msg = f"input {number} does not join: {error}"
        raise InputError(msg) from error
    side = result.pop(_SIDE)
    if config.clash == "suffix":
        return result
    last = config.clash == "prefer_last"
    for name in shared:
        winner, other = (result.pop(f"{name}\0right"), result[name]) if last else (result[name], result.pop(f"{name}\0right"))
        result[name] = winner.where(side != ("left_only" if last else "right_only"), other)
    return result


def _paired_frames(config: MergeConfig, left: Any, right: Any, number: int) -> Any:
    """Side by side, with a column that tells which side a row came from."""
    if config.mode == "combine":
        for table, what in ((left, _before(number)), (right, f"input {number}")):
            _check_keys(config.by, table.columns, what)
        return left.merge(right, on=list(config.by), how=config.join, indicator=_SIDE)
    if config.mode == "combinations":
        return left.merge(right, how="cross").assign(**{_SIDE: "both"})
    how = "outer" if config.include_unpaired else "inner"
    numbered = (table.assign(**{_ROW: range(len(table))}) for table in (left, right))
    return next(numbered).merge(next(numbered), on=_ROW, how=how, indicator=_SIDE).drop(columns=_ROW)


# SQL ----------------------------------------------------------------------------------------------------------


async def _sql(query: str, inputs: Sequence[Any]) -> Any:
    import duckdb
    import pyarrow as pa

    def table(value: Any, number: int) -> Any:
        if is_frame(value):
            return value
        rows = records([value] if is_record(value) else value, f"input {number}")
        names = dict.fromkeys(name for row in rows for name in row)  # from_pylist alone looks at the first row only
        return pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])

    def run() -> Any:
        for number, value in enumerate(inputs, 1):
            connection.register(f"input{number}", table(value, number))
        connection.execute("SET enable_external_access = false; SET lock_configuration = true")
        try:
            statements = connection.extract_statements(query)
            if not statements or statements[-1].type != duckdb.StatementType.SELECT:
                msg = "the SQL gives no table; end it with a SELECT"
                raise InputError(msg)
            result = connection.sql(query)
            return result.df() if any(map(is_frame, inputs)) else result.to_arrow_table().to_pylist()
        except duckdb.Error as error:
            msg = f"SQL: {error}"
            raise InputError(msg) from error

    connection = duckdb.connect(":memory:")
    working = asyncio.ensure_future(asyncio.to_thread(run))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        connection.interrupt()
        await asyncio.wait([working])
        raise
    finally:
        connection.close()
