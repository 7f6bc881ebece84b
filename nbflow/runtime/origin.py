"""Where an execution comes from: who asked for what, and what it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Kept with the execution. Everything is optional: a cell that calls a flow has none of it.

    `trigger` is manual, webhook, schedule ...; `source` a place that people understand (`POST /orders`, a notebook). `user` None is
    the user of this process. `request` is JSON: all that another process needs to run the execution, so that it survives this one.
    """

    trigger: str = "manual"
    mode: Literal["wait", "queue"] = "wait"
    source: str = ""
    workflow_id: UUID | None = None
    version_id: UUID | None = None
    organization_id: UUID | None = None
    user: str | None = None
    parent_execution_id: str | None = None
    idempotency_key: str | None = None
    request: Any = None


@lru_cache(maxsize=1024)
def optional_text(value: UUID | None) -> str | None:
    """As a record keeps it."""
    return None if value is None else str(value)
