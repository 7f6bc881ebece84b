"""`/webhooks-test/...`: for development. Signed in, a request runs the latest saved definition, active or not, and hears everything about it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from nbflow.accounts.rights import Permission
from nbflow.server.errors import ApiError
from nbflow.server.execution import ExecutionRequest
from nbflow.server.webhooks import answer
from nbflow.server.webhooks.endpoint import final, give, refuse
from nbflow.server.webhooks.request import CallerGoneError, read_body, read_head
from nbflow.workflows.binding import bind

if TYPE_CHECKING:
    from nbflow.server.execution import Result, Ticket
    from nbflow.server.principal import Principal
    from nbflow.server.webhooks.answer import Answer
    from nbflow.server.webhooks.endpoint import WebhookEndpoint
    from nbflow.server.webhooks.hook import Hook

_SHOWN = 64 * 1024  # characters of the answer's body


class TrialEndpoint:
    """An ASGI application behind the gate: `Route("/webhooks-test/{path:path}", endpoint=TrialEndpoint(endpoint))`.

    The webhook's own checks (auth, rate, origins, idempotency) are left out: the caller is known, and repeats on purpose.
    """

    def __init__(self, endpoint: WebhookEndpoint, *, prefix: str = "/webhooks-test") -> None:
        self._endpoint = endpoint
        self._prefix = prefix

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request."""
        try:
            await give(send, await self._answer(scope, receive))
        except CallerGoneError:
            return
        except Exception as error:  # noqa: BLE001 -- whatever it is, the caller gets an answer
            await refuse(error, scope, receive, send, [])

    async def _answer(self, scope: Any, receive: Any) -> Answer:
        principal: Principal | None = (scope.get("state") or {}).get("principal")
        if principal is None:
            msg = "test URLs are for those who are signed in: send the server's token or an API key as Authorization: Bearer"
            raise ApiError(401, "not_signed_in", msg, headers={"WWW-Authenticate": "Bearer"})
        request = read_head(scope, self._prefix)
        registry = self._endpoint.registry
        await registry.refresh()
        found = registry.any_match(request.method, request.segments, principal.organizations)
        if found is None:
            raise registry.miss_of_trial(request.method, request.segments, principal.organizations)
        hook, params = found
        if not principal.may(Permission.WORKFLOW_RUN, hook.organization_id):
            msg = f"your role may not run workflows of this organization (permission {Permission.WORKFLOW_RUN})"
            raise ApiError(403, "forbidden", msg)
        raw = await read_body(receive, request.headers, min(hook.config.max_body_bytes, self._endpoint.most_bytes))
        workflow = await registry.workflow(hook)
        value = request.value(raw, params, raw_body=hook.config.raw_body, secret_header=hook.secret_header)
        ticket = await self._endpoint.executor.accept(
            ExecutionRequest(
                flow=workflow.flow,
                module=workflow.module,
                params=bind(workflow.flow, value) if workflow.flow.parameters else {},
                input=value,
                trigger="webhook",
                source=f"test {hook.source}",
                workflow_id=workflow.id,
                version_id=workflow.version_id,
                organization_id=workflow.organization_id,
                user=principal.user.name or principal.user.email,
            )
        )
        return await _report(hook, ticket)


async def _report(hook: Hook, ticket: Ticket) -> Answer:
    """The result, and what a caller of the real URL would have got."""
    seconds = hook.config.response_timeout.total_seconds()
    done, _ = await asyncio.wait({ticket.finished}, timeout=seconds)
    if not done:
        return answer.late(seconds, ticket.execution_id)
    result: Result = ticket.finished.result()
    given = answer.receipt(hook.config, ticket.execution_id) if hook.config.response_mode == "at_once" else await final(hook, ticket)
    report = {
        "execution_id": result.execution_id,
        "status": result.status,
        "outputs": result.outputs,
        "error": result.error._asdict() if result.error else None,
        "answer": {
            "status": given.status,
            "headers": {name.decode("latin-1"): text.decode("latin-1") for name, text in given.headers},
            "body": given.body.decode("utf-8", "replace")[:_SHOWN],
        },
    }
    return answer.made(200, answer.as_json(report), b"application/json", result.execution_id)
