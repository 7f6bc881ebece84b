"""Who changed what: the entry goes into the same transaction as the change, so that neither can be there alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbflow.core.ids import new_id
from nbflow.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who acts: a signed-in user, an API key of theirs, or (all None) the person at this machine."""

    user_id: UUID | None = None
    api_key_id: UUID | None = None
    address: str | None = None  # of the caller, as the server saw it


LOCAL = Actor()
"""Notebook and command line."""


def entry(
    actor: Actor,
    action: str,
    subject_type: str,
    subject_id: UUID | str,
    *,
    organization_id: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> tuple[str, dict[str, Any]]:
    """The statement, for `Store.transact`, that writes one entry. `action` is a past participle such as `workflow.updated`.

    `before` and `after` are JSON-able and hold no secrets: of a credential its name and type, never its values.
    """
    import orjson

    return statements("audit.sql")["insert"], {
        "id": str(new_id()),
        "organization_id": _text(organization_id),
        "user_id": _text(actor.user_id),
        "api_key_id": _text(actor.api_key_id),
        "action": action,
        "subject_type": subject_type,
        "subject_id": str(subject_id),
        "data": orjson.dumps({"before": before, "after": after}, default=str).decode(),
        "address": actor.address,
        "created_at": datetime.now(UTC).replace(tzinfo=None),
    }


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)
