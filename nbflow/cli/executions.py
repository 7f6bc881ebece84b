"""`nbflow executions`."""

from __future__ import annotations

from typing import Annotated

import typer

from nbflow.cli.complete import flows, statuses
from nbflow.cli.failure import UsageError
from nbflow.cli.output import console, duration, local, plain, print_json, styled, table

_WIDE = 130  # columns of a terminal with room for whole ids
_WHOLE_ID, _SHORT_ID = 36, 18  # characters; the beginning is enough for every command


def executions(
    *,
    flow: Annotated[str | None, typer.Option(help="Only of this flow.", autocompletion=flows)] = None,
    status: Annotated[str | None, typer.Option(help="Only in this state.", autocompletion=statuses)] = None,
    since: Annotated[str | None, typer.Option(help="Only from then on: 2h, 7d, or an ISO date or time.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List executions, the newest first."""
    from nbflow.cli.span import moment
    from nbflow.core.states import ExecutionStatus
    from nbflow.history import recorded
    from nbflow.store.history import History

    if status is not None and status not in set(ExecutionStatus):
        message = f"--status {status}: an execution is one of {', '.join(ExecutionStatus)}"
        raise UsageError(message)
    after = None if since is None else moment(since, "--since")
    rows = History(recorded()).executions(flow=flow, status=status, since=after, limit=limit)
    if as_json:
        print_json(rows)
        return
    if not rows:
        console().print("no executions" + (" like that" if flow or status or since else " yet: `nbflow run notebook.ipynb:flow` makes one"))
        return
    screen = console()
    id_chars = _WHOLE_ID if screen.width >= _WIDE else _SHORT_ID
    grid = table("id", "flow", "status", "trigger", "started", "duration", "nodes", "error", right=("duration", "nodes"))
    for row in rows:
        error = (row.error_message or "").partition("\n")[0][:80]
        started = local(row.started_at or row.accepted_at)
        grid.add_row(
            str(row.execution_id)[:id_chars],
            plain(row.flow),
            styled(row.status),
            plain(row.trigger),
            started,
            duration(row.duration_ms),
            str(row.nodes_total),
            plain(error),
        )
    screen.print(grid)
