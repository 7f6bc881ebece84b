"""GET /health: whether the server lives and can do its work."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from nbflow.core.errors import StoreError
from nbflow.server.schemas.base import Answer
from nbflow.server.state import ServerState, State

router = APIRouter(tags=["server"])
STORE_S = 2.0


class Health(Answer):
    """`ok` when every check is ok."""

    status: Literal["ok", "failing", "stopping"]
    checks: dict[str, str] = Field(
        description="By part: `ok`, or what is wrong. Pages that nobody has opened yet are `closed`.",
        examples=[{"store": "ok", "executor": "ok", "workers": "2", "pages": "open"}],
    )


@router.get("/health", summary="Whether it lives and is ready", responses={503: {"model": Health, "description": "Not ready: a check says why."}})
async def health(
    server: State,
    response: Response,
    probe: Annotated[Literal["ready", "live"], Query(description="`live` asks only whether the process answers.")] = "ready",
) -> Health:
    """Open to everybody. Ready means: the store answers and executions are accepted."""
    if probe == "live":
        return Health(status="ok", checks={"process": "ok"})
    checks = await _checks(server)
    failing = any(checks[name] != "ok" for name in ("store", "executor"))
    status: Literal["ok", "failing", "stopping"] = "stopping" if server.stopping else "failing" if failing else "ok"
    if status != "ok":
        response.status_code = 503
    return Health(status=status, checks=checks)


async def _checks(server: ServerState) -> dict[str, str]:
    """Who is not signed in may see this: words, no paths and no names."""
    queue = server.executor.status()
    executor = "stopping" if queue.draining else "full" if queue.waiting >= queue.queue_limit else "ok"
    return {"store": await asyncio.to_thread(_store, server), "executor": executor, "workers": str(len(queue.workers)), "pages": server.pages.status}


def _store(server: ServerState) -> str:
    try:
        server.store.query("SELECT 1", timeout_s=STORE_S)
    except StoreError as error:
        return f"failing: {type(error).__name__}"
    return "ok"
