import stat
import threading

import pytest

from nbflow.core.errors import CredentialError, StoreError
from nbflow.core.redaction import redactor
from nbflow.vault.cipher import Key
from nbflow.vault.key import ENTRY, Keys
from nbflow.vault.os_keyring import OsKeyring


class Entries(OsKeyring):
    """A keyring with known entries."""

    def __init__(self, **entries):
        super().__init__()
        self.entries = entries

    def get(self, name):
        return self.entries.get(name)


def keys(folder, environment=None, **entries):
    return Keys(folder, environment=environment or {}, keyring=Entries(**entries))


def test_the_first_use_makes_a_file_that_only_its_owner_reads(tmp_path):
    sealed = keys(tmp_path).seal(b"x", b"")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert keys(tmp_path).open(sealed, b"") == b"x"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key"]


def test_of_many_first_uses_at_once_all_use_the_same_key(tmp_path):
    sealed = []
    threads = [threading.Thread(target=lambda: sealed.append(keys(tmp_path).seal(b"x", b""))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [keys(tmp_path).open(one, b"") for one in sealed] == [b"x"] * 16


def test_the_environment_comes_first_then_the_keyring_then_the_file(tmp_path):
    in_file, in_keyring, in_environment = (Key.new() for _ in range(3))
    (tmp_path / "key").write_text(in_file.text())
    entries = {ENTRY: in_keyring.text()}
    assert keys(tmp_path).current() == in_file.id
    assert keys(tmp_path, **entries).current() == in_keyring.id
    assert keys(tmp_path, {"NBFLOW_KEY": in_environment.text()}, **entries).current() == in_environment.id


def test_earlier_keys_still_open_what_they_sealed(tmp_path):
    old, new = Key.new(), Key.new()
    several = keys(tmp_path, {"NBFLOW_KEY": f"{new.text()},{old.text()}"})
    assert several.open(old.seal(b"x", b""), b"") == b"x"
    assert several.current() == new.id


def test_a_missing_key_is_named_with_the_place_where_it_is_missing(tmp_path):
    lost = Key.new()
    keys(tmp_path).seal(b"x", b"")
    with pytest.raises(CredentialError, match=rf"key {lost.id}, which is not in .*/key"):
        keys(tmp_path).open(lost.seal(b"x", b""), b"")


def test_renewing_keeps_the_old_key_until_it_is_retired(tmp_path):
    ours = keys(tmp_path)
    sealed = ours.seal(b"x", b"")
    before = ours.current()
    ours.renew()
    assert ours.current() != before
    assert ours.open(sealed, b"") == b"x"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    ours.retire()
    with pytest.raises(CredentialError):
        ours.open(sealed, b"")


def test_a_key_of_the_environment_is_for_its_owner_to_change(tmp_path):
    old, new = Key.new(), Key.new()
    with pytest.raises(CredentialError, match="put a new key before the old one"):
        keys(tmp_path, {"NBFLOW_KEY": old.text()}).renew()
    with pytest.raises(CredentialError, match="put a new key before the old one"):
        keys(tmp_path, **{ENTRY: old.text()}).renew()
    keys(tmp_path, {"NBFLOW_KEY": f"{new.text()} {old.text()}"}).renew()
    assert not (tmp_path / "key").exists()


def test_a_broken_key_is_not_repeated_in_the_message(tmp_path):
    with pytest.raises(CredentialError, match="44 characters of URL-safe base64") as caught:
        keys(tmp_path, {"NBFLOW_KEY": "my-secret-passphrase"}).current()
    assert "passphrase" not in str(caught.value)


def test_the_key_itself_is_known_to_the_redactor(tmp_path):
    key = Key.new()
    keys(tmp_path, {"NBFLOW_KEY": key.text()}).current()
    assert redactor.text(f"NBFLOW_KEY={key.text()}") == "NBFLOW_KEY=[redacted vault key]"


def test_a_store_that_forgets_forgets_its_key():
    forgetful = keys(None)
    assert forgetful.open(forgetful.seal(b"x", b""), b"") == b"x"
    forgetful.renew()
    forgetful.retire()
    with pytest.raises(CredentialError, match="not in memory"):
        forgetful.open(keys(None).seal(b"x", b""), b"")


def test_a_folder_that_is_gone_is_said_to_be(tmp_path):
    with pytest.raises(StoreError, match="is gone"):
        keys(tmp_path / "none").seal(b"x", b"")


def test_a_keyring_of_the_system_is_asked_by_service_and_name():
    import keyring
    from keyring.backend import KeyringBackend

    before = keyring.get_keyring()

    class InMemory(KeyringBackend):
        priority = 1
        asked = 0

        def get_password(self, service, username):
            InMemory.asked += 1
            return {("nbflow", "crm"): "its text"}.get((service, username))

        def set_password(self, service, username, password):
            raise NotImplementedError

        def delete_password(self, service, username):
            raise NotImplementedError

    keyring.set_keyring(InMemory())
    try:
        ours = OsKeyring()
        assert [ours.get("crm"), ours.get("crm"), ours.get("other")] == ["its text", "its text", None]
        assert InMemory.asked == 2
    finally:
        keyring.set_keyring(before)


def test_without_a_keyring_there_is_nothing_in_it():
    assert OsKeyring().get("crm") is None
