"""Sessions of browsers, as the audit log has them: when each was signed in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.accounts.stored import Stored
from nbflow.store.audit import entry

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from nbflow.store.audit import Actor


class SignIns(Stored):
    """See Directory."""

    def session_started(self, session_id: UUID, actor: Actor, organization_id: UUID | None) -> None:
        """Somebody signed in; `organization_id` says whose audit log tells it."""
        self.store.transact([entry(actor, "session.started", "session", session_id, organization_id=organization_id)])

    def session_ended(self, session_id: UUID, actor: Actor, organization_id: UUID | None) -> None:
        """Somebody signed out."""
        self.store.transact([entry(actor, "session.ended", "session", session_id, organization_id=organization_id)])

    def sessions_ended(self, since: datetime) -> frozenset[str]:
        """Ids of the sessions that were signed out since then."""
        return frozenset(row["subject_id"] for row in self._rows("sessions_ended", since=since))
