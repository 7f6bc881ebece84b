from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from itsdangerous import TimestampSigner

from nbflow.core.errors import SessionEndedError, StoreError
from nbflow.server.auth.session import Sessions, session_secret
from nbflow.server.settings import ServerSettings

SECRET = b"k" * 32


def sessions(secret=SECRET, **settings):
    return Sessions(ServerSettings(**{"token": "the-token-of-the-tests", **settings}), secret)


def test_a_cookie_says_whose_session_it_is():
    made, user = sessions(), uuid4()

    session, cookie = made.issue(user)

    assert made.read(cookie) == session
    assert session.user_id == user


def test_each_sign_in_is_another_session():
    made, user = sessions(), uuid4()

    assert made.issue(user)[0].id != made.issue(user)[0].id


@pytest.mark.parametrize(
    "other",
    [
        {"secret": b"x" * 32},
        {"token": "another-token-of-the-tests"},
        {"auth": "none"},
        {"auth": "oidc", "oidc": {"issuer": "https://id.example.org", "client_id": "nbflow"}},
    ],
)
def test_a_cookie_of_another_way_to_sign_in_is_not_read(other):
    _, cookie = sessions(**other).issue(uuid4())

    with pytest.raises(SessionEndedError, match="sign in again"):
        sessions().read(cookie)


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1], lambda text: "x" + text, lambda text: text.upper(), lambda text: "", lambda text: "a.b.c"]
)
def test_a_changed_cookie_is_not_read(change):
    _, cookie = sessions().issue(uuid4())

    with pytest.raises(SessionEndedError):
        sessions().read(change(cookie))


def test_what_was_sealed_for_an_attempt_is_no_session():
    made = sessions()

    with pytest.raises(SessionEndedError):
        made.read(made.seal([uuid4().hex, uuid4().hex]))
    assert made.unseal(made.issue(uuid4())[1], 600) is None


class LastYear(TimestampSigner):
    def get_timestamp(self):
        return super().get_timestamp() - 365 * 24 * 3600


def test_a_session_ends_by_itself():
    old = sessions()
    old._serializer.signer = LastYear

    with pytest.raises(SessionEndedError, match="as long as this server allows"):
        sessions().read(old.issue(uuid4())[1])


def test_the_key_is_made_once_and_readable_by_its_user_only(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: session_secret(ServerSettings(), tmp_path), range(8)))

    assert len(found) == 1
    assert stat.S_IMODE((tmp_path / "session.key").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["session.key"]


def test_a_key_from_the_settings_leaves_no_file(tmp_path):
    assert session_secret(ServerSettings(session_secret="s" * 32), tmp_path) == b"s" * 32
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_each_start_has_its_own_key():
    assert session_secret(ServerSettings(), None) != session_secret(ServerSettings(), None)


def test_a_folder_that_is_gone_is_told(tmp_path):
    with pytest.raises(StoreError, match="gone"):
        session_secret(ServerSettings(), tmp_path / "gone" / ".nbflow")
