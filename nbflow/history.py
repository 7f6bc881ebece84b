"""Finding executions again: by SQL, as a table, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from nbflow.store.interface import Store


def sql(query: str, params: Sequence[Any] | Mapping[str, Any] = (), *, format: Literal["pandas", "arrow"] = "pandas") -> Any:  # noqa: A002 -- pandas' own word
    """The project's history as a DataFrame (or an Arrow table). `?` and `$name` in the query take `params`. Read-only.

    Tables: workflow_executions (one row an execution), execution_logs (one row a node), execution_events, and the rest of
    `select * from information_schema.tables`. Times are UTC. Raises QueryError.
    """
    table = recorded().table(query, params)
    return table if format == "arrow" else table.to_pandas()


def executions(flow: str | None = None, *, status: str | None = None, since: datetime | None = None, limit: int = 50) -> pd.DataFrame:
    """The newest executions first, one row each."""
    import pandas as pd

    from nbflow.store.history import History

    rows = History(recorded()).executions(flow=flow, status=status, since=since, limit=limit)
    columns = {
        "id": [str(row.execution_id) for row in rows],
        "flow": [row.flow for row in rows],
        "status": [row.status for row in rows],
        "trigger": [row.trigger for row in rows],
        "started_at": pd.Series([row.started_at for row in rows], dtype="datetime64[us]"),
        "duration_s": [None if row.duration_ms is None else row.duration_ms / 1000 for row in rows],
        "error": [row.error_message for row in rows],
    }
    return pd.DataFrame(columns)


def execution(id: str) -> Any:  # noqa: A002 -- the word
    """One execution by its id or the beginning of it. Displayed, it's the same view as when it ran. Raises UnknownExecutionError."""
    from nbflow.runtime.past import PastExecution

    return PastExecution.find(recorded(), id)


def recorded() -> Store:
    """The project's history with everything in it that any process has written until now."""
    from nbflow.runtime.runtime import runtime

    store = runtime().store
    store.follow_all()
    return store
