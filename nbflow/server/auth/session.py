"""Sessions: the signed cookie that a browser has after signing in.

The cookie holds ids and a time, no secret. Its signature makes it ours; that it was signed out is in the audit log, which every process of
the project sees, also after a restart.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from nbflow.core.errors import SessionEndedError
from nbflow.core.ids import new_id
from nbflow.store.project import storage_error

if TYPE_CHECKING:
    from pathlib import Path

    from nbflow.server.settings import ServerSettings

KEY_FILE = "session.key"
_SIGNER = {"key_derivation": "hmac", "digest_method": hashlib.sha256}


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """One browser, signed in."""

    id: UUID
    user_id: UUID


class Sessions:
    """Makes and reads the cookies of one server."""

    def __init__(self, settings: ServerSettings, secret: bytes) -> None:
        self.name = f"nbflow-{settings.port}"  # cookies do not know ports: two servers on one machine would sign each other out
        self.max_age_s = round(settings.session_hours * 3600)
        self._serializer = URLSafeTimedSerializer(secret, salt=f"nbflow-session {_way_in(settings)}", signer_kwargs=_SIGNER)
        self._passing = URLSafeTimedSerializer(secret, salt="nbflow-sign-in", signer_kwargs=_SIGNER)

    def issue(self, user_id: UUID) -> tuple[Session, str]:
        """A new session and its cookie's value."""
        session = Session(id=new_id(), user_id=user_id)
        return session, self._text(self._serializer.dumps([session.id.hex, user_id.hex]))

    def read(self, cookie: str) -> Session:
        """Raises SessionEndedError for a cookie that is too old or not ours; whether it was signed out, others know."""
        try:
            session, user = self._serializer.loads(cookie, max_age=self.max_age_s)
            return Session(id=UUID(hex=session), user_id=UUID(hex=user))
        except SignatureExpired:
            msg = "you were signed in for as long as this server allows: sign in again"
        except (BadSignature, ValueError, TypeError, AttributeError):
            msg = "your session is not of this server, or from before its token changed: sign in again"
        raise SessionEndedError(msg)

    def seal(self, value: Any) -> str:
        """Something that the browser keeps for us for some minutes while it is at the identity provider."""
        return self._text(self._passing.dumps(value))

    def unseal(self, text: str, max_age_s: int) -> Any:
        """What was sealed; None for anything that was not, or too long ago."""
        try:
            return self._passing.loads(text, max_age=max_age_s)
        except BadSignature:
            return None

    def _text(self, value: str | bytes) -> str:
        return value if isinstance(value, str) else value.decode()


def _way_in(settings: ServerSettings) -> str:
    """Another token or another provider ends all sessions."""
    way = {"token": settings.token.get_secret_value(), "oidc": settings.oidc.issuer, "none": ""}[settings.auth]
    return hashlib.sha256(f"{settings.auth} {way}".encode()).hexdigest()


def session_secret(settings: ServerSettings, folder: Path | None) -> bytes:
    """What signs the cookies: the setting, else `session.key` in `folder` (mode 0600, made on first use), else, without a folder, a new one.

    Raises StoreReadOnlyError or StoreError when the file cannot be read or made.
    """
    if settings.session_secret is not None:
        return settings.session_secret.get_secret_value().encode()
    if folder is None:
        return secrets.token_bytes(32)
    file, fresh = folder / KEY_FILE, folder / f"{KEY_FILE}.{secrets.token_hex(4)}"
    try:
        if not file.exists():
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
                made.write(secrets.token_bytes(32))
            try:
                os.link(fresh, file)  # whole or not at all; whoever is first decides
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return file.read_bytes()
    except OSError as error:
        raise storage_error(error, folder.parent) from error
