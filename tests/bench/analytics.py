"""What the analytics endpoints cost: rows made by SQL in nbflow's own schema, then each query of analytics.sql. The goal is for 10 M rows."""

from __future__ import annotations

import os
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.store.database import Database

from .table import Row

if TYPE_CHECKING:
    from collections.abc import Callable

GOAL_ROWS, GOAL_MS = 10_000_000, 1000
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def statements() -> dict[str, str]:
    """Of analytics.sql, by name."""
    parts = _NAME.split(Path(__file__).with_name("analytics.sql").read_text("utf-8"))
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def queries(scale: float) -> list[Row]:
    """Best of three, in a file on disk."""
    rows = max(80, int(int(os.environ.get("NBFLOW_BENCH_ROWS", "1000000")) * scale))
    asked = statements()
    with tempfile.TemporaryDirectory(prefix="nbflow-bench-") as folder:
        path = Path(folder) / "store.duckdb"
        database = Database(path, Path(folder) / "tmp")
        connection = database.connection()
        try:
            began = time.perf_counter()
            connection.execute(asked.pop("fill_executions"), {"executions": rows // 8})
            connection.execute(asked.pop("fill_logs"), {"rows": rows})
            database.checkpoint()
            filled_s = time.perf_counter() - began
            found = [Row(name=f"fill {rows:,} log rows by SQL", value=filled_s, unit="s", note=f"{path.stat().st_size / 1e6:.0f} MB")]
            for name, query in asked.items():
                times = []
                for _ in range(3):
                    began = time.perf_counter()
                    count = len(connection.execute(query).fetchall())
                    times.append(time.perf_counter() - began)
                milliseconds = min(times) * 1e3
                at_goal = milliseconds * max(1.0, GOAL_ROWS / rows)
                note = f"{count:,} rows; {at_goal:,.0f} ms at {GOAL_ROWS / 1e6:.0f} M if linear" if rows < GOAL_ROWS else f"{count:,} rows"
                # the goal at this size: what linear growth turns into the goal at 10 M
                goal = GOAL_MS * min(1.0, rows / GOAL_ROWS)
                found.append(Row(name=f"{name}, {rows / 1e6:g} M rows", value=milliseconds, unit="ms", goal=goal, note=note))
        finally:
            connection.close()
            database.close()
    return found


CASES: dict[str, Callable[[float], list[Row]]] = {"queries": queries}
