"""What a restart takes up: executions that were accepted and never started, and those that were interrupted and shall run again.

A start is written down before any node runs, so what has none can be run without running anything twice. Interrupted ones were marked by
the store's owner when it saw that their process was gone.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import NbflowError
from nbflow.core.events import ErrorRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.server.executor import Executor
    from nbflow.server.kept import KeptRequests

_log = logging.getLogger("nbflow.server")


async def take_up(executor: Executor, kept: KeptRequests) -> None:
    """Called once, when no other server can live any more. Raises StoreError."""
    await asyncio.to_thread(kept.settle)
    waiting = await asyncio.to_thread(kept.pending)  # before others are accepted, which would be among them
    again = await asyncio.to_thread(kept.interrupted)
    for row in waiting:
        await _start(executor, kept, row)
    for row in again:
        await _run_again(executor, kept, row)
    if waiting or again:
        _log.info("taken up from the server before: %d that had not started, %d that were interrupted", len(waiting), len(again))


async def _start(executor: Executor, kept: KeptRequests, row: Mapping[str, Any]) -> None:
    id_ = str(row["execution_id"])
    if row["mode"] == "wait" and row["trigger"] != "webhook":
        await executor.fail_unstarted(
            id_, ErrorRecord("Interrupted", "the server stopped before it started, and nobody waits for its result any more")
        )
        return
    try:
        executor.admit(await asyncio.to_thread(kept.request, row), id_)
    except NbflowError as error:
        _log.warning("execution %s, accepted by the server before, cannot run: %s", id_, error)
        await executor.fail_unstarted(id_, ErrorRecord(type(error).__name__, str(error)))


async def _run_again(executor: Executor, kept: KeptRequests, row: Mapping[str, Any]) -> None:
    id_ = str(row["execution_id"])
    try:
        await executor.accept(replace(await asyncio.to_thread(kept.request, row), parent_execution_id=id_))
    except NbflowError as error:
        _log.warning("execution %s was interrupted and cannot run again: %s", id_, error)
