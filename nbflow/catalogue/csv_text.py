"""Reads CSV text with messages a user can act on: the line of a ragged row, of a byte that is no text."""

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbflow.core.errors import ConfigError, InputError
from nbflow.core.suggest import advice

_CANDIDATES = (",", ";", "\t", "|")
_SAMPLE_LINES = 50
_LARGEST_BLOCK = (1 << 31) - 1  # Arrow's


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """How the text is written, and what to make of it."""

    delimiter: str = ""  # "" finds it out
    quote: str = '"'
    header: bool = True
    encoding: str = "utf-8"
    skip_lines: int = 0
    max_rows: int | None = None
    skip_bad_rows: bool = False
    infer_types: bool = True


def to_text(content: bytes, encoding: str) -> str:
    """Decoded, a byte order mark left out. Raises InputError with the line, ConfigError for an unknown encoding."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        msg = f"unknown encoding '{encoding}'"
        raise ConfigError(msg, field="encoding") from None
    try:
        return content.decode("utf-8-sig" if name == "utf-8" else name).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        msg = f"line {line}: byte 0x{content[error.start]:02x} is no {encoding} text; give the file's encoding, often cp1252 or latin-1"
        raise InputError(msg) from None


def find_delimiter(text: str, quote: str = '"') -> str:
    """The candidate that cuts the first lines into the most columns of equal number; a comma when none does."""
    sample = "".join(text[: 1 << 16].splitlines(keepends=True)[:_SAMPLE_LINES])
    best, best_score = ",", (0.0, 0)
    for candidate in _CANDIDATES:
        widths = [len(row) for row in csv.reader(io.StringIO(sample), delimiter=candidate, quotechar=quote) if row]
        width = max(set(widths), key=widths.count, default=1)
        score = (widths.count(width) / len(widths) if widths else 0.0, width)
        if width > 1 and score > best_score:
            best, best_score = candidate, score
    return best


def read(content: bytes, dialect: Dialect) -> tuple[Any, list[tuple[int, int, int]]]:
    """The table as a DataFrame, and the bad rows left out as (line, expected columns, found columns). Raises InputError for the first one
    unless they are to be skipped. Blank lines are no rows.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    text = to_text(content, dialect.encoding)
    for _ in range(dialect.skip_lines):
        text = text.partition("\n")[2]
    if not text.strip():
        import pandas as pd

        return pd.DataFrame(), []
    delimiter = dialect.delimiter or find_delimiter(text, dialect.quote)
    names = _names(text, delimiter, dialect)
    bad_seen = 0

    def bad(_: Any) -> str:
        nonlocal bad_seen
        bad_seen += 1
        return "skip"

    data = text.encode()
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(data),
            # One block, so that a column's type is decided by all of its values; one thread, so that rows keep their order for `bad`.
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=min(len(data) + 1, _LARGEST_BLOCK), column_names=names, skip_rows_after_names=int(dialect.header)
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, quote_char=dialect.quote or False, newlines_in_values=True, invalid_row_handler=bad
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=None if dialect.infer_types else dict.fromkeys(names, pa.string()), strings_can_be_null=dialect.infer_types
            ),
        )
    except pa.ArrowInvalid as error:
        msg = f"the text is no CSV: {error}"
        raise InputError(msg) from error
    ragged = _ragged(text, delimiter, dialect, len(names)) if bad_seen else []
    if ragged and not dialect.skip_bad_rows:
        line, expected, found = ragged[0]
        msg = f"line {line} has {found} columns where {expected} were expected; set bad_rows='skip' to leave such rows out"
        raise InputError(msg)
    if dialect.max_rows is not None:
        table = table.slice(0, dialect.max_rows)
    return table.to_pandas(), ragged


def _names(text: str, delimiter: str, dialect: Dialect) -> list[str]:
    """Column names: the header's, a repeated one with a number; column_1, column_2, ... without a header."""
    first: list[str] = next((row for row in _rows(text, delimiter, dialect) if row), [])
    if not dialect.header:
        return [f"column_{number}" for number in range(1, len(first) + 1)]
    names: list[str] = []
    for number, name in enumerate(first, 1):
        wanted = base = name or f"column_{number}"
        again = 2
        while wanted in names:
            wanted, again = f"{base}_{again}", again + 1
        names.append(wanted)
    return names


def _rows(text: str, delimiter: str, dialect: Dialect) -> Any:
    style: dict[str, Any] = {"quotechar": dialect.quote} if dialect.quote else {"quoting": csv.QUOTE_NONE}
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **style)


def _ragged(text: str, delimiter: str, dialect: Dialect, width: int) -> list[tuple[int, int, int]]:
    """Arrow counts rows; this counts lines, which are what an editor shows."""
    rows = _rows(text, delimiter, dialect)
    return [(rows.line_num + dialect.skip_lines, width, len(row)) for row in rows if row and len(row) != width]


def write(frame: Any, *, columns: Sequence[str], delimiter: str, header: bool, line_end: str, quoting: str, escape_formulas: bool) -> str:
    """The table as CSV text. Raises InputError for a column that is not there."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        msg = f"there is no column '{missing[0]}'{advice(missing[0], frame.columns)}"
        raise InputError(msg)
    chosen = frame[list(columns)] if columns else frame
    if escape_formulas:
        chosen = chosen.map(_harmless).rename(columns=_harmless)
    styles = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL, "strings": csv.QUOTE_NONNUMERIC}
    text: str = chosen.to_csv(index=False, sep=delimiter, header=header, lineterminator=line_end, quoting=styles[quoting])
    return text


def _harmless(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets a quote in front (OWASP, CSV injection)."""
    return "'" + value if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
