from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from nbflow.accounts.rights import Permission, Role
from nbflow.core.errors import ExpiredApiKeyError, RevokedApiKeyError, UnknownAccountError, UnknownApiKeyError
from nbflow.core.ids import new_id


def test_a_key_is_shown_once_and_kept_as_a_hash(directory, home, store):
    key, plain = directory.create_key(home.organization.id, home.user.id, "nightly", role=Role.MEMBER, scopes=[Permission.WORKFLOW_RUN])

    assert plain.startswith("nbf_")
    assert len(plain) == 47
    assert plain.startswith(key.prefix)
    assert (key.role, key.scopes) == (Role.MEMBER, (Permission.WORKFLOW_RUN,))
    assert directory.verify_key(plain) == key
    for table in ("api_keys", "audit_logs"):
        assert plain not in str(store.query(f"SELECT * FROM {table}").rows)
    assert store.query("SELECT key_hash FROM api_keys").rows == [(hashlib.sha256(plain.encode()).hexdigest(),)]


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: text + "x", lambda text: text.upper(), lambda text: "", lambda text: "nbf_"])
def test_another_text_is_no_key(directory, home, change):
    _, plain = directory.create_key(home.organization.id, home.user.id, "k")

    with pytest.raises(UnknownApiKeyError) as refused:
        directory.verify_key(change(plain))

    assert plain[12:] not in str(refused.value)


def test_a_revoked_key_is_refused_and_says_since_when(directory, home, actions):
    key, plain = directory.create_key(home.organization.id, home.user.id, "nightly")

    directory.revoke(key.id)
    directory.revoke(key.id)

    with pytest.raises(RevokedApiKeyError, match=rf"'nightly'.*revoked on {datetime.now(UTC):%Y}"):
        directory.verify_key(plain)
    assert actions(home.organization.id).count("api_key.revoked") == 1


def test_an_expired_key_is_refused(directory, home):
    _, plain = directory.create_key(home.organization.id, home.user.id, "k", expires_at=datetime.now(UTC) - timedelta(seconds=1))

    with pytest.raises(ExpiredApiKeyError, match="expired on"):
        directory.verify_key(plain)


def test_a_key_knows_when_it_ends_in_any_zone(directory, home):
    ends = datetime.fromisoformat("2100-01-01T01:00:00+02:00")

    key, plain = directory.create_key(home.organization.id, home.user.id, "k", expires_at=ends)

    assert key.expires_at == ends
    assert directory.verify_key(plain) == key


def test_keys_are_listed_by_organization_and_user_newest_first(directory, home, ada):
    lab = directory.organizations(ada.id)[0].organization
    keys = [directory.create_key(home.organization.id, home.user.id, name)[0] for name in "abc"]
    directory.create_key(lab.id, ada.id, "ada's")

    found = directory.keys([home.organization.id])
    assert {key.id for key in found} == {key.id for key in keys}
    assert [key.id for key in found] == sorted((key.id for key in keys), reverse=True)
    assert [key.name for key in directory.keys([home.organization.id, lab.id], user_id=ada.id)] == ["ada's"]
    assert directory.keys([home.organization.id], before=found[0].id, limit=1) == found[1:2]
    assert directory.keys([]) == []


def test_a_key_of_another_organization_is_not_found(directory, home, ada):
    key, _ = directory.create_key(home.organization.id, home.user.id, "k")

    assert directory.key_of([home.organization.id], key.id) == key
    with pytest.raises(UnknownAccountError, match="no API key"):
        directory.key_of([directory.organizations(ada.id)[0].organization.id], key.id)
    with pytest.raises(UnknownAccountError, match="no API key"):
        directory.key_of([home.organization.id], new_id())
