"""`/webhooks/...` as raw ASGI, a quarter of the cost of a FastAPI function: who may, what was sent, durably accepted, answered."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import NbflowError
from nbflow.server.errors import ApiError, answer_to
from nbflow.server.execution import ExecutionRequest
from nbflow.server.webhooks import answer
from nbflow.server.webhooks.authenticate import Authenticator
from nbflow.server.webhooks.cors import is_preflight
from nbflow.server.webhooks.idempotency import Entry, Idempotency, fingerprint, stored
from nbflow.server.webhooks.registry import Registry
from nbflow.server.webhooks.request import CallerGoneError, read_body, read_head
from nbflow.server.webhooks.signature import UsedSignatures
from nbflow.store.sql import statements
from nbflow.workflows.binding import bind

if TYPE_CHECKING:
    from nbflow.server.execution import Ticket
    from nbflow.server.executor import Executor
    from nbflow.server.settings import ServerSettings
    from nbflow.server.webhooks.answer import Answer
    from nbflow.server.webhooks.cors import RawHeaders
    from nbflow.server.webhooks.hook import Hook
    from nbflow.server.webhooks.request import WebhookRequest
    from nbflow.store.interface import Store
    from nbflow.vault.vault import Vault
    from nbflow.workflows.library import Workflows

logger = logging.getLogger(__name__)
_LINGER_BYTES = 1 << 20
_LINGER_S = 1.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", ""})


class WebhookEndpoint:
    """An ASGI application for any method under `prefix`: see `shortcut.py`. `start` it first."""

    def __init__(
        self, *, store: Store, workflows: Workflows, executor: Executor, vault: Vault, settings: ServerSettings, prefix: str = "/webhooks"
    ) -> None:
        self.registry = Registry(store, workflows, rate_limit=settings.rate_limit)
        self.most_bytes = settings.max_body_bytes
        self.executor = executor
        self.prefix = prefix
        self._store = store
        self._authenticator = Authenticator(vault, self.registry, allowed_hosts=settings.allowed_hosts)
        self._idempotency = Idempotency(store)
        self._signatures = UsedSignatures()
        self._explains_to_neighbours = settings.auth != "oidc"
        self._answering: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Reads the registry, and the idempotency keys and signatures of late. After `executor.start()`."""
        await self.registry.refresh()
        for signature, at in await self._idempotency.load():
            self._signatures.remember(signature, at)

    async def close(self) -> None:
        """Ends what still waits for answers. After `executor.drain()`."""
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await self._authenticator.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request."""
        more: RawHeaders = []
        try:
            request = read_head(scope, self.prefix)
            if self.registry.stale:
                await self.registry.refresh()
            if is_preflight(request.method, request.headers):
                await give(send, self._preflight(request, scope))
                return
            hook, params = self._found(request, scope, request.method)
            more = hook.cors.headers(request.headers)
            await give(send, await self._answer(hook, request, params, receive), more)
        except CallerGoneError:
            return
        except Exception as error:  # noqa: BLE001 -- whatever it is, the caller gets an answer
            await refuse(error, scope, receive, send, more)

    async def _answer(self, hook: Hook, request: WebhookRequest, params: dict[str, str], receive: Any) -> Answer:
        """Raises what keeps the request from being accepted."""
        hook.check_caller(request)
        if hook.config.auth != "none":
            await self._authenticator.check_head(hook, request)
        raw = await read_body(receive, request.headers, min(hook.config.max_body_bytes, self.most_bytes))
        signature = await self._authenticator.check_body(hook, request, raw) if hook.config.auth == "hmac" else None
        key = request.headers.get(hook.idempotency_header, "") if hook.idempotency_header else ""
        if not key and signature is None:
            return await self._waited(hook, await self._accept(hook, request, params, raw, None))
        return await self._once(hook, request, params, raw, key=key, signature=signature)

    async def _once(
        self, hook: Hook, request: WebhookRequest, params: dict[str, str], raw: bytes, *, key: str, signature: tuple[str, float] | None
    ) -> Answer:
        """For requests that say which one they are. The first is accepted; its equals get its answer; a replay is refused."""
        print_ = fingerprint(request.method.encode(), request.path.encode(), request.query, raw)
        entry: Entry | None = None
        if key:
            entry, first = await self._idempotency.claim(hook.scope, key, print_, hook.config.idempotency_window)
            if not first:
                return await self._again(hook, entry)
        try:
            if signature is not None:
                self._signatures.use(*signature)
            try:
                name = stored(hook.scope, key, print_, signature[0] if signature else "")
                ticket = await self._accept(hook, request, params, raw, name)
            except BaseException:
                if signature is not None:
                    self._signatures.free(signature[0])
                raise
        except BaseException as error:
            if entry is not None:
                self._idempotency.settle(hook.scope, key, entry, error if isinstance(error, Exception) else _interrupted())
            raise
        if entry is None:
            return await self._waited(hook, ticket)
        entry.execution_id = ticket.execution_id
        if hook.config.response_mode == "at_once":
            receipt = answer.receipt(hook.config, ticket.execution_id)
            self._idempotency.settle(hook.scope, key, entry, receipt)
            return receipt
        task = asyncio.create_task(self._settle(hook, key, entry, ticket))  # goes on when this caller has gone
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        return await self._again(hook, entry)

    async def _settle(self, hook: Hook, key: str, entry: Entry, ticket: Ticket) -> None:
        self._idempotency.settle(hook.scope, key, entry, await final(hook, ticket))

    async def _again(self, hook: Hook, entry: Entry) -> Answer:
        """The answer of the first of equal requests, as soon as there is one."""
        outcome = entry.outcome
        if outcome is not None:
            seconds = hook.config.response_timeout.total_seconds()
            if not outcome.done() and not (await asyncio.wait({outcome}, timeout=seconds))[0]:
                return answer.late(seconds, entry.execution_id or "")
            told = outcome.result()
            if isinstance(told, Exception):
                raise told
            return told
        execution_id = entry.execution_id or ""
        ticket = self.executor.ticket(execution_id)
        if ticket is not None:
            return await self._waited(hook, ticket)
        query = statements("webhooks.sql")["outcome"]
        rows = await asyncio.to_thread(self._store.query, query, {"execution_id": execution_id})
        status, outputs = rows.rows[0] if rows.rows else ("pruned", None)
        return answer.repeated(hook.config, execution_id, status, outputs)

    async def _accept(self, hook: Hook, request: WebhookRequest, params: dict[str, str], raw: bytes, key: str | None) -> Ticket:
        """Durable on return."""
        workflow = await self.registry.workflow(hook)
        value = request.value(raw, params, raw_body=hook.config.raw_body, secret_header=hook.secret_header)
        return await self.executor.accept(
            ExecutionRequest(
                flow=workflow.flow,
                module=workflow.module,
                params=bind(workflow.flow, value) if workflow.flow.parameters else {},
                input=value,
                trigger="webhook",
                mode="queue" if hook.config.response_mode == "at_once" else "wait",
                source=hook.source,
                workflow_id=workflow.id,
                version_id=workflow.version_id,
                organization_id=workflow.organization_id,
                idempotency_key=key,
            )
        )

    async def _waited(self, hook: Hook, ticket: Ticket) -> Answer:
        """As the response mode says, as long as the caller is to wait."""
        if hook.config.response_mode == "at_once":
            return answer.receipt(hook.config, ticket.execution_id)
        waited: asyncio.Future[Any] = ticket.finished if hook.config.response_mode == "last_node" else ticket.responded
        seconds = hook.config.response_timeout.total_seconds()
        if not waited.done() and not await _done_within(waited, seconds):
            return answer.late(seconds, ticket.execution_id)
        return await final(hook, ticket)

    def _preflight(self, request: WebhookRequest, scope: Any) -> Answer:
        """For the method that the browser asks about; the hook of another method does not speak for it."""
        asked = request.headers["access-control-request-method"].upper()
        headers = self._found(request, scope, asked)[0].cors.preflight(request.headers, self.registry.methods(request.segments))
        return answer.Answer(204, headers, b"")

    def _found(self, request: WebhookRequest, scope: Any, method: str) -> tuple[Hook, dict[str, str]]:
        found = self.registry.match(method, request.segments)
        if found is not None:
            return found
        principal = (scope.get("state") or {}).get("principal")
        neighbour = request.address in _LOOPBACK and "x-forwarded-for" not in request.headers and "forwarded" not in request.headers
        raise self.registry.miss(
            method,
            request.segments,
            trusted=principal is not None or (neighbour and self._explains_to_neighbours),
            organizations=principal.organizations if principal is not None else None,
        )


def _interrupted() -> ApiError:
    msg = "the first request with this idempotency key was interrupted before it was accepted; send it again"
    return ApiError(503, "interrupted", msg, headers={"Retry-After": "1"})


async def _done_within(future: asyncio.Future[Any], seconds: float) -> bool:
    """As `asyncio.wait` with a timeout does it for one future, without its sets and checks."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake(_: object = None) -> None:
        if not waiter.done():
            waiter.set_result(None)

    timer = loop.call_later(seconds, wake)
    future.add_done_callback(wake)
    try:
        await waiter
    finally:
        timer.cancel()
        future.remove_done_callback(wake)
    return future.done()


