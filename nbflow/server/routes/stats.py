"""GET /stats: the four figures of the overview."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from nbflow.accounts.rights import Permission
from nbflow.server.access import Access, require
from nbflow.server.schemas.base import Answer
from nbflow.server.state import State
from nbflow.store.sql import statements

router = APIRouter(tags=["server"])


class Stats(Answer):
    """Of your organizations."""

    total_workflows: int
    active_workflows: int
    executions_today: int = Field(description="Accepted in the last 24 hours.")
    success_rate: float | None = Field(description="Completed, of those completed or failed in the last 7 days: 0 to 1; null when there were none.")


@router.get("/stats", summary="The overview's figures")
def stats(server: State, access: Annotated[Access, require(Permission.EXECUTION_READ)]) -> Stats:
    """Counted now."""
    params = {
        "home": str(server.home),
        "organizations": sorted(map(str, access.organizations)),
        "now": datetime.now(UTC).replace(tzinfo=None),
    }
    row = server.store.query(statements("executions.sql")["stats"], params).dicts()[0]
    ended = row["ended_7d"]
    return Stats(
        total_workflows=row["total_workflows"],
        active_workflows=row["active_workflows"],
        executions_today=row["executions_today"],
        success_rate=row["completed_7d"] / ended if ended else None,
    )
