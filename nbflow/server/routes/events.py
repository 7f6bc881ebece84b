"""GET /executions/{id}/events: an execution told live, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import StreamingResponse

from nbflow.server.errors import ApiError, responses
from nbflow.server.feed import FeedEvent
from nbflow.server.gate import Watch
from nbflow.server.routes.executions import Reading, find_execution
from nbflow.server.schemas.execution import FaultAnswer, LiveEvent
from nbflow.server.state import State

router = APIRouter(prefix="/executions", tags=["executions"])
HEARTBEAT_S = 15.0  # proxies close connections on which nothing comes for a minute
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold the events back
_EXAMPLE = 'id: 0\nevent: accepted\ndata: {"execution_id": "0199...", "seq": 0, "kind": "accepted", "at": "2026-11-23T09:00:00Z", ...}\n\n'
_EVENT = {"type": "object", "properties": {name: {"type": "string"} for name in ("id", "event", "data")}, "required": ["event", "data"]}
_CONTENT = {"schema": _EVENT, "example": _EXAMPLE}


class EventStream(StreamingResponse):
    """As in https://html.spec.whatwg.org/multipage/server-sent-events.html."""

    media_type = "text/event-stream"


@router.get(
    "/{execution_id:uuid}/events",
    summary="Follow an execution",
    response_class=EventStream,
    responses={
        **responses(404),
        200: {"description": "`data` of each event is a LiveEvent.", "content": {"text/event-stream": _CONTENT}},
    },
)
async def follow_execution(
    *,
    request: Request,
    server: State,
    access: Reading,
    execution_id: UUID,
    last_event_id: Annotated[str | None, Header(description="Id of the last event you have got: browsers send it when they reconnect.")] = None,
    after: Annotated[int | None, Query(ge=-1, le=2**62, description="The same as Last-Event-ID, for callers that cannot set headers.")] = None,
) -> StreamingResponse:
    """Everything from the beginning (or after `Last-Event-ID`), then what comes; ends after `finished`. Nothing is lost or told twice.

    An event's type is its `kind`. `: ` lines are heartbeats.
    """
    await asyncio.to_thread(find_execution, server, access, execution_id)
    events = server.feed.follow(execution_id, _last(last_event_id, after))
    return EventStream(_stream(events, request.state.watch), headers=_HEADERS)


def _last(header: str | None, after: int | None) -> int:
    if not header:
        return -1 if after is None else after
    try:
        return min(max(int(header), -1), 2**62)
    except ValueError:
        msg = f"Last-Event-ID is '{header[:40]}'; it is the number that the last event had as its id"
        raise ApiError(422, "bad_last_event_id", msg) from None


async def _stream(events: AsyncIterator[FeedEvent], watch: Watch) -> AsyncIterator[str]:
    """Events as text, with heartbeats between them; ends when its caller is signed out."""
    coming: asyncio.Task[FeedEvent] | None = None
    yield "retry: 1000\n"  # milliseconds; part of the first event
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({coming}, timeout=HEARTBEAT_S)
            if not await watch.may_go_on():
                return
            if not done:
                yield ": still here\n\n"
                continue
            try:
                event = coming.result()
            except StopAsyncIteration:
                return
            coming = None
            yield _text(event)
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await events.aclose()  # type: ignore[attr-defined]  # an async generator


def _text(event: FeedEvent) -> str:
    data = live_event(event).model_dump_json(exclude_none=True)
    id_ = f"id: {event.seq}\n" if event.seq is not None else ""
    return f"{id_}event: {event.kind}\ndata: {data}\n\n"


def live_event(event: FeedEvent) -> LiveEvent:
    """A record of the journal in the words of the API."""
    data = event.data
    duration = data.get("duration_ms") if "duration_ms" in data else data["duration"] / 1e6 if data.get("duration") is not None else None
    has_error = data.get("error_type") or data.get("error_message")
    node = event.node or data.get("error_node")
    return LiveEvent(
        execution_id=event.execution_id,
        seq=event.seq,
        kind=event.kind,  # type: ignore[arg-type]  # the feed's own words
        at=event.at,
        node=event.node,
        path=event.path,
        status=event.status,
        node_type=data.get("node_type"),
        attempt=data.get("attempt"),
        duration_ms=duration,
        outputs=data.get("outputs"),
        error=FaultAnswer(type=data.get("error_type") or "Error", message=data.get("error_message") or "", node=node) if has_error else None,
    )
