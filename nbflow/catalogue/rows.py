"""Tables as nodes take them: a DataFrame, a list of records, one record."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from nbflow.core.errors import InputError


def is_frame(value: Any) -> bool:
    """Whether the value is a pandas DataFrame, without importing pandas: who holds one has imported it."""
    frame_type = getattr(sys.modules.get("pandas"), "DataFrame", None)  # None also while another thread is importing pandas
    return frame_type is not None and isinstance(value, frame_type)


def is_record(value: Any) -> bool:
    """Whether the value is one row: a mapping from names to values."""
    return isinstance(value, Mapping)


def records(value: Any, what: str = "the input") -> list[dict[str, Any]]:
    """Rows as dicts. Raises InputError naming the item that is no record."""
    if is_frame(value):
        rows: list[dict[str, Any]] = value.to_dict(orient="records")
        return rows
    if is_record(value):
        return [dict(value)]
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        msg = f"{what} is a {type(value).__name__}; a DataFrame, a list of records or one record was expected"
        raise InputError(msg)
    found = []
    for index, row in enumerate(value):
        if not is_record(row):
            msg = f"{what} holds a {type(row).__name__} where a record (a mapping of names to values) was expected"
            raise InputError(msg, index=index)
        found.append(dict(row))
    return found


def items(value: Any, what: str = "the input") -> list[Any]:
    """Anything countable as a list: list, tuple, set, range, array, Series; a DataFrame's rows as dicts; a mapping's pairs as dicts of
    `key` and `value`. Raises InputError for text, None and single values.
    """
    if is_frame(value):
        return records(value)
    if is_record(value):
        return [{"key": key, "value": item} for key, item in value.items()]
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        hint = "; split text first, with `{{ input.splitlines() }}`" if isinstance(value, str) else ""
        msg = f"{what} is a {type(value).__name__}; a list, a DataFrame or a mapping was expected{hint}"
        raise InputError(msg)
    return list(value)


def frame(value: Any, what: str = "the input") -> Any:
    """The table as a DataFrame; the same object when it is one."""
    if is_frame(value):
        return value
    import pandas as pd

    return pd.DataFrame.from_records(records(value, what))
