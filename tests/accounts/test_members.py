from __future__ import annotations

import pytest

from nbflow.accounts.rights import Role
from nbflow.core.errors import AccountConflictError, LastOwnerError, UnknownAccountError
from nbflow.core.ids import new_id
from nbflow.store.audit import Actor


@pytest.fixture
def lab(directory, ada):
    return directory.organizations(ada.id)[0].organization


def test_a_user_becomes_a_member_with_a_role(directory, lab, bob, ada):
    member = directory.add_member(lab.id, bob.id, Role.VIEWER, actor=Actor(user_id=ada.id))

    assert (member.user.id, member.role, member.invited_by) == (bob.id, Role.VIEWER, ada.id)
    assert {found.user.id for found in directory.members(lab.id)} == {ada.id, bob.id}


def test_a_member_cannot_be_added_again(directory, lab, bob, actions):
    directory.add_member(lab.id, bob.id, Role.VIEWER)

    with pytest.raises(AccountConflictError, match="change the role instead"):
        directory.add_member(lab.id, bob.id, Role.OWNER)
    with pytest.raises(AccountConflictError, match="change the role instead"):
        directory.invite(lab.id, "ada@example.org", Role.VIEWER)

    assert directory.member(lab.id, bob.id).role is Role.VIEWER
    assert actions(lab.id).count("member.added") == 1


def test_whoever_has_the_address_already_becomes_the_member(directory, lab, home, ada):
    assert directory.invite(home.organization.id, "ADA@example.org", Role.VIEWER).user.id == ada.id


def test_an_invitation_is_in_the_audit_log_with_its_address(directory, lab):
    directory.invite(lab.id, "new@example.org", Role.GUEST)

    assert directory.audit([lab.id], action="member.added")[0].after == {"role": "guest", "invited": "new@example.org"}


def test_an_unknown_user_cannot_be_added(directory, lab):
    with pytest.raises(UnknownAccountError, match="no user"):
        directory.add_member(lab.id, new_id(), Role.VIEWER)


def test_a_role_is_changed_and_the_audit_log_tells_from_what_to_what(directory, lab, bob):
    directory.add_member(lab.id, bob.id, Role.VIEWER)

    directory.change_member(lab.id, bob.id, Role.ADMIN)

    entry = directory.audit([lab.id], action="member.changed")[0]
    assert (entry.subject_id, entry.before, entry.after) == (str(bob.id), {"role": "viewer"}, {"role": "admin"})


@pytest.mark.parametrize("change", ["demote", "remove"])
def test_the_last_owner_stays(directory, lab, ada, bob, change, actions):
    directory.add_member(lab.id, bob.id, Role.ADMIN)
    before = actions(lab.id)

    with pytest.raises(LastOwnerError, match="make another member owner first"):
        directory.change_member(lab.id, ada.id, Role.ADMIN) if change == "demote" else directory.remove_member(lab.id, ada.id)

    assert directory.member(lab.id, ada.id).role is Role.OWNER
    assert actions(lab.id) == before

    directory.change_member(lab.id, bob.id, Role.OWNER)
    directory.remove_member(lab.id, ada.id)
    assert [member.user.id for member in directory.members(lab.id)] == [bob.id]


def test_removing_a_member_revokes_their_keys_here_and_nowhere_else(directory, lab, home, bob):
    own = directory.organizations(bob.id)[0].organization
    directory.add_member(lab.id, bob.id, Role.DEVELOPER)
    here, _ = directory.create_key(lab.id, bob.id, "here")
    there, _ = directory.create_key(own.id, bob.id, "there")

    directory.remove_member(lab.id, bob.id)

    assert directory.key(here.id).revoked_at is not None
    assert directory.key(there.id).revoked_at is None
    with pytest.raises(UnknownAccountError, match="no member"):
        directory.member(lab.id, bob.id)


def test_a_member_who_comes_back_does_not_get_the_old_keys_back(directory, lab, bob):
    directory.add_member(lab.id, bob.id, Role.DEVELOPER)
    key, _ = directory.create_key(lab.id, bob.id, "old")
    directory.remove_member(lab.id, bob.id)

    directory.add_member(lab.id, bob.id, Role.DEVELOPER)

    assert directory.key(key.id).revoked_at is not None


def test_the_person_at_this_machine_stays_in_the_default_organization(directory, home, ada):
    directory.add_member(home.organization.id, ada.id, Role.OWNER)

    with pytest.raises(AccountConflictError, match="person at this machine"):
        directory.remove_member(home.organization.id, home.user.id)


def test_members_come_in_pages(directory, lab, ada, bob):
    directory.add_member(lab.id, bob.id, Role.VIEWER)
    first = directory.members(lab.id, limit=1)

    rest = directory.members(lab.id, after=first[0].user.id, limit=10)

    assert [member.user.id for member in first + rest] == sorted([ada.id, bob.id])