async def final(hook: Hook, ticket: Ticket) -> Answer:
    """The answer at the end of an execution that somebody waits for."""
    if hook.config.response_mode == "respond_node":
        return answer.of_response(hook.config, await asyncio.shield(ticket.responded), ticket.execution_id)
    return answer.of_result(hook.config, ticket.finished.result() if ticket.finished.done() else await asyncio.shield(ticket.finished))


async def give(send: Any, given: Answer, more: RawHeaders | None = None) -> None:
    """Sends an answer."""
    await send({"type": "http.response.start", "status": given.status, "headers": given.headers + more if more else given.headers})
    await send({"type": "http.response.body", "body": given.body})


async def refuse(error: Exception, scope: Any, receive: Any, send: Any, more: RawHeaders) -> None:
    """Answers an error in the one shape. What was not foreseen is logged, and told to nobody else."""
    if not isinstance(error, NbflowError):
        logger.error("webhook %s %s failed", scope["method"], scope["path"], exc_info=error)
    response = answer_to(error, scope)
    response.raw_headers.extend(more)
    if response.headers.get("connection") != "close":
        await response(scope, receive, send)
        return
    # The caller still sends. Closing at once would reset the connection, and the answer might never be read.
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    left, deadline = _LINGER_BYTES, asyncio.get_running_loop().time() + _LINGER_S
    try:
        async with asyncio.timeout_at(deadline):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    break
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})
