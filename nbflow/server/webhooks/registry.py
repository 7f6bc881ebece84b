"""Which webhook a request means. Read from the store when something was changed there, matched in memory."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import ValidationError

from nbflow.server.errors import ApiError
from nbflow.server.webhooks.hook import Hook

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from uuid import UUID

    from nbflow.store.interface import Store
    from nbflow.workflows.library import Workflows
    from nbflow.workflows.workflow import Webhook, Workflow

logger = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.002
_NAMED = 5  # paths that a 404 names


@dataclass(slots=True)
class _Place:
    """One segment's node of the tree. A literal segment goes before a parameter."""

    literal: dict[str, _Place] = field(default_factory=dict)
    parameter: _Place | None = None
    hooks: dict[str, list[Hook]] = field(default_factory=dict)  # by method

    def down(self, segment: str, *, is_parameter: bool) -> _Place:
        """The next place, made when it is not there."""
        if is_parameter:
            self.parameter = self.parameter or _Place()
            return self.parameter
        return self.literal.setdefault(segment, _Place())


class Registry:
    """Used on the server's loop. Raises ValueError for a `rate_limit` that is none."""

    def __init__(self, store: Store, workflows: Workflows, *, rate_limit: str | None = None) -> None:
        self._rate_limit = rate_limit  # of each webhook, besides its own
        self._store = store
        self._workflows = workflows
        self._generation: int | None = None
        self._looked_at = float("-inf")
        self._root = _Place()
        self._hooks: list[Hook] = []
        self._loading: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Reads the store again when something was changed since: a publish from a notebook counts from the next request on."""
        self._looked_at = time.monotonic()
        while self._store.generation() != self._generation:
            if self._loading is None or self._loading.done():
                self._loading = asyncio.create_task(self._load())
            await asyncio.shield(self._loading)

    @property
    def stale(self) -> bool:
        """Whether `refresh` has something to do. Looks at most every 2 ms: a change takes longer to become durable, and each look lets go
        of the interpreter's lock.
        """
        if self._loading is not None and not self._loading.done():
            return True
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_S:
            return False
        self._looked_at = now
        return self._store.generation() != self._generation

    @property
    def generation(self) -> int | None:
        """The store's, when it was last read."""
        return self._generation

    async def _load(self) -> None:
        generation = self._store.generation()  # before reading: what is changed meanwhile is read next time
        kept = {(hook.workflow_id, hook.node_id, hook.method): hook for hook in self._hooks}
        hooks = list(self._hooks_of(await asyncio.to_thread(self._workflows.webhooks), kept))
        root = _Place()
        for hook in hooks:
            place = root
            for segment in hook.segments:
                place = place.down(segment, is_parameter=segment.startswith(":"))
            place.hooks.setdefault(hook.method, []).append(hook)
        self._root, self._hooks, self._generation = root, hooks, generation

    def _hooks_of(self, found: list[Webhook], kept: Mapping[tuple[UUID, str, str], Hook]) -> Iterator[Hook]:
        """A hook that is as it was keeps what it has counted. One that cannot be read must not take the others down."""
        for webhook in found:
            old = kept.get((webhook.workflow_id, webhook.node_id, webhook.method))
            try:
                yield old.renewed(webhook) if old is not None else Hook(webhook, rate_limit=self._rate_limit)
            except ValidationError as error:
                logger.warning("workflow '%s', node '%s': the webhook is left out: %s", webhook.workflow, webhook.node_id, error)

    async def workflow(self, hook: Hook) -> Workflow:
        """The hook's workflow as it is stored now. Raises UnknownWorkflowError when it was deleted."""
        while hook.workflow is None or hook.generation != self._generation:
            if hook.loading is None or hook.loading.done():
                hook.loading = asyncio.create_task(self._load_workflow(hook))
            await asyncio.shield(hook.loading)
        return hook.workflow

    async def _load_workflow(self, hook: Hook) -> None:
        generation = self._generation
        workflow = await asyncio.to_thread(self._workflows.get, hook.workflow_id)
        if hook.workflow is None or hook.workflow.version_id != workflow.version_id:  # the same object keeps what is compiled for it
            hook.workflow = workflow
        hook.generation = generation

    def match(self, method: str, segments: tuple[str, ...]) -> tuple[Hook, dict[str, str]] | None:
        """The active webhook and its path parameters."""
        for place, values in _places(self._root, segments, 0, ()):
            for hook in place.hooks.get(method, ()):
                if hook.active:
                    return hook, dict(zip(hook.names, values, strict=True))
        return None

    def any_match(self, method: str, segments: tuple[str, ...], organizations: Collection[UUID] | None) -> tuple[Hook, dict[str, str]] | None:
        """Active or not, of these organizations (None: all); an active one first, then that of the newest workflow."""
        for place, values in _places(self._root, segments, 0, ()):
            found = [hook for hook in place.hooks.get(method, ()) if organizations is None or hook.organization_id in organizations]
            if found:
                hook = max(found, key=lambda one: (one.active, str(one.workflow_id)))
                return hook, dict(zip(hook.names, values, strict=True))
        return None

    def methods(self, segments: tuple[str, ...], *, inactive: bool = False) -> tuple[str, ...]:
        """Which methods are registered there."""
        found: dict[str, None] = {}
        for place, _ in _places(self._root, segments, 0, ()):
            for method, hooks in place.hooks.items():
                if inactive or any(hook.active for hook in hooks):
                    found[method] = None
        return tuple(sorted(found))

    def miss(self, method: str, segments: tuple[str, ...], *, trusted: bool, organizations: Collection[UUID] | None = None) -> ApiError:
        """Why nothing matches: another method (405), not active, unknown (404). Only who is `trusted` hears of other paths and of workflows."""
        path = "/" + "/".join(segments)
        if allowed := self.methods(segments):
            msg = f"the webhook {path} does not take {method}; it takes {', '.join(allowed)}"
            return ApiError(405, "method_not_allowed", msg, details={"allowed": allowed}, headers={"Allow": ", ".join(allowed)})
        inactive = [hook for place, _ in _places(self._root, segments, 0, ()) for hook in place.hooks.get(method, ())]
        if inactive:
            name = f" '{inactive[0].name}'" if trusted and _visible(inactive[0], organizations) else ""
            msg = (
                f"the webhook {method} {path} is registered, but its workflow{name} is not active; activate it, or use /webhooks-test{path} signed in"
            )
            return ApiError(404, "webhook_inactive", msg)
        if not trusted:
            msg = f"no webhook is registered at {path}; those who are signed in see the registered ones at /api/v1/webhooks"
            return ApiError(404, "webhook_not_found", msg)
        known = {hook.path: f"{hook.method} {hook.path}" for hook in self._hooks if hook.active and _visible(hook, organizations)}
        if not known:
            msg = f"no webhook is registered at {path}: no active workflow has one. Publish one: flow.publish(webhook={path!r})"
            return ApiError(404, "webhook_not_found", msg)
        near = get_close_matches(path, known, n=_NAMED, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else f"registered are {', '.join(sorted(known)[:_NAMED])}"
        more = f" and {len(known) - _NAMED} more" if not near and len(known) > _NAMED else ""
        return ApiError(404, "webhook_not_found", f"no webhook is registered at {path}; {hint}{more}", details={"registered": sorted(known.values())})

    def miss_of_trial(self, method: str, segments: tuple[str, ...], organizations: Collection[UUID]) -> ApiError:
        """The same for the test URL, where also inactive workflows answer, of one's own organizations only."""
        path = "/" + "/".join(segments)
        mine = [hook for hook in self._hooks if _visible(hook, organizations)]
        here = {hook.method for place, _ in _places(self._root, segments, 0, ()) for hooks in place.hooks.values() for hook in hooks if hook in mine}
        if here:
            allowed = ", ".join(sorted(here))
            msg = f"the webhook {path} does not take {method}; it takes {allowed}"
            return ApiError(405, "method_not_allowed", msg, details={"allowed": sorted(here)}, headers={"Allow": allowed})
        near = get_close_matches(path, [hook.path for hook in mine], n=_NAMED, cutoff=0.6)
        hint = (
            f"; did you mean {' or '.join(dict.fromkeys(near))}?"
            if near
            else "; save a workflow with a trigger.webhook node first"
            if not mine
            else ""
        )
        msg = f"no saved workflow of yours has a webhook at {path}{hint}"
        return ApiError(404, "webhook_not_found", msg, details={"registered": sorted({hook.source for hook in mine})})


def _visible(hook: Hook, organizations: Collection[UUID] | None) -> bool:
    return organizations is None or hook.organization_id in organizations


def _places(place: _Place, segments: tuple[str, ...], at: int, values: tuple[str, ...]) -> Iterator[tuple[_Place, tuple[str, ...]]]:
    """All places that fit, the most literal first, with the segments that stand for parameters."""
    if at == len(segments):
        yield place, values
        return
    segment = segments[at]
    if segment in place.literal:
        yield from _places(place.literal[segment], segments, at + 1, values)
    if place.parameter is not None and segment:
        yield from _places(place.parameter, segments, at + 1, (*values, segment))
