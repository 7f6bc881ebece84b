"""`nbflow sql`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nbflow.cli.failure import UsageError
from nbflow.cli.output import console, plain, print_json, table

SHOWN = 200  # rows in a terminal


def sql(
    query: Annotated[str, typer.Argument(help="SQL (DuckDB's), read-only; `-` reads it from stdin.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document: a list of records.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
) -> None:
    """Ask the project's history. Tables: executions, nodes, execution_events and more (`select * from information_schema.tables`)."""
    from nbflow.history import recorded

    if as_json and as_csv:
        message = "give --json or --csv, not both"
        raise UsageError(message)
    answer = recorded().table(sys.stdin.read() if query == "-" else query)
    columns, count = answer.column_names, answer.num_rows
    if as_json:
        print_json(answer.to_pylist())
        return
    if as_csv:
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        for batch in answer.to_batches():
            writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        return
    screen = console()
    grid = table(*map(plain, columns))
    for row in zip(*(column.slice(0, SHOWN).to_pylist() for column in answer.columns), strict=True):
        grid.add_row(*(plain(_cell(cell)) for cell in row))
    screen.print(grid)
    shown = f"; the first {SHOWN} are shown, --csv or --json gives all" if count > SHOWN else ""
    screen.print(f"[dim]{count:,} row{'s' * (count != 1)}{shown}[/]")


def _cell(value: object) -> str:
    if value is None:
        return "NULL"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
