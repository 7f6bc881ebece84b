"""The operating system's keyring (GNOME, KDE, macOS), through the optional package `keyring`."""

from __future__ import annotations

import threading
import time
from importlib.util import find_spec
from typing import Any

SERVICE = "nbflow"
_REMEMBERED_S = 60.0  # asking goes to another process, and nodes ask for each call


class OsKeyring:
    """Entries of the service `nbflow`. Where there is no keyring, it is empty."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._backend: Any = None
        self._looked = False
        self._known: dict[str, tuple[float, str | None]] = {}  # (until when, text)

    def get(self, name: str) -> str | None:
        """The entry's text, as of the last minute; None when there is none, or the keyring stays locked."""
        backend = self._usable()
        if backend is None:
            return None
        until, found = self._known.get(name, (0.0, None))
        if time.monotonic() >= until:
            try:
                found = backend.get_password(SERVICE, name)
            except Exception:  # noqa: BLE001 -- backends raise their own system's errors; a locked keyring is as good as none
                found = None
            self._known[name] = (time.monotonic() + _REMEMBERED_S, found)
        return found

    def _usable(self) -> Any:
        """The backend, looked for once: that imports and asks D-Bus."""
        with self._lock:
            if not self._looked:
                self._looked = True
                if find_spec("keyring") is not None:
                    import keyring
                    import keyring.backends.fail
                    import keyring.backends.null

                    backend = keyring.get_keyring()
                    nothing = (keyring.backends.fail.Keyring, keyring.backends.null.Keyring)
                    self._backend = None if isinstance(backend, nothing) else backend
            return self._backend
