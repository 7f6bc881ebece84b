"""The one door to accounts."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from nbflow.accounts.api_key import ApiKeys
from nbflow.accounts.audit_log import AuditLog
from nbflow.accounts.member import Members
from nbflow.accounts.organization import DEFAULT_SLUG, Organization, Organizations
from nbflow.accounts.session import SignIns
from nbflow.accounts.stored import now, statement
from nbflow.accounts.user import LOCAL_SUBJECT, Identity, User, Users
from nbflow.accounts.workspace import Workspaces
from nbflow.core.errors import QueryError
from nbflow.core.ids import new_id
from nbflow.core.states import Role
from nbflow.store.audit import LOCAL, Actor, entry

if TYPE_CHECKING:
    from uuid import UUID

    from nbflow.accounts.stored import Statement
    from nbflow.accounts.workspace import Workspace

_SEEN_EVERY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Home:
    """Where somebody's things go when nothing else is said."""

    user: User
    organization: Organization
    workspace: Workspace
    role: Role


class Directory(Users, Organizations, Members, Workspaces, ApiKeys, SignIns, AuditLog):
    """Users, organizations with their members and workspaces, API keys, and who changed what.

    Synchronous: on an event loop use `asyncio.to_thread`. Each change and its audit entry are one transaction.
    """

    def default(self) -> Home:
        """The person at this machine, who owns the default organization; made on first need (once, whoever asks at the same time)."""
        found = self._rows("default_home", subject=LOCAL_SUBJECT, slug=DEFAULT_SLUG)
        if not found:
            user_id = new_id()
            _, organization = self._new_organization("Default", user_id, LOCAL, slug=DEFAULT_SLUG)
            user = statement("user_add", id=user_id, subject=LOCAL_SUBJECT, email=None, name=_login_name(), now=now(), seen=None)
            self._unless("default_made", [statement("guard_no_default", slug=DEFAULT_SLUG), user, *organization])
            found = self._rows("default_home", subject=LOCAL_SUBJECT, slug=DEFAULT_SLUG)
        [home] = found
        organization_id = home["organization_id"]
        return Home(
            user=self.user(home["user_id"]),
            organization=self.organization(organization_id),
            workspace=self.workspaces([organization_id], limit=1)[0],
            role=Role(home["role"]),
        )

    def home(self, organization_id: UUID) -> Workspace:
        """Where a new workflow of an organization goes when no workspace is named: its oldest."""
        return self.workspaces([organization_id], limit=1)[0]

    def sync(self, identity: Identity, *, owns_default: bool = False, address: str | None = None) -> User:
        """The user whom an identity provider vouches for, with the name and (verified) address it tells now.

        On first sight: whoever was invited by the verified address takes that over; `owns_default` makes an owner of the default
        organization; who then is nobody's member gets an organization and a workspace of their own.
        """
        default = self.default()  # the oldest organization, always
        user = self.user_of(identity)
        if user is None:
            self._welcome(identity, default.organization if owns_default else None, address)
            user = self.user_of(identity)
        if user is None:  # pragma: no cover -- the transaction has just written it
            msg = f"user '{identity.key}' vanished while signing in"
            raise RuntimeError(msg)
        return self._refresh(user, identity)

    def _welcome(self, identity: Identity, owned: Organization | None, address: str | None) -> None:
        invited = self._rows("invitation", email=identity.address) if identity.address else []
        user_id: UUID = invited[0]["id"] if invited else new_id()
        person = {"id": user_id, "subject": identity.key, "email": identity.address, "name": identity.name, "now": now()}
        actor = Actor(user_id=user_id, address=address)
        made = entry(actor, "user.signed_up", "user", user_id, after={"email": identity.address, "name": identity.name})
        changes: list[Statement] = [statement("guard_subject", subject=identity.key), made]
        if invited:
            changes += [statement("guard_invitation", id=user_id), statement("user_update", **person)]
        else:
            changes.append(statement("user_add", **person, seen=person["now"]))
        if owned is not None and not self._rows("members", organization_id=owned.id, user_id=user_id, after=None, limit=1):
            whose = {"organization_id": owned.id, "user_id": user_id}
            changes.append(statement("member_add", **whose, role="owner", invited_by=None, now=person["now"]))
            changes.append(entry(actor, "member.added", "member", user_id, organization_id=owned.id, after={"role": "owner"}))
        elif not (invited and self.organizations(user_id)):
            name = identity.name or (identity.address or "").partition("@")[0] or "My organization"
            changes += self._new_organization(name, user_id, actor)[1]
        self._unless("subject_taken", changes)

    def _refresh(self, user: User, identity: Identity) -> User:
        told = {"email": identity.address or user.email, "name": identity.name or user.name}
        if told != {"email": user.email, "name": user.name}:
            self.store.transact([statement("user_update", id=user.id, subject=user.subject, **told, now=now())])
            return self.user(user.id)
        if user.last_seen_at is None or now() - user.last_seen_at > _SEEN_EVERY:
            self.seen(user.id)
        return user

    def _unless(self, guard: str, changes: list[Statement]) -> None:
        """Does all of it, or nothing where somebody else was quicker."""
        try:
            self.store.transact(changes)
        except QueryError as error:
            if f"nbflow:{guard}" not in str(error):
                raise


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "me"
