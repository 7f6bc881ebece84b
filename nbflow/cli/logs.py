"""`nbflow logs`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from nbflow.cli.complete import execution_ids
from nbflow.cli.failure import UsageError
from nbflow.cli.output import console, plain, print_json
from nbflow.core.suggest import advice

_STYLES = {"warn": "yellow", "error": "red", "debug": "dim"}


def logs(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The execution's id, or its beginning.", autocompletion=execution_ids)],
    *,
    node: Annotated[str | None, typer.Option(help="Only of this node.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Print what the nodes of an execution wrote and logged."""
    from nbflow.history import recorded
    from nbflow.store.history import History

    history = History(recorded())
    execution = history.execution(id_)
    rows = history.nodes(execution.execution_id)
    names = dict.fromkeys(row.node_id for row in rows)
    if node is not None and node not in names:
        message = f"execution {str(execution.execution_id)[:8]} has no node '{node}' that ended{advice(node, names)}"
        raise UsageError(message)
    lines: list[dict[str, Any]] = [
        {"at": entry["at"], "node": row.node_id, "path": row.path, "stream": entry["stream"], "level": entry["level"], "text": entry["text"]}
        for row in rows
        if node in {None, row.node_id}
        for entry in (row.payload or {}).get("logs", [])
    ]
    lines.sort(key=lambda line: line["at"])
    if as_json:
        print_json([{**line, "at": datetime.fromtimestamp(line["at"] / 1e9, UTC)} for line in lines])
        return
    screen = console()
    if not lines:
        screen.print("nothing was printed or logged", style="dim")
    for line in lines:
        place = f"{line['node']}[{line['path']}]" if line["path"] else line["node"]
        at = datetime.fromtimestamp(line["at"] / 1e9, UTC).astimezone()
        for text in line["text"].rstrip("\n").split("\n"):
            screen.print(f"[dim]{at:%H:%M:%S}[/] [cyan]{plain(place)}[/]  {plain(text)}", style=_STYLES.get(line["level"]), soft_wrap=True)
