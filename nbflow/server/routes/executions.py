"""Executions: what ran, what runs, what is to be stopped or repeated."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query

from nbflow.accounts.rights import Permission
from nbflow.core.errors import UnknownExecutionError
from nbflow.core.states import ENDED, ExecutionStatus
from nbflow.server.access import Access, require
from nbflow.server.errors import ApiError, responses
from nbflow.server.paging import Cursor, Limit, Page, page
from nbflow.server.routes.workflows import find_workflow
from nbflow.server.schemas.execution import ExecutionDetail, ExecutionItem, ResultAnswer, execution_detail, execution_item
from nbflow.server.schemas.moment import Moment
from nbflow.server.state import ServerState, State
from nbflow.store.artifacts import fetch
from nbflow.store.audit import entry
from nbflow.store.sql import statements

router = APIRouter(prefix="/executions", tags=["executions"])

Reading = Annotated[Access, require(Permission.EXECUTION_READ)]
Running = Annotated[Access, require(Permission.WORKFLOW_RUN)]
Cancelling = Annotated[Access, require(Permission.EXECUTION_CANCEL)]
Status = Annotated[ExecutionStatus | None, Query(description="Only in this state.")]
Since = Annotated[
    Moment | None, Query(description="Accepted at this time or later, ISO 8601; without a zone it is UTC.", examples=["2026-11-23T00:00:00Z"])
]
Until = Annotated[Moment | None, Query(description="Accepted before this time.")]
Trigger = Annotated[str | None, Query(max_length=50, description="Only started by this: manual, webhook, schedule, api...")]
_NODES = 1000
_CANCEL_S = 10.0
_LOOKS, _LOOK_S = 20, 0.1


@router.get("", summary="List executions")
def list_executions(
    server: State,
    access: Reading,
    *,
    status: Status = None,
    trigger: Trigger = None,
    start_date: Since = None,
    end_date: Until = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ExecutionItem]:
    """Those of your organizations, newest first."""
    wanted = {"workflow_id": None, "status": status, "trigger": trigger, "since": _naive(start_date), "until": _naive(end_date)}
    return _listed(server, access.organizations, wanted, cursor, limit)


@router.get("/workflow/{workflow_id:uuid}", summary="List a workflow's executions", responses=responses(404))
def list_executions_of_workflow(
    server: State,
    access: Reading,
    workflow_id: UUID,
    *,
    status: Status = None,
    trigger: Trigger = None,
    start_date: Since = None,
    end_date: Until = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ExecutionItem]:
    """Newest first."""
    workflow = find_workflow(server, access, workflow_id)
    wanted = {"workflow_id": str(workflow.id), "status": status, "trigger": trigger, "since": _naive(start_date), "until": _naive(end_date)}
    return _listed(server, access.organizations, wanted, cursor, limit)


@router.get("/{execution_id:uuid}", summary="One execution", responses=responses(404))
def get_execution(
    server: State,
    access: Reading,
    execution_id: UUID,
    after_node: Annotated[int, Query(ge=-1, le=2**62, description="`next_node` of the answer before: only nodes that ended later.")] = -1,
) -> ExecutionDetail:
    """With its input, outputs and nodes, as previews; what they printed; and why they failed."""
    row = find_execution(server, access, execution_id)
    params = {"execution_id": str(execution_id), "after": after_node, "limit": _NODES + 1}
    nodes = server.store.query(statements("executions.sql")["its_nodes"], params).dicts()
    for node in nodes:
        node["payload"] = _json(server, node["payload"])
    row |= {"input": _json(server, row["input"]), "outputs": _json(server, row["outputs"])}
    return execution_detail(row, nodes[:_NODES], nodes[_NODES - 1]["seq"] if len(nodes) > _NODES else None)


@router.post("/{execution_id:uuid}/cancel", summary="Cancel an execution", responses=responses(404, 409))
async def cancel_execution(server: State, access: Cancelling, execution_id: UUID) -> ExecutionItem:
    """Stops it, at the latest after about two seconds by force, and answers when it has. 409 when it has ended, or runs outside this server."""
    row = await asyncio.to_thread(find_execution, server, access, execution_id)
    ticket = server.executor.ticket(str(execution_id))
    if not await server.executor.cancel(str(execution_id)):
        row = await asyncio.to_thread(find_execution, server, access, execution_id)
        if row["status"] in ENDED:
            msg = f"the execution has ended already, it is {row['status']}"
            raise ApiError(409, "execution_ended", msg)
        where = f"in process {row['pid']} on {row['host']}"
        msg = f"the execution runs outside this server, {where}: cancel it there"
        raise ApiError(409, "runs_elsewhere", msg)
    note = entry(access.actor, "execution.cancelled", "execution", execution_id, organization_id=row["organization_id"])
    await asyncio.to_thread(server.store.transact, [note])
    if ticket is not None:
        await asyncio.wait({ticket.finished}, timeout=_CANCEL_S)
    for _ in range(_LOOKS):  # the end may come by the journal of a worker, which the store reads in its own time
        row = await asyncio.to_thread(find_execution, server, access, execution_id)
        if row["status"] in ENDED:
            break
        await asyncio.sleep(_LOOK_S)
    return execution_item(row)


@router.post("/{execution_id:uuid}/retry", status_code=202, summary="Run an execution again", responses=responses(404, 409))
async def retry_execution(server: State, access: Running, execution_id: UUID) -> ResultAnswer:
    """As a new execution with the same definition, parameters and input; it names this one as its parent."""
    row = await asyncio.to_thread(find_execution, server, access, execution_id)
    ticket = await server.executor.retry(str(execution_id), user=access.principal.user.label)
    after = {"execution_id": ticket.execution_id}
    note = entry(access.actor, "execution.retried", "execution", execution_id, organization_id=row["organization_id"], after=after)
    await asyncio.to_thread(server.store.transact, [note])
    return ResultAnswer(execution_id=UUID(ticket.execution_id), workflow_id=row["workflow_id"], status=ExecutionStatus.PENDING)


def find_execution(server: ServerState, access: Access, execution_id: UUID) -> dict[str, Any]:
    """Its row of executions.sql. 404 for one of another organization, 403 where the route's permission is missing."""
    params = {"execution_id": str(execution_id), "home": str(server.home)}
    rows = server.store.query(statements("executions.sql")["one"], params).dicts()
    if not rows or rows[0]["organization_id"] not in access.principal.memberships:
        msg = f"there is no execution '{execution_id}' here; GET /executions lists them"
        raise UnknownExecutionError(msg)
    access.check(rows[0]["organization_id"])
    return rows[0]


def _listed(server: ServerState, organizations: Iterable[UUID], wanted: Mapping[str, Any], cursor: UUID | None, limit: int) -> Page[ExecutionItem]:
    params = {
        **wanted,
        "home": str(server.home),
        "organizations": sorted(map(str, organizations)),
        "before": str(cursor) if cursor else None,
        "limit": limit + 1,
    }
    rows = server.store.query(statements("executions.sql")["listed"], params).dicts()
    return page(rows, limit, execution_item, lambda row: row["execution_id"])


def _json(server: ServerState, text: str | None) -> Any:
    return None if text is None else fetch(orjson.loads(text), server.store.artifacts)


def _naive(moment: datetime | None) -> datetime | None:
    """As the store keeps times: UTC, not aware."""
    return None if moment is None else moment.replace(tzinfo=None)
