"""A real server for tests: uvicorn on a free port, the real store in a folder of its own, real users and keys.

`server` is one per test module (its tests share the history: give things names of their own); `fresh_server(**settings)` makes one for a
test alone, with settings of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from gated import GatedServer
from issuer import Issuer

from nbflow.accounts.directory import Directory
from nbflow.accounts.user import Identity
from nbflow.core.ids import new_id
from nbflow.core.states import Role
from nbflow.display import capture
from nbflow.runtime.runtime import reset_runtime
from nbflow.server.app import create_app
from nbflow.server.settings import ServerSettings
from nbflow.store.memory import MemoryStore
from nbflow.store.project import ProjectFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from nbflow.server.state import ServerState

TOKEN = "the-token-of-the-tests"
START_S = 30.0


@dataclass(kw_only=True)
class Member:
    """Somebody with a role in an organization, and a client that is signed in by an API key of theirs."""

    user_id: UUID
    organization_id: UUID
    role: Role
    key: str
    client: httpx.Client


class Server:
    """One running server, in a thread of this process."""

    def __init__(self, project: Path, **settings: Any) -> None:
        self.project = project
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = ServerSettings(**{"port": self.port, "token": TOKEN, **settings})
        self.app = create_app(self.settings, project=project)
        config = uvicorn.Config(
            self.app, http="httptools", loop="uvloop", log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=10
        )
        self._uvicorn = uvicorn.Server(config)
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="test-server", daemon=True)
        self._clients: list[httpx.Client] = []
        self._thread.start()
        self._wait()
        self.anonymous = self.client_with()
        self.client = self.client_with(Authorization=f"Bearer {TOKEN}")

    def _serve(self) -> None:
        try:
            self._uvicorn.run(sockets=[self._listener])  # on uvloop, as `nbflow serve`
        except BaseException as error:  # noqa: BLE001 -- told to the test
            self._fault = error

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while not self._uvicorn.started:
            assert self._thread.is_alive(), f"the server did not start: {self._fault!r}"
            assert time.monotonic() < deadline, "the server took too long to start"
            time.sleep(0.01)

    @property
    def state(self) -> ServerState:
        """The server's parts. The blocking ones may be used from the test's thread."""
        return self.app.state.nbflow

    @property
    def api(self) -> str:
        """Where the REST API begins."""
        return f"{self.url}/api/v1"

    def client_with(self, **headers: str) -> httpx.Client:
        """A client of the API's base (`client.get("/workflows")`), closed with the server."""
        client = httpx.Client(base_url=self.api, headers=headers, timeout=30)
        self._clients.append(client)
        return client

    def member(self, role: Role | str, organization_id: UUID | None = None, /, **limits: Any) -> Member:
        """A new user with this role (by default in the default organization), signed in by a key; `limits`: of the key (role, scopes, expires_at)."""
        directory, organization = self.state.directory, organization_id or self.state.home
        user = self._user(str(role))
        directory.add_member(organization, user, Role(role))
        _, key = directory.create_key(organization, user, f"key of {role}", **limits)
        client = self.client_with(Authorization=f"Bearer {key}")
        return Member(user_id=user, organization_id=organization, role=Role(role), key=key, client=client)

    def organization(self, name: str = "Another") -> UUID:
        """A new organization of somebody else."""
        return self.state.directory.create_organization(name, self._user("founder")).id

    def _user(self, name: str) -> UUID:
        subject = f"{name}-{new_id().hex}"
        identity = Identity(issuer="https://people.example.org", subject=subject, email=f"{subject}@example.org", email_verified=True, name=name)
        return self.state.directory.sync(identity).id

    def run(self, work: Any) -> Any:
        """A coroutine's result, run on the server's own loop: for `state.executor` and the like."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The server's loop."""
        return self._uvicorn.servers[0].get_loop()

    def stop(self) -> None:
        """As SIGTERM does: waits for the end of the shutdown."""
        for client in self._clients:
            client.close()
        self.loop.call_soon_threadsafe(self.state.stop)
        self._uvicorn.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server did not stop"
        self._listener.close()


def end_owner(folder: Path) -> None:
    """The store's owner process of this folder, if there is one, ends."""
    try:
        pid = json.loads(ProjectFolder(root=folder).card.read_text())["pid"]
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return
    if b"nbflow.store.daemon" in words and str(folder).encode() in words:
        os.kill(pid, signal.SIGTERM)


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """The environment of a server: nothing from outside decides its project or its settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("NBFLOW_")]:
            patch.delenv(name)
        patch.setenv("NBFLOW_OWNER_IDLE_S", "5")
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        reset_runtime()
        yield patch
        reset_runtime()
        capture.uninstall()


def _project(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    folder.mkdir(exist_ok=True)
    patch.setenv("NBFLOW_PROJECT", str(folder))
    reset_runtime()
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, surroundings: pytest.MonkeyPatch) -> Iterator[Server]:
    """One server for all tests of the module, single-user, with a token. NBFLOW_PROJECT names its project."""
    folder = _project(tmp_path_factory.mktemp("served") / "project", surroundings)
    started = Server(folder)
    yield started
    started.stop()
    end_owner(folder)


@pytest.fixture
def fresh_server(tmp_path: Path, surroundings: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    """Starts servers for one test: `fresh_server(max_running=1)`. Calls of one test share a project; stop the first before the second."""
    folder = _project(tmp_path / "project", surroundings)
    started: list[Server] = []

    def start(**settings: Any) -> Server:
        started.append(Server(folder, **settings))
        return started[-1]

    yield start
    for one in started:
        if one._thread.is_alive():
            one.stop()
    end_owner(folder)


@pytest.fixture
def directory() -> Iterator[Directory]:
    """Accounts, kept in memory."""
    store = MemoryStore()
    yield Directory(store)
    store.close()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An OpenID Connect provider, listening."""
    made = Issuer()
    yield made
    made.close()


@pytest.fixture
def gated(directory: Directory, tmp_path: Path) -> Iterator[Callable[..., GatedServer]]:
    """Starts servers that are a gate and one route behind it, with these settings."""
    started: list[GatedServer] = []

    def start(**settings: Any) -> GatedServer:
        started.append(GatedServer(directory, tmp_path, **settings))
        return started[-1]

    yield start
    for server in started:
        server.stop()
