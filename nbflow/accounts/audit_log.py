"""Who changed what, read back. Written by `nbflow.store.audit.entry` in the transaction of each change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from nbflow.accounts.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One change. Without a user it was made at this machine, by notebook or command line. Names are the present ones."""

    id: UUID
    organization_id: UUID | None
    user_id: UUID | None
    user_name: str | None
    user_email: str | None
    api_key_id: UUID | None
    api_key_name: str | None
    action: str  # past participle: `workflow.updated`
    subject_type: str
    subject_id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    address: str | None
    created_at: datetime


class AuditLog(Stored):
    """See Directory."""

    def audit(
        self,
        organizations: Collection[UUID],
        *,
        action: str | None = None,
        subject_type: str | None = None,
        subject_id: str | None = None,
        user_id: UUID | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: UUID | None = None,
        limit: int = 50,
    ) -> list[AuditEntry]:
        """Newest first; `since` is included, `until` not; `before` is the last id of the page before."""
        filters = {"action": action, "subject_type": subject_type, "subject_id": subject_id, "user_id": user_id, "since": since, "until": until}
        rows = self._rows("audit", organizations=[str(id_) for id_ in organizations], **filters, before=before, limit=limit)
        return [_entry(row) for row in rows]


def _entry(row: dict[str, Any]) -> AuditEntry:
    data = orjson.loads(row.pop("data") or "{}")
    return AuditEntry(**row, before=data.get("before"), after=data.get("after"))
