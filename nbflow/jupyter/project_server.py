"""The project's `nbflow serve`, as Jupyter reaches it: the one that runs, or one started on demand."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from nbflow.core.errors import NbflowError
from nbflow.store.project import ProjectFolder, read_server_card

if TYPE_CHECKING:
    import logging
    from pathlib import Path
    from uuid import UUID

_START_S = 60.0
_LOOK_S = 0.05
_STOP_S = 35.0  # longer than the grace that executions get
_KEY_LASTS = timedelta(days=1)
_LOG = "jupyter-serve.log"
_MOST_OF_LOG = 4000


class NotServedError(NbflowError):
    """The project has no server, and none could be started; the message says why."""


class Address(NamedTuple):
    """Where a server is, and what to show it."""

    url: str  # without a slash at the end
    token: str


class ProjectServer:
    """Belongs to one event loop. Nothing happens before the first `address`."""

    def __init__(self, project: Path, *, log: logging.Logger) -> None:
        self._folder = ProjectFolder(root=project)
        self._log = log
        self._lock = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._known: Address | None = None  # of our child
        self._key: tuple[UUID, str, datetime] | None = None
        self._stopped = False

    @property
    def project(self) -> Path:
        """The folder that is served."""
        return self._folder.root

    async def address(self) -> Address:
        """Of the server that runs, whoever started it; else of one that is started now. Raises NotServedError."""
        async with self._lock:
            if self._child is not None and self._child.returncode is None and self._known is not None:
                return self._known
            found = await asyncio.to_thread(self._running)
            if found is not None:
                return Address(found, await self._own_key())
            return await self._start()

    def _running(self) -> str | None:
        """The address of a server that somebody else started."""
        card = read_server_card(self.project)
        url, pid = card.get("url"), card.get("pid")
        if not isinstance(url, str) or not isinstance(pid, int):
            return None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None  # its card outlived it
        except PermissionError:
            pass
        return url.rstrip("/")

    async def _own_key(self) -> str:
        """An API key of the person at this machine. Only who started it knows its token, but whoever has the project folder has its accounts."""
        now = datetime.now(UTC).replace(tzinfo=None)
        if self._key is None or self._key[2] - now < _KEY_LASTS / 2:
            self._key = await asyncio.to_thread(self._new_key, now + _KEY_LASTS)
        return self._key[1]

    def _new_key(self, expires_at: datetime) -> tuple[UUID, str, datetime]:
        from nbflow.accounts.directory import Directory
        from nbflow.store.opening import open_store

        store = open_store(self.project)
        try:
            directory = Directory(store)
            home = directory.default()
            key, plain = directory.create_key(home.organization.id, home.user.id, "Jupyter", expires_at=expires_at)
        finally:
            store.close()
        return key.id, plain, expires_at

    async def _start(self) -> Address:
        if self._stopped:
            msg = "Jupyter is stopping"
            raise NotServedError(msg)
        token = secrets.token_urlsafe(32)
        self._log.info("nbflow: starting a server for %s", self.project)
        environment = os.environ | {"NBFLOW_PROJECT": str(self.project)}
        fd = await asyncio.to_thread(self._open_log)
        try:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "nbflow.jupyter.served", stdin=asyncio.subprocess.PIPE, stdout=fd, stderr=fd, env=environment, cwd=self.project
            )
        finally:
            os.close(fd)
        assert self._child.stdin is not None  # noqa: S101 -- a pipe was asked for
        self._child.stdin.write(f"{token}\n".encode())
        url = await self._announced(self._child)
        self._known = Address(url, token)
        return self._known

    def _open_log(self) -> int:
        try:
            home = self._folder.make().home
            return os.open(home / _LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except (OSError, NbflowError) as error:
            raise NotServedError(str(error)) from error

    async def _announced(self, child: asyncio.subprocess.Process) -> str:
        """Its address, once it answers. Raises NotServedError with what it said."""
        deadline = asyncio.get_running_loop().time() + _START_S
        while asyncio.get_running_loop().time() < deadline:
            if child.returncode is not None:
                raise NotServedError(self._last_words())
            card = read_server_card(self.project)
            if card.get("pid") == child.pid and card.get("url"):
                return str(card["url"]).rstrip("/")
            await asyncio.sleep(_LOOK_S)
        await self._end(child)
        msg = f"the server did not start within {_START_S:g} s; its log is {self._folder.home / _LOG}"
        raise NotServedError(msg)

    def _last_words(self) -> str:
        file = self._folder.home / _LOG
        try:
            said = file.read_text("utf-8", "replace").strip()[-_MOST_OF_LOG:]
        except OSError:
            said = ""
        reason = said.rpartition("\n\n")[2] if said else "it said nothing"
        return f"the project's server could not start: {reason}"

    async def stop(self) -> None:
        """Ends the server if it was started here, and takes back the key that was made for another."""
        self._stopped = True
        if self._child is not None and self._child.returncode is None:
            await self._end(self._child)
        if self._key is not None:
            await asyncio.to_thread(self._revoke, self._key[0])

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        child.terminate()
        try:
            await asyncio.wait_for(child.wait(), _STOP_S)
        except TimeoutError:
            child.kill()
            await child.wait()

    def _revoke(self, key: Any) -> None:
        from nbflow.accounts.directory import Directory
        from nbflow.store.opening import open_store

        try:
            store = open_store(self.project)
            try:
                Directory(store).revoke(key)
            finally:
                store.close()
        except NbflowError as error:
            self._log.warning("nbflow: the key for the project's server was not taken back (it ends within a day): %s", error)
