"""How values lie in the store: AES-256-GCM (NIST SP 800-38D), bound to the row they belong to.

A sealed value is one byte for the version of this form, 8 bytes of key id, a random nonce of 12 bytes, and the ciphertext with its tag.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from typing import Self

from nbflow.core.errors import CredentialError

_FORM = b"\x01"
_NO_KEY = "a key of the vault is 32 random bytes as 44 characters of URL-safe base64"
_ID_BYTES, _NONCE_BYTES, _KEY_BYTES = 8, 12, 32


class Key:
    """32 random bytes with a name made of their hash. Neither repr nor pickle shows them."""

    __slots__ = ("_raw", "id")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != _KEY_BYTES:
            raise CredentialError(_NO_KEY)
        self._raw = raw
        self.id = hashlib.sha256(b"nbflow key" + raw).digest()[:_ID_BYTES].hex()

    @classmethod
    def new(cls) -> Self:
        """A fresh one."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def read(cls, text: str) -> Self:
        """From what `text` gave. Raises CredentialError."""
        try:
            raw = urlsafe_b64decode(text.strip().encode("ascii", "strict"))
        except (Base64Error, ValueError):
            raise CredentialError(_NO_KEY) from None
        return cls(raw)

    def text(self) -> str:
        """URL-safe base64, 44 characters."""
        return urlsafe_b64encode(self._raw).decode()

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypted; opens only with the same `context`."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _FORM + bytes.fromhex(self.id)
        return head + nonce + AESGCM(self._raw).encrypt(nonce, plain, head + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypted. Raises CredentialError when the value was changed, or moved here from another row."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        head, nonce, rest = sealed[: 1 + _ID_BYTES], sealed[1 + _ID_BYTES : 1 + _ID_BYTES + _NONCE_BYTES], sealed[1 + _ID_BYTES + _NONCE_BYTES :]
        try:
            return AESGCM(self._raw).decrypt(nonce, rest, head + context)
        except (InvalidTag, ValueError):
            msg = "its stored value was changed, or belongs to another credential: add it again"
            raise CredentialError(msg) from None

    def __repr__(self) -> str:
        return f"<key {self.id}>"

    def __reduce__(self) -> str:
        msg = "a key of the vault does not travel"
        raise TypeError(msg)


def key_id(sealed: bytes) -> str:
    """Which key opens it. Raises CredentialError for what is no sealed value."""
    if len(sealed) < 1 + _ID_BYTES + _NONCE_BYTES or sealed[:1] != _FORM:
        msg = "its stored value is not of a form that this version of nbflow knows: add it again"
        raise CredentialError(msg)
    return sealed[1 : 1 + _ID_BYTES].hex()
