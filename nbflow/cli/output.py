"""What commands print: tables and values for people, JSON for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from nbflow.core.redaction import redactor

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console
    from rich.table import Table

ROWS = 20  # of a table that is an output
COLUMNS = 12
CHARACTERS = 4000  # of any other output
WIDE = 200  # columns of a "terminal" that is a pipe: nothing is cut there

STYLES = {"completed": "green", "failed": "bold red", "cancelled": "yellow", "running": "cyan", "waiting": "cyan", "skipped": "dim", "pending": "dim"}

_json_out = sys.stdout


def console(*, stderr: bool = False) -> Console:
    """Colours and the terminal's width where there is a terminal, plain wide text elsewhere."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    wide = None if stream.isatty() or "COLUMNS" in os.environ else WIDE
    return Console(file=stream, width=wide, highlight=False, soft_wrap=False)


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table in the commands' common form; the columns in `right` hold numbers."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        number = column in right
        made.add_column(column, justify="right" if number else "left", no_wrap=number or column == "id", overflow="fold")
    return made


def styled(status: object) -> str:
    """A status in its colour, as rich markup."""
    text = str(status)
    return f"[{STYLES[text]}]{text}[/]" if text in STYLES else text


def plain(value: object) -> str:
    """Text that rich must not read as markup."""
    from rich.markup import escape

    return escape("" if value is None else str(value))


def duration(milliseconds: float | None) -> str:
    """`0.8 ms`, `12 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`; empty when unknown."""
    if milliseconds is None:
        return ""
    if milliseconds < 10:  # noqa: PLR2004
        return f"{milliseconds:.1f} ms"
    if milliseconds < 1000:  # noqa: PLR2004
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def local(moment: datetime | None) -> str:
    """A naive UTC instant of the store in the machine's time zone, to the second."""
    from datetime import UTC

    return "" if moment is None else f"{moment.replace(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def size(bytes_: float) -> str:
    """`3.4 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(bytes_) < 1000:  # noqa: PLR2004
            return f"{bytes_:.0f} {unit}" if unit == "B" else f"{bytes_:.1f} {unit}"
        bytes_ /= 1000
    return f"{bytes_:.1f} TB"


# Values of a flow -------------------------------------------------------------------------------


def print_value(screen: Console, name: str, value: Any) -> None:
    """One output of a flow: tables as tables, at most ROWS by COLUMNS; everything else as text."""
    records = _records(value)
    if records is not None:
        columns, rows, total = records
        screen.print(f"[bold]{plain(name)}[/] ({total:,} rows, {len(columns)} columns)")
        grid = table(*(plain(redactor.told(str(column))) for column in columns[:COLUMNS]))
        for row in rows:
            grid.add_row(*(plain(_cell(cell)) for cell in row[:COLUMNS]))
        screen.print(grid)
        if total > len(rows) or len(columns) > COLUMNS:
            screen.print(f"[dim]first {len(rows)} rows, first {min(COLUMNS, len(columns))} columns[/]")
        return
    text = redactor.told(_text(value))
    cut = "" if len(text) <= CHARACTERS else f"\n[dim]... {len(text) - CHARACTERS:,} more characters[/]"
    screen.print(f"[bold]{plain(name)}[/] = {plain(text[:CHARACTERS])}{cut}")


def _records(value: Any) -> tuple[list[Any], list[tuple[Any, ...]], int] | None:
    """Columns, first rows and number of rows of a DataFrame, an Arrow table or a list of dicts; None for anything else."""
    kind = (type(value).__module__.partition(".")[0], type(value).__name__)
    if kind == ("pandas", "DataFrame"):
        return list(value.columns), list(value.head(ROWS).itertuples(index=False, name=None)), len(value)
    if kind == ("polars", "DataFrame"):
        return list(value.columns), value.head(ROWS).rows(), len(value)
    if kind == ("pyarrow", "Table"):
        return value.column_names, [tuple(row.values()) for row in value.slice(0, ROWS).to_pylist()], value.num_rows
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value[:ROWS]):
        columns = list(dict.fromkeys(key for item in value[:ROWS] for key in item))
        return columns, [tuple(item.get(key) for key in columns) for item in value[:ROWS]], len(value)
    return None


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else redactor.cut(str(value), 61)
    return text if len(text) <= 60 else text[:59] + "\N{HORIZONTAL ELLIPSIS}"  # noqa: PLR2004


def _text(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        with suppress(TypeError, ValueError):
            return dumps(value, pretty=True)
    return value if isinstance(value, str) else repr(value)


# JSON -------------------------------------------------------------------------------------------


@contextmanager
def json_alone(*, wanted: bool) -> Iterator[None]:
    """While it lasts, whatever writes to stdout (also C code and child processes) writes to stderr; only `print_json` does not."""
    global _json_out  # noqa: PLW0603 -- one standard output a process
    if not wanted:
        yield
        return
    sys.stdout.flush()
    real = os.dup(1)
    os.dup2(2, 1)
    _json_out = os.fdopen(real, "w", encoding="utf-8", closefd=False)
    try:
        yield
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        _json_out.flush()
        _json_out = sys.stdout
        os.dup2(real, 1)
        os.close(real)


def print_json(document: Any) -> None:
    """One JSON document and a newline on the real stdout."""
    _json_out.write(redactor.told(dumps(document, pretty=True)) + "\n")
    _json_out.flush()


def dumps(document: Any, *, pretty: bool = False) -> str:
    """JSON of any value: tables become lists of records, what has no JSON form its text."""
    import orjson

    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z | (orjson.OPT_INDENT_2 if pretty else 0)
    return orjson.dumps(document, default=_jsonable, option=options).decode()


def _jsonable(value: Any) -> Any:
    if _missing(value):
        return None
    for kind, convert in _CONVERSIONS.items():
        if hasattr(value, kind):
            return convert(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    return str(value)


def _pandas_records(frame: Any) -> list[dict[str, Any]]:
    """Missing values are null, times are ISO 8601."""
    return [
        {str(name): None if _missing(cell) else cell for name, cell in zip(frame.columns, row, strict=True)}
        for row in frame.itertuples(index=False, name=None)
    ]


def _missing(cell: Any) -> bool:
    return type(cell).__name__ in {"NaTType", "NAType"} or (isinstance(cell, float) and cell != cell)  # noqa: PLR0124 -- NaN


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {  # by an attribute that tells the family
    "model_dump": lambda value: value.model_dump(mode="json"),  # pydantic
    "to_dicts": lambda value: value.to_dicts(),  # polars
    "to_pylist": lambda value: value.to_pylist(),  # Arrow
    "iterrows": _pandas_records,
    "isoformat": lambda value: value.isoformat(),  # pandas' own subclasses of datetime
    "tolist": lambda value: value.tolist(),  # numpy, pandas Series and Index
}
