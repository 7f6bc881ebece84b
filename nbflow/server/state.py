"""What the parts of a running server share: made once, found on `app.state.nbflow`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection  # noqa: TC002 -- FastAPI reads the annotation of `state`

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from nbflow.accounts.directory import Directory
    from nbflow.runtime.runtime import Runtime
    from nbflow.server.auth.authenticator import Authenticator
    from nbflow.server.executor import Executor
    from nbflow.server.feed import Feed
    from nbflow.server.metrics import Metrics
    from nbflow.server.pages.mount import Pages
    from nbflow.server.settings import ServerSettings
    from nbflow.server.webhooks.endpoint import WebhookEndpoint
    from nbflow.server.webhooks.idempotency import Idempotency
    from nbflow.server.webhooks.trial import TrialEndpoint
    from nbflow.store.interface import Store
    from nbflow.vault.vault import Vault
    from nbflow.workflows.library import Workflows


@dataclass(kw_only=True)
class ServerState:
    """One server.

    `executor`, `feed`, `webhooks`, `idempotency`, `authenticator` and `pages` belong to the server's loop. Everything else blocks: call it
    from plain `def` routes or through `asyncio.to_thread`.
    """

    settings: ServerSettings
    project: Path
    runtime: Runtime
    store: Store
    workflows: Workflows
    directory: Directory
    vault: Vault
    executor: Executor
    feed: Feed
    authenticator: Authenticator
    webhooks: WebhookEndpoint
    trials: TrialEndpoint
    idempotency: Idempotency  # of POST /executions/execute
    pages: Pages = field(init=False)
    metrics: Metrics = field(init=False)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    stopping: bool = False

    @cached_property
    def home(self) -> UUID:
        """The default organization, to which belongs what was run without a server. Blocks once."""
        return self.directory.default().organization.id

    def stop(self) -> None:
        """To be called on the loop as soon as the server is told to stop: streams end, or it would wait for them. Health says so."""
        self.stopping = True
        self.feed.stop()


def assemble(settings: ServerSettings, project: Path | None = None) -> ServerState:
    """Makes the parts; nothing runs yet. Raises StoreReadOnlyError when the project's folder refuses writing."""
    from nbflow.accounts.directory import Directory
    from nbflow.runtime.runtime import Runtime
    from nbflow.server.auth.authenticator import Authenticator
    from nbflow.server.clients import guarded_client
    from nbflow.server.executor import Executor
    from nbflow.server.feed import Feed
    from nbflow.server.metrics import Metrics
    from nbflow.server.pages.mount import Pages
    from nbflow.server.webhooks.endpoint import WebhookEndpoint
    from nbflow.server.webhooks.idempotency import Idempotency
    from nbflow.server.webhooks.trial import TrialEndpoint
    from nbflow.store.project import ProjectFolder
    from nbflow.vault.vault import Vault
    from nbflow.workflows.library import Workflows

    runtime = Runtime(project)
    store, workflows, directory = runtime.store, Workflows(runtime.store), Directory(runtime.store)
    vault = Vault(store, http=partial(guarded_client, settings.allowed_hosts))
    executor = Executor(runtime, workflows, settings)
    webhooks = WebhookEndpoint(store=store, workflows=workflows, executor=executor, vault=vault, settings=settings)
    made = ServerState(
        settings=settings,
        project=runtime.project,
        runtime=runtime,
        store=store,
        workflows=workflows,
        directory=directory,
        vault=vault,
        executor=executor,
        feed=Feed(store),
        authenticator=Authenticator(settings, directory, folder=ProjectFolder(root=runtime.project).home),
        webhooks=webhooks,
        trials=TrialEndpoint(webhooks),
        idempotency=Idempotency(store),
    )
    made.pages = Pages(made)
    made.metrics = Metrics(made)
    return made


def state(connection: HTTPConnection) -> ServerState:
    """The dependency of routes; also for ASGI code, with `HTTPConnection(scope)`."""
    return cast("ServerState", connection.app.state.nbflow)


State = Annotated[ServerState, Depends(state)]
"""A route's parameter `server: State`."""
