"""A request as it is kept with its execution, and made again from there: after a restart, and to retry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nbflow.core.errors import DocumentError, RetryError, StoreError, UnknownExecutionError, WorkflowError
from nbflow.core.flow import Flow
from nbflow.core.portable import dump, untagged
from nbflow.server.execution import ExecutionRequest
from nbflow.server.job import runs_again
from nbflow.store import sql
from nbflow.store.artifacts import fetch
from nbflow.store.history import History
from nbflow.workflows.module import Module

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.store.interface import Store
    from nbflow.workflows.library import Workflows


def keep(request: ExecutionRequest) -> Any:
    """For `Origin.request`: what is not in other columns. The definition is found by its version, or by its hash."""
    import orjson

    kept: dict[str, Any] = {"params": request.params}
    if request.input is not None:
        kept["input"] = request.input
    if runs_again(request):
        kept["on_interrupt"] = "run_again"
    if request.max_running is not None:
        kept["max_running"] = request.max_running
    if request.module is not None and request.version_id is None:
        kept["module"] = request.module.to_dict()
    return orjson.Fragment(dump(kept))


class KeptRequests:
    """Reads them. Blocks: not for the loop's thread."""

    def __init__(self, store: Store, workflows: Workflows) -> None:
        self._store = store
        self._workflows = workflows
        self._sql = sql.statements("accepted.sql")

    def settle(self) -> None:
        """Takes in everything that processes which are gone have left, and marks what they ran as interrupted.

        A prune that removes nothing: the store's owner does that first, and answers when it is done.
        """
        self._store.prune(compact=False)

    def pending(self) -> list[Mapping[str, Any]]:
        """Rows of executions that were accepted and never started, oldest first."""
        return self._rows("pending")

    def interrupted(self) -> list[Mapping[str, Any]]:
        """Rows of executions that were interrupted and are to run again."""
        return [row for row in self._rows("interrupted") if self._kept(row).get("on_interrupt") == "run_again"]

    def publishes_code(self) -> bool:
        """Whether an active workflow has Python functions, so that worker kernels will be needed."""
        return any(row[0] for row in self._store.query(self._sql["publishes_code"]))

    def one(self, execution_id: str) -> Mapping[str, Any]:
        """Its row. Raises UnknownExecutionError; RetryError when it did not come from a server."""
        try:
            rows = self._rows("one", execution_id=str(UUID(execution_id)))
        except ValueError:
            rows = []
        if not rows:
            message = f"no execution has the id {execution_id}"
            raise UnknownExecutionError(message)
        if rows[0]["request"] is None:
            message = f"execution {execution_id} was started in a notebook or by a command, which keep no request: run it again there"
            raise RetryError(message)
        return rows[0]

    def request(self, row: Mapping[str, Any]) -> ExecutionRequest:
        """Raises RetryError when the definition is gone, or cannot be read."""
        kept = self._kept(row)
        flow, module = self._definition(row, kept)
        return ExecutionRequest(
            flow=flow,
            module=module,
            params=kept.get("params") or {},
            input=kept.get("input"),
            trigger=row["trigger"] or "manual",
            mode="queue",
            source=row["source"] or "",
            workflow_id=row["workflow_id"],
            version_id=row["version_id"],
            organization_id=row["organization_id"],
            max_running=kept.get("max_running"),
            on_interrupt=kept.get("on_interrupt"),
            user=row["user_name"],
        )

    def _rows(self, name: str, **params: Any) -> list[Mapping[str, Any]]:
        return list(self._store.query(self._sql[name], params).dicts())

    def _kept(self, row: Mapping[str, Any]) -> dict[str, Any]:
        try:
            kept = untagged(fetch(json.loads(row["request"]), self._store.artifacts))
        except (StoreError, ValueError) as error:
            message = f"the request of execution {row['execution_id']} cannot be read: {error}"
            raise RetryError(message) from error
        return kept if isinstance(kept, dict) else {}

    def _definition(self, row: Mapping[str, Any], kept: Mapping[str, Any]) -> tuple[Flow, Module | None]:
        try:
            if row["version_id"] is not None:
                version = self._workflows.version(row["workflow_id"], row["version_id"])
                return version.flow, version.module
            flow = Flow.from_dict(History(self._store).document(row["flow_hash"] or ""))
            return flow, Module.from_dict(kept["module"]) if "module" in kept else None
        except (WorkflowError, StoreError, DocumentError) as error:
            message = f"the definition of execution {row['execution_id']} is gone ({error}): start its workflow anew"
            raise RetryError(message) from error
