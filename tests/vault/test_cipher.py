import copy
import pickle

import pytest

from nbflow.core.errors import CredentialError
from nbflow.vault.cipher import Key, key_id


def test_what_is_sealed_opens_again_and_is_different_each_time():
    key = Key.new()
    first, second = key.seal(b"secret", b"row 1"), key.seal(b"secret", b"row 1")
    assert first != second
    assert b"secret" not in first
    assert key.open(first, b"row 1") == key.open(second, b"row 1") == b"secret"


def test_a_value_moved_to_another_row_is_refused():
    key = Key.new()
    with pytest.raises(CredentialError, match="belongs to another credential"):
        key.open(key.seal(b"secret", b"row 1"), b"row 2")


@pytest.mark.parametrize("place", [0, 5, 12, 30, -1])
def test_a_changed_value_is_refused(place):
    key = Key.new()
    sealed = bytearray(key.seal(b"a longer secret value", b"row"))
    sealed[place] ^= 1
    with pytest.raises(CredentialError):
        key.open(bytes(sealed), b"row")


def test_another_key_does_not_open_it():
    with pytest.raises(CredentialError):
        Key.new().open(Key.new().seal(b"secret", b""), b"")


def test_a_sealed_value_tells_which_key_opens_it():
    key = Key.new()
    assert key_id(key.seal(b"x", b"")) == key.id


@pytest.mark.parametrize("sealed", [b"", b"\x01short", b"\x02" + bytes(40), b"plain text that was never encrypted"])
def test_what_is_no_sealed_value_is_said_to_be_none(sealed):
    with pytest.raises(CredentialError, match="not of a form"):
        key_id(sealed)


def test_a_key_survives_being_written_down():
    key = Key.new()
    assert Key.read(f" {key.text()}\n").open(key.seal(b"x", b""), b"") == b"x"


@pytest.mark.parametrize("text", ["", "short", "\u00e4" * 44, "A" * 40, "?" * 44])
def test_what_is_no_key_is_refused_without_being_repeated(text):
    with pytest.raises(CredentialError) as caught:
        Key.read(text)
    assert not text or text not in str(caught.value)


def test_a_key_neither_shows_itself_nor_travels():
    key = Key.new()
    assert key.text() not in repr(key)
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="does not travel"):
            copied(key)
