"""Doubles for testing nodes and flows: a context that records, a clock that jumps, a loop's body given as a function.

ctx = FakeContext(input={"name": "Ada"})
result = await run_node("action.transform", {"assignments": [...]}, {"id": 1}, ctx=ctx)
assert ctx.logs == []
"""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbflow.core.errors import UnknownCredentialError
from nbflow.core.node import Failure, NodeType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbflow.core.node import Credential


class FakeClock:
    """Time that passes only when someone sleeps: a sleep returns at once and moves the clock."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.time = start
        self.slept: list[float] = []  # seconds, one entry a sleep

    def now(self) -> datetime:
        """The clock's time."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Moves the clock; lets other tasks run once."""
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class FakeBody:
    """A loop's body given as a function of (item, index), sync or async. Limits and order are the engine's promise, kept here too."""

    def __init__(self, function: Callable[[Any, int], Any], node: str = "body") -> None:
        self.function = function
        self.node = node
        self.calls: list[tuple[Any, int]] = []
        self.most_at_once = 0
        self._running = 0

    async def run(self, item: Any, index: int) -> Any:
        """Calls the function once."""
        self.calls.append((item, index))
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)
        try:
            await asyncio.sleep(0)
            result = self.function(item, index)
            return await result if inspect.isawaitable(result) else result
        finally:
            self._running -= 1

    async def map(self, items: Sequence[Any], *, concurrency: int = 1, collect_errors: bool = False) -> list[Any]:
        """Calls the function for every item, at most `concurrency` at a time; the results keep the items' order."""
        limit = asyncio.Semaphore(concurrency)

        async def one(index: int, item: Any) -> Any:
            async with limit:
                try:
                    return await self.run(item, index)
                except Exception as error:
                    if not collect_errors:
                        raise
                    return Failure(node=self.node, type=type(error).__name__, message=str(error), index=index)

        tasks = [asyncio.ensure_future(one(index, item)) for index, item in enumerate(items)]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(kw_only=True)
class FakeContext:
    """A `core.node.Context` that keeps what a node did with it: `logs`, `steps`, `displays`, `usages`, `responses`."""

    input: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    nodes: Mapping[str, Any] = field(default_factory=dict)  # outputs of other nodes, as expressions see them
    vars: Mapping[str, Any] = field(default_factory=dict)
    project: Path = field(default_factory=Path.cwd)
    http: Any = None  # lend an httpx.AsyncClient
    credentials: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by name: `kind` (else generic) and the kind's fields
    clock: FakeClock = field(default_factory=FakeClock)
    loop_body: FakeBody | None = None
    flow: str = "test"
    node: str = "node"
    execution_id: str = "019b7a00-0000-7000-8000-000000000000"
    path: tuple[int, ...] = ()
    attempt: int = 1
    logs: list[tuple[str, str]] = field(default_factory=list)  # (level, message)
    steps: list[tuple[float | None, str]] = field(default_factory=list)  # (fraction, message) of each progress call
    displays: list[Any] = field(default_factory=list)
    usages: list[dict[str, Any]] = field(default_factory=list)
    responses: list[dict[str, Any]] = field(default_factory=list)

    @property
    def body(self) -> FakeBody:
        """The body given as `loop_body`. Raises TypeError without one, as the engine does for a node that is no loop."""
        if self.loop_body is None:
            msg = f"node '{self.node}' has no body"
            raise TypeError(msg)
        return self.loop_body

    def credential(self, name: str, kind: str | None = None) -> Credential:
        """One of `credentials`. Raises UnknownCredentialError, CredentialError, as the engine does."""
        from nbflow.vault.explicit import explicit

        if name not in self.credentials:
            msg = f"there is no credential '{name}': lend one with FakeContext(credentials={{'{name}': {{'kind': ..., ...}}}})"
            raise UnknownCredentialError(msg)
        return explicit(name, self.credentials[name], kind)

    def now(self) -> datetime:
        """The clock's time."""
        return self.clock.now()

    async def sleep(self, seconds: float) -> None:
        """Moves the clock."""
        await self.clock.sleep(seconds)

    def render(self, template: Any, **scope: Any) -> Any:
        """Evaluates expressions as the engine does."""
        from nbflow.core.template import compile_template

        compiled = compile_template(template)
        if compiled is None:
            return template
        execution = {"id": self.execution_id, "flow": self.flow, "attempt": self.attempt}
        known = {"input": self.input, "params": self.params, "nodes": self.nodes, "vars": self.vars, "execution": execution, "now": self.now()}
        return compiled.render({**known, **scope})

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Kept in `steps`."""
        self.steps.append((fraction, message))

    def log(self, message: str, level: Literal["debug", "info", "warn", "error"] = "info") -> None:
        """Kept in `logs`."""
        self.logs.append((level, message))

    def display(self, value: Any) -> None:
        """Kept in `displays`."""
        self.displays.append(value)

    def respond(self, body: str | bytes, *, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "text/plain") -> None:
        """Kept in `responses`."""
        self.responses.append({"status": status, "headers": dict(headers or {}), "body": body, "media_type": media_type})

    def usage(self, *, model: str = "", tokens_in: int = 0, tokens_out: int = 0, cost_usd: float | None = None) -> None:
        """Kept in `usages`."""
        self.usages.append({"model": model, "tokens_in": tokens_in, "tokens_out": tokens_out, "cost_usd": cost_usd})


async def run_node(node_type: NodeType | str, config: Mapping[str, Any] | None = None, *inputs: Any, ctx: FakeContext | None = None) -> Any:
    """Runs one catalogue node as the engine would: expressions evaluated (but lazy fields), config validated, a sync function in a thread.

    Inputs go to the ports in their order; a port that takes many edges takes all that are left, as one list.
    Raises pydantic.ValidationError for a wrong config and whatever the node raises.
    """
    if isinstance(node_type, str):
        from nbflow.catalogue.registry import Registry

        node_type = Registry().get(node_type)
    ctx = ctx or FakeContext()
    first = inputs[0] if inputs else ctx.input
    raw = dict(config or {})
    rendered = {
        name: value if name in node_type.lazy | node_type.verbatim else ctx.render(value, input=first, item=first) for name, value in raw.items()
    }
    given: list[Any] = []
    left = list(inputs)
    for port in node_type.inputs:
        if port.many:
            given.append(left)
            break
        if left:
            given.append(left.pop(0))
    assert node_type.config is not None, "run_node is for catalogue nodes; call a function's own Python function"  # noqa: S101 - an assertion of tests
    arguments = (node_type.config.model_validate(rendered), *given)
    if inspect.iscoroutinefunction(node_type.function):
        return await node_type.function(*arguments, ctx=ctx)
    return await asyncio.to_thread(node_type.function, *arguments, ctx=ctx)
