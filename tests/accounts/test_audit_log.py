from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nbflow.accounts.rights import Role
from nbflow.core.ids import new_id
from nbflow.store.audit import Actor


def test_an_entry_tells_who_what_and_from_where(directory, home, ada):
    key, _ = directory.create_key(home.organization.id, home.user.id, "script")
    actor = Actor(user_id=ada.id, api_key_id=key.id, address="192.0.2.7")

    made = directory.create_workspace(home.organization.id, "Reports", actor=actor)

    entry = directory.audit([home.organization.id], action="workspace.created")[0]
    assert (entry.user_name, entry.api_key_name, entry.address, entry.subject_id) == ("Ada", "script", "192.0.2.7", str(made.id))
    assert entry.before is None
    assert entry.after == {"name": "Reports", "description": ""}


def test_what_is_done_at_this_machine_has_no_user(directory, home):
    directory.create_workspace(home.organization.id, "Reports")

    entry = directory.audit([home.organization.id])[0]
    assert (entry.user_id, entry.user_name, entry.address) == (None, None, None)


def test_an_organization_sees_its_own_entries_only(directory, home, ada):
    lab = directory.organizations(ada.id)[0].organization
    directory.create_workspace(lab.id, "Secret plans")

    assert "workspace.created" not in [entry.action for entry in directory.audit([home.organization.id])]
    assert directory.audit([]) == []


def test_entries_are_filtered_and_come_in_pages(directory, home, ada):
    organization, start = home.organization.id, datetime.now(UTC)
    for name in "abc":
        directory.create_workspace(organization, name, actor=Actor(user_id=ada.id))
    directory.add_member(organization, ada.id, Role.VIEWER)

    by_ada = directory.audit([organization], user_id=ada.id)
    assert len(by_ada) == 3
    assert directory.audit([organization], subject_type="member", subject_id=str(ada.id))[0].action == "member.added"
    assert directory.audit([organization], before=by_ada[0].id, user_id=ada.id, limit=1) == by_ada[1:2]
    assert len(directory.audit([organization], since=start)) == 4
    assert directory.audit([organization], until=start - timedelta(days=1)) == []


def test_sessions_that_ended_are_known_by_their_id(directory, home):
    kept, ended = new_id(), new_id()
    for session in (kept, ended):
        directory.session_started(session, Actor(user_id=home.user.id), home.organization.id)
    directory.session_ended(ended, Actor(user_id=home.user.id), home.organization.id)

    assert directory.sessions_ended(datetime.now(UTC) - timedelta(hours=1)) == {str(ended)}
    assert directory.sessions_ended(datetime.now(UTC) + timedelta(hours=1)) == frozenset()
