"""Long lists come in pages: `{"items": [...], "next_cursor": ...}`, and the cursor asks for the next page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
R = TypeVar("R")

Cursor = Annotated[UUID | None, Query(description="`next_cursor` of the page before; without it, the first page.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Items in a page at most.")]


class Page(BaseModel, Generic[T]):
    """One page. `next_cursor` is null on the last one."""

    model_config = ConfigDict(extra="forbid")

    items: list[T]
    next_cursor: UUID | int | str | None = Field(default=None, description="Give it as `cursor` to get the next page; null: there is none.")


def page(rows: Sequence[R], limit: int, item: Callable[[R], T], id_of: Callable[[R], UUID]) -> Page[T]:
    """`rows` were asked for with `limit + 1`: one more than fits tells that there is a next page."""
    shown = rows[:limit]
    return Page(items=[item(row) for row in shown], next_cursor=id_of(shown[-1]) if len(rows) > limit else None)


def whole(items: Sequence[T]) -> Page[T]:
    """A list that is short by nature, in the same shape."""
    return Page(items=list(items), next_cursor=None)
