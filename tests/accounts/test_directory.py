from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from nbflow.accounts.directory import Directory
from nbflow.accounts.rights import Role
from nbflow.accounts.user import Identity


def someone(subject="ada", **facts):
    return Identity(issuer="https://id.example.org", subject=subject, **facts)


def test_the_person_at_this_machine_has_an_organization_and_a_workspace(home):
    assert home.user.subject == "local"
    assert home.organization.slug == "default"
    assert home.workspace.organization_id == home.organization.id
    assert home.role is Role.OWNER


def test_they_are_made_once_whoever_asks_at_the_same_time(store):
    with ThreadPoolExecutor(8) as pool:
        homes = list(pool.map(lambda _: Directory(store).default(), range(8)))

    assert len({(found.user.id, found.organization.id, found.workspace.id) for found in homes}) == 1
    assert store.query("SELECT count(*) FROM users").rows == [(1,)]


def test_somebody_new_gets_an_account_an_organization_and_a_workspace(directory, home, actions):
    ada = directory.sync(someone(name="Ada", email="ada@example.org", email_verified=True), address="192.0.2.1")

    [membership] = directory.organizations(ada.id)
    assert (membership.organization.name, membership.role) == ("Ada", Role.OWNER)
    assert membership.organization.id != home.organization.id
    assert [space.name for space in directory.workspaces([membership.organization.id])] == ["Default"]
    [entry] = directory.audit([membership.organization.id])
    assert (entry.action, entry.user_id, entry.address) == ("organization.created", ada.id, "192.0.2.1")


def test_somebody_new_is_made_once_whoever_asks_at_the_same_time(store):
    with ThreadPoolExecutor(8) as pool:
        users = list(pool.map(lambda _: Directory(store).sync(someone()), range(8)))

    assert len({user.id for user in users}) == 1
    assert store.query("SELECT count(*) FROM organizations").rows == [(2,)]


def test_the_default_organization_stays_that_of_this_machine_whoever_comes_first(directory):
    ada = directory.sync(someone(name="default"))

    home = directory.default()
    assert home.user.id != ada.id
    assert directory.organizations(ada.id)[0].organization.slug == "default-2"


def test_the_same_subject_of_another_issuer_is_another_person(directory):
    one = directory.sync(someone())
    other = directory.sync(Identity(issuer="https://elsewhere.example", subject="ada"))

    assert one.id != other.id


def test_what_the_provider_tells_anew_is_kept_and_what_it_leaves_out_stays(directory):
    directory.sync(someone(name="Ada", email="ada@example.org", email_verified=True))

    renamed = directory.sync(someone(name="Ada Lovelace"))

    assert (renamed.name, renamed.email) == ("Ada Lovelace", "ada@example.org")


def test_an_unverified_address_is_not_kept(directory):
    assert directory.sync(someone(email="boss@example.org")).email is None


def test_an_invitation_waits_for_whoever_has_the_address(directory, home):
    invited = directory.invite(home.organization.id, "Ada@Example.org", Role.DEVELOPER)
    assert invited.user.subject is None

    stranger = directory.sync(someone("eve", email="ada@example.org", email_verified=False))
    ada = directory.sync(someone("ada", email="ada@example.org", email_verified=True))

    assert stranger.id != invited.user.id
    assert ada.id == invited.user.id
    assert [(found.organization.id, found.role) for found in directory.organizations(ada.id)] == [(home.organization.id, Role.DEVELOPER)]


def test_an_invitation_is_taken_once(directory, home):
    directory.invite(home.organization.id, "ada@example.org", Role.DEVELOPER)
    first = directory.sync(someone("ada", email="ada@example.org", email_verified=True))
    second = directory.sync(someone("another", email="ada@example.org", email_verified=True))

    assert first.id != second.id
    assert home.organization.id not in {found.organization.id for found in directory.organizations(second.id)}


def test_who_owns_the_default_organization_gets_no_other(directory, home):
    ada = directory.sync(someone(), owns_default=True)

    assert [(found.organization.id, found.role) for found in directory.organizations(ada.id)] == [(home.organization.id, Role.OWNER)]
    assert directory.home(home.organization.id) == home.workspace


def test_who_is_invited_and_owns_the_default_organization_is_a_member_once(directory, home):
    directory.invite(home.organization.id, "ada@example.org", Role.DEVELOPER)

    ada = directory.sync(someone(email="ada@example.org", email_verified=True), owns_default=True)

    assert len(directory.organizations(ada.id)) == 1
