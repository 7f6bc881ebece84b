"""POST /executions/execute: run a stored workflow, or a flow that is not stored."""

import asyncio
import base64
import json
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Header
from starlette.responses import Response

from nbflow.accounts.rights import Permission
from nbflow.core.flow import Flow
from nbflow.core.states import ENDED, ExecutionStatus
from nbflow.server.access import Access
from nbflow.server.errors import responses
from nbflow.server.execution import ExecutionRequest, Result, Ticket
from nbflow.server.routes.executions import Running, find_execution
from nbflow.server.routes.workflows import find_workflow, module_of
from nbflow.server.schemas.execution import ExecuteBody, FaultAnswer, ResultAnswer
from nbflow.server.state import ServerState, State
from nbflow.server.webhooks.answer import Answer
from nbflow.server.webhooks.idempotency import Entry, fingerprint, stored

router = APIRouter(prefix="/executions", tags=["executions"])

WINDOW = timedelta(hours=24)
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern="^[!-~]+$",
        description="Requests with the same key within 24 hours start one execution and get one answer.",
        examples=["order-4711"],
    ),
]


@router.post(
    "/execute",
    summary="Run a workflow",
    response_model=ResultAnswer,
    responses={**responses(404, 409), 202: {"model": ResultAnswer, "description": "Accepted: mode queue, or it takes longer than `wait_s`."}},
)
async def execute(server: State, access: Running, body: ExecuteBody, key: Key = None) -> Response:
    """Durable before the answer. That the execution failed is told by `status` and `error`, not by the status of the answer."""
    if key is None:
        return _response(await _run(server, access, body, None, None))
    scope = f"execute.{access.principal.user.id}"
    print_ = fingerprint(body.model_dump_json().encode())
    found, first = await server.idempotency.claim(scope, key, print_, WINDOW)
    if not first:
        return _response(await _again(server, access, found))
    try:
        answer = await _run(server, access, body, stored(scope, key, print_), found)
    except BaseException as error:
        server.idempotency.settle(scope, key, found, error if isinstance(error, Exception) else RuntimeError("interrupted"))
        raise
    server.idempotency.settle(scope, key, found, answer)
    return _response(answer)


async def _run(server: ServerState, access: Access, body: ExecuteBody, key: str | None, known: Entry | None) -> Answer:
    request = await asyncio.to_thread(_request, server, access, body, key)
    ticket = await server.executor.accept(request)
    if known is not None:
        known.execution_id = ticket.execution_id
    if body.mode == "wait":
        done, _ = await asyncio.wait({ticket.finished}, timeout=body.wait_s)
        if done:
            return _ended(ticket.finished.result(), request.workflow_id)
    return _begun(ticket, request.workflow_id)


def _request(server: ServerState, access: Access, body: ExecuteBody, key: str | None) -> ExecutionRequest:
    common: dict[str, Any] = {
        "params": body.params,
        "input": body.input,
        "trigger": "api",
        "mode": body.mode,
        "source": "POST /executions/execute",
        "idempotency_key": key,
        "user": access.principal.user.label,
    }
    if body.workflow_id == "new":
        organization = access.choose(body.organization_id)
        access.check(organization, Permission.WORKFLOW_WRITE)  # a definition from outside is code from outside
        flow = Flow.from_dict(body.definition, source="definition")
        return ExecutionRequest(flow=flow, module=module_of(body.module), organization_id=organization, **common)
    workflow = find_workflow(server, access, body.workflow_id)
    facts: dict[str, Any] = {"workflow_id": workflow.id, "organization_id": workflow.organization_id}
    if body.version is not None and body.version != workflow.version:
        version = server.workflows.version(workflow.id, body.version)
        return ExecutionRequest(flow=version.flow, module=version.module, version_id=version.id, **facts, **common)
    return ExecutionRequest(flow=workflow.flow, module=workflow.module, version_id=workflow.version_id, **facts, **common)


async def _again(server: ServerState, access: Access, found: Entry) -> Answer:
    """The answer that the first request got, or gets; after a restart, what the history knows."""
    if found.outcome is not None:
        outcome = await asyncio.shield(found.outcome)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
    row = await asyncio.to_thread(find_execution, server, access, UUID(found.execution_id))
    outputs = orjson.loads(row["outputs"]) if row["outputs"] else {}
    error = FaultAnswer(type=row["error_type"] or "Error", message=row["error_message"], node=row["error_node"]) if row["error_message"] else None
    return _answer(200 if row["status"] in ENDED else 202, row["execution_id"], row["workflow_id"], row["status"], outputs=outputs, error=error)


def _begun(ticket: Ticket, workflow_id: UUID | None) -> Answer:
    return _answer(202, ticket.execution_id, workflow_id, ExecutionStatus.PENDING)


def _ended(result: Result, workflow_id: UUID | None) -> Answer:
    error = FaultAnswer(type=result.error.type, message=result.error.message, node=result.error.node) if result.error else None
    return _answer(200, result.execution_id, workflow_id, result.status, outputs=dict(result.outputs), error=error)


def _answer(
    status: int, execution_id: Any, workflow_id: Any, state: str, *, outputs: dict[str, Any] | None = None, error: FaultAnswer | None = None
) -> Answer:
    """As `ResultAnswer` describes it, written by hand: outputs may be large, and hold bytes."""
    found = {
        "execution_id": str(execution_id),
        "workflow_id": str(workflow_id) if workflow_id else None,
        "status": str(state),
        "outputs": outputs or {},
        "error": error.model_dump() if error else None,
    }
    try:
        text = orjson.dumps(found, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # integers beyond 64 bits
        text = json.dumps(found, default=_plain).encode()
    return Answer(status, [(b"content-type", b"application/json")], text)


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes | bytearray) else str(value)


def _response(answer: Answer) -> Response:
    return Response(answer.body, status_code=answer.status, media_type="application/json")
