"""Where the vault's keys are: NBFLOW_KEY, the OS keyring, or the file `.nbflow/key`, which is made on first use.

The first key encrypts; the others only open what an earlier one encrypted. The file has one key a line and mode 0600. In NBFLOW_KEY and in the
keyring, several keys are separated by commas.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
from typing import TYPE_CHECKING

from nbflow.core.errors import CredentialError
from nbflow.core.redaction import redactor
from nbflow.store.project import storage_error
from nbflow.vault.cipher import Key, key_id
from nbflow.vault.os_keyring import OsKeyring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

VARIABLE = "NBFLOW_KEY"
ENTRY = "vault key"  # user name of the keyring's entry


class Keys:
    """The keys of one project. `folder` is `.nbflow/`, None for a store that forgets: its key is forgotten too."""

    def __init__(self, folder: Path | None, *, environment: Mapping[str, str] = os.environ, keyring: OsKeyring | None = None) -> None:
        self._file = None if folder is None else folder / "key"
        self._lock = None if folder is None else folder / "key.lock"
        self._environment = environment
        self._keyring = keyring or OsKeyring()
        self._forgotten: tuple[Key, ...] = ()

    @property
    def source(self) -> str:
        """Where they come from, for messages."""
        if self._environment.get(VARIABLE):
            return VARIABLE
        if self._file is None:
            return "memory"
        return "the OS keyring" if self._keyring.get(ENTRY) else str(self._file)

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt with the first key, made now if there is none yet. Raises CredentialError, StoreError."""
        return (self._found() or self._made())[0].seal(plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt with whichever key it was encrypted with. Raises CredentialError."""
        wanted = key_id(sealed)
        for key in self._found():
            if key.id == wanted:
                return key.open(sealed, context)
        msg = f"it is encrypted with key {wanted}, which is not in {self.source}: bring that key back, or add the credential again"
        raise CredentialError(msg)

    def current(self) -> str:
        """Id of the key that encrypts."""
        return (self._found() or self._made())[0].id

    @contextlib.contextmanager
    def held(self, *, alone: bool = False) -> Iterator[None]:
        """While credentials are written. `alone`, no other process writes any meanwhile: a rotation must see them all."""
        if self._lock is None:
            yield
            return
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise storage_error(error, self._lock.parent.parent) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    def renew(self) -> None:
        """Put a new key before the others. Raises CredentialError where the key is not ours to change."""
        if self._environment.get(VARIABLE):
            if len(self._found()) > 1:
                return  # somebody has put a new one before the old one
            msg = f"the key comes from {VARIABLE}: put a new key before the old one, separated by a comma, run this again, then drop the old one"
            raise CredentialError(msg)
        if self._file is not None and self._keyring.get(ENTRY):
            if len(self._found()) > 1:
                return
            msg = "the key comes from the OS keyring: put a new key before the old one there, separated by a comma, and run this again"
            raise CredentialError(msg)
        self._keep((Key.new(), *(self._found() or self._made())))

    def retire(self) -> None:
        """Forget all keys but the first, where they are ours to change."""
        if not self._environment.get(VARIABLE) and not (self._file is not None and self._keyring.get(ENTRY)):
            self._keep(self._found()[:1])

    def _found(self) -> tuple[Key, ...]:
        """Read anew each time: another process may have rotated them."""
        if given := self._environment.get(VARIABLE):
            return _parsed(given)
        if self._file is None:
            return self._forgotten
        if kept := self._keyring.get(ENTRY):
            return _parsed(kept)
        try:
            text = self._file.read_text("ascii")
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            msg = f"the vault's key in {self._file} cannot be read: {error}"
            raise CredentialError(msg) from error
        return _parsed(text)

    def _made(self) -> tuple[Key, ...]:
        """A first key. Of two processes that make one at the same time, one wins and both use it."""
        key = Key.new()
        if self._file is None:
            self._forgotten = (key,)
            return self._forgotten
        hidden = self._written((key,))
        try:
            os.link(hidden, self._file)
        except FileExistsError:
            pass
        except OSError as error:
            raise storage_error(error, self._file.parent.parent) from error
        finally:
            hidden.unlink(missing_ok=True)
        return self._found()

    def _keep(self, keys: Sequence[Key]) -> None:
        if self._file is None:
            self._forgotten = tuple(keys)
            return
        self._written(keys).replace(self._file)

    def _written(self, keys: Sequence[Key]) -> Path:
        """A hidden file beside the real one, durable."""
        assert self._file is not None  # noqa: S101 -- callers have looked
        hidden = self._file.with_name(f"key.{secrets.token_hex(4)}.tmp")
        try:
            descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write("".join(f"{key.text()}\n" for key in keys))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            hidden.unlink(missing_ok=True)
            raise storage_error(error, self._file.parent.parent) from error
        return hidden


def _parsed(text: str) -> tuple[Key, ...]:
    keys = tuple(Key.read(part) for part in re.split(r"[\s,]+", text) if part)
    redactor.learn(*(key.text() for key in keys), name="vault key")
    return keys
