"""`nbflow show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nbflow.cli.complete import execution_ids
from nbflow.cli.output import console, duration, local, plain, print_json, print_value, styled, table

if TYPE_CHECKING:
    from rich.console import Console

    from nbflow.store.history import ExecutionRow, NodeRow

SHOWN = 100  # nodes; a loop has thousands


def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The execution's id, or its beginning.", autocompletion=execution_ids)],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show one execution: its nodes, its outputs, and why it failed."""
    from nbflow.history import recorded
    from nbflow.store.history import History

    history = History(recorded())
    execution = history.execution(id_)
    nodes = history.nodes(execution.execution_id)
    if as_json:
        print_json({"execution": execution, "nodes": nodes})
        return
    screen = console()
    _head(screen, execution)
    _nodes(screen, nodes)
    _outputs(screen, execution.outputs)
    _error(screen, execution, nodes)


def _head(screen: Console, execution: ExecutionRow) -> None:
    who = f"{execution.user_name}@{execution.host}" if execution.user_name else ""
    facts = {
        "execution": execution.execution_id,
        "flow": execution.flow,
        "started": local(execution.started_at or execution.accepted_at),
        "duration": duration(execution.duration_ms),
        "trigger": " ".join(filter(None, (execution.trigger, execution.source))),
        "by": who,
    }
    for name, value in facts.items():
        if value:
            screen.print(f"[dim]{name:10}[/] {plain(value)}")
    screen.print(f"[dim]{'status':10}[/] {styled(execution.status)}")
    if execution.input:
        screen.print(f"[dim]{'input':10}[/] {plain(_short(execution.input))}", soft_wrap=True)


def _nodes(screen: Console, nodes: list[NodeRow]) -> None:
    if not nodes:
        screen.print("no node has ended")
        return
    loops = any(node.path for node in nodes)
    numbers = ("duration", "tries")
    grid = table("node", *(["iteration"] if loops else []), "type", "status", "duration", "tries", "error", right=numbers)
    # Failures first to be kept: of a long loop not every iteration is shown.
    kept = {id(node) for node in [node for node in nodes if node.status == "failed"][:SHOWN]}
    for node in nodes:
        if len(kept) >= SHOWN:
            break
        kept.add(id(node))
    for node in nodes:
        if id(node) in kept:
            error = (node.error_message or "").partition("\n")[0][:100]
            iteration = [node.path] if loops else []
            cells = (plain(node.node_type), styled(node.status), duration(node.duration_ms), str(node.attempt or ""), plain(error))
            grid.add_row(plain(node.node_id), *iteration, *cells)
    screen.print(grid)
    if len(nodes) > len(kept):
        screen.print(f"[dim]{len(nodes) - len(kept):,} more rows; --json gives all[/]")


def _outputs(screen: Console, outputs: Any) -> None:
    if isinstance(outputs, dict):
        for name, value in outputs.items():
            print_value(screen, name, value)


def _error(screen: Console, execution: ExecutionRow, nodes: list[NodeRow]) -> None:
    if not execution.error_message:
        return
    where = f"node '{execution.error_node}': " if execution.error_node else ""
    screen.print(f"[bold red]{plain(where)}{plain(execution.error_type)}: {plain(execution.error_message)}[/]", soft_wrap=True)
    failed = [node for node in nodes if node.status == "failed" and node.node_id == execution.error_node]
    traceback = next((node.payload["traceback"] for node in failed if (node.payload or {}).get("traceback")), "")
    if traceback:
        screen.print(plain(traceback), soft_wrap=True)


def _short(value: Any) -> str:
    from nbflow.cli.output import dumps

    text = dumps(value)
    return text if len(text) <= 500 else text[:500] + " ..."  # noqa: PLR2004
