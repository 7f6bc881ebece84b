"""`data.csv`."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from nbflow.catalogue import csv_text
from nbflow.catalogue.files import describe, replacing, resolve, translated
from nbflow.catalogue.operation import check_fields
from nbflow.catalogue.rows import frame, records
from nbflow.core.config import NodeConfig
from nbflow.core.errors import ConfigError, InputError, MissingExtraError
from nbflow.core.node import Context, node_type

_READING = "delimiter quote header encoding skip_lines max_rows bad_rows types"
_WRITING = "delimiter header encoding columns line_end quoting escape_formulas"
FIELDS = {
    "parse": f"path {_READING} output",
    "stringify": f"path {_WRITING}",
    "convert": f"path! to! {_READING} {_WRITING}",
}
READABLE = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".xlsx")


def _no_number(value: str) -> str:
    if value and (len(value) != 1 or value.isalnum()):
        msg = f"a delimiter is one sign, such as ; or a tab, not {value!r}"
        raise ValueError(msg)
    return value


class CsvConfig(NodeConfig):
    """Which way, between what, and how the text is written."""

    operation: Literal["parse", "stringify", "convert"] = Field(
        default="parse", description="Text to table; table to text; one file to another (csv, tsv, json, jsonl, parquet, xlsx, by their endings)."
    )
    path: Path | None = Field(default=None, description="File to read (parse, convert; the input's text when not given) or to write (stringify).")
    to: Path | None = Field(default=None, description="File that convert writes; its ending tells the format.")
    allow_outside: bool = Field(default=False, description="Allow paths outside the project's folder.")
    delimiter: Annotated[str, BeforeValidator(lambda value: {"auto": "", "tab": "\t", "\\t": "\t"}.get(value, value)), AfterValidator(_no_number)] = (
        Field(default="", description="Sign between columns; empty or `auto` finds it out when reading and writes a comma.")
    )
    quote: str = Field(default='"', max_length=1, description='Sign around text that holds a delimiter; empty for "no quoting".')
    header: bool = Field(default=True, description="Whether the first line holds the names; without, they are column_1, column_2, ...")
    encoding: str = Field(default="utf-8", description="Encoding of the text; a byte order mark is left out when reading.")
    skip_lines: int = Field(default=0, ge=0, description="Lines above the header to leave out.")
    max_rows: int | None = Field(default=None, ge=0, description="Take only the first rows.")
    bad_rows: Literal["error", "skip"] = Field(
        default="error", description="A row with too many or too few columns: an error, or left out and counted."
    )
    types: Literal["infer", "strings"] = Field(default="infer", description="Find numbers, dates and booleans, or keep text ('007' stays '007').")
    output: Literal["dataframe", "records"] = Field(default="dataframe", description="What parse gives.")
    columns: tuple[str, ...] = Field(default=(), description="Columns to write, in this order; all when empty.")
    line_end: Annotated[Literal["\n", "\r\n"], BeforeValidator(lambda value: {"lf": "\n", "crlf": "\r\n"}.get(value, value))] = Field(
        default="\n", description="End of a line: lf or crlf."
    )
    quoting: Literal["minimal", "all", "strings"] = Field(default="minimal", description="What is written in quotes.")
    escape_formulas: bool = Field(default=True, description="Put a ' before text that a spreadsheet would run as a formula (it begins with = + - @).")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_fields(self, self.operation, FIELDS)
        for path in (self.path, self.to) if self.operation == "convert" else ():
            if path is not None and path.suffix.lower() not in READABLE:
                msg = f"{path}: unknown ending; convert knows {', '.join(READABLE)}"
                raise ValueError(msg)
        return self


@node_type("data.csv")
def csv(config: CsvConfig, input: Any = None, *, ctx: Context) -> Any:  # noqa: A002 - the port's name
    """Read, write or convert CSV.

    parse gives a DataFrame (or records), stringify text (or a description of the file at `path`), convert a description of the file at `to`.
    Raises InputError with the line of a bad row or byte, MissingExtraError for xlsx without the `excel` extra.
    """
    if config.operation == "parse":
        return _parse(config, input, ctx)
    if config.operation == "stringify":
        text = _written(config, frame(input))
        if config.path is None:
            return text
        return _save(_path(config.path, config, ctx), text.encode(config.encoding), ctx)
    assert config.path is not None  # noqa: S101 - required for convert
    assert config.to is not None  # noqa: S101
    source, target = _path(config.path, config, ctx), _path(config.to, config, ctx)
    table = _read_table(source, config, ctx)
    with replacing(target) as file:
        _write_table(table, target, file, config)
    return describe(target, ctx.project) | {"rows": len(table)}


def _path(path: Path, config: CsvConfig, ctx: Context) -> Path:
    return resolve(path, ctx.project, allow_outside=config.allow_outside)


def _parse(config: CsvConfig, value: Any, ctx: Context) -> Any:
    if config.path is not None or isinstance(value, Path):
        path = _path(config.path or value, config, ctx)
        with translated(path):
            content = path.read_bytes()
    elif isinstance(value, bytes):
        content = value
    elif isinstance(value, str):
        content = value.encode(config.encoding)
    else:
        msg = f"parse takes text, bytes or a path, not {type(value).__name__}; give the field 'path' or CSV text as the input"
        raise InputError(msg)
    table = _parse_bytes(content, config, ctx)
    return records(table) if config.output == "records" else table


def _parse_bytes(content: bytes, config: CsvConfig, ctx: Context) -> Any:
    dialect = csv_text.Dialect(
        delimiter=config.delimiter,
        quote=config.quote,
        header=config.header,
        encoding=config.encoding,
        skip_lines=config.skip_lines,
        max_rows=config.max_rows,
        skip_bad_rows=config.bad_rows == "skip",
        infer_types=config.types == "infer",
    )
    table, bad = csv_text.read(content, dialect)
    if bad:
        lines = ", ".join(str(line) for line, _, _ in bad[:10]) + (", ..." if len(bad) > 10 else "")  # noqa: PLR2004 - enough to look at
        ctx.log(f"{len(bad)} bad rows left out (lines {lines})", "warn")
    return table


def _written(config: CsvConfig, table: Any) -> str:
    return csv_text.write(
        table,
        columns=config.columns,
        delimiter=config.delimiter or ",",
        header=config.header,
        line_end=config.line_end,
        quoting=config.quoting,
        escape_formulas=config.escape_formulas,
    )


def _save(path: Path, content: bytes, ctx: Context) -> dict[str, Any]:
    with replacing(path) as file:
        file.write(content)
    return describe(path, ctx.project)


def _read_table(path: Path, config: CsvConfig, ctx: Context) -> Any:
    import pandas as pd

    kind = path.suffix.lower()
    with translated(path):
        content = path.read_bytes()
    if kind in {".csv", ".tsv"}:
        return _parse_bytes(content, config if config.delimiter or kind == ".csv" else config.model_copy(update={"delimiter": "\t"}), ctx)
    try:
        if kind == ".parquet":
            table = pd.read_parquet(path)
        elif kind == ".xlsx":
            _need_excel()
            table = pd.read_excel(path)
        else:
            text = csv_text.to_text(content, config.encoding)
            found = [json.loads(line) for line in text.splitlines() if line.strip()] if kind == ".jsonl" else json.loads(text)
            table = frame(found, str(config.path))
    except (ValueError, OSError) as error:  # Arrow's errors are ValueErrors
        msg = f"{config.path} is no {kind.removeprefix('.')} file: {error}"
        raise InputError(msg) from error
    return table if config.max_rows is None else table.head(config.max_rows)


def _write_table(table: Any, path: Path, file: Any, config: CsvConfig) -> None:
    kind = path.suffix.lower()
    if config.columns and kind not in {".csv", ".tsv"}:
        missing = [name for name in config.columns if name not in table.columns]
        if missing:
            msg = f"there is no column '{missing[0]}'"
            raise ConfigError(msg, field="columns")
        table = table[list(config.columns)]
    if kind in {".csv", ".tsv"}:
        separated = config.model_copy(update={"delimiter": "\t" if kind == ".tsv" else ","}) if "delimiter" not in config.model_fields_set else config
        file.write(_written(separated, table).encode(config.encoding))
    elif kind == ".parquet":
        table.to_parquet(file, index=False)
    elif kind == ".xlsx":
        _need_excel()
        table.to_excel(file, index=False)
    else:
        table.to_json(file, orient="records", lines=kind == ".jsonl", date_format="iso", force_ascii=False, indent=None if kind == ".jsonl" else 2)


def _need_excel() -> None:
    try:
        import openpyxl  # noqa: F401 - pandas imports it by name
    except ImportError:
        what = "xlsx"
        raise MissingExtraError(what, "excel") from None
