"""One call of one node: what its function is lent (`core.node.Context`) and where its output goes (`core.current.NodeOutput`)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import deepcopy
from functools import reduce
from operator import getitem
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from nbflow.core.errors import ConfigError, InputError
from nbflow.core.events import NodeDisplayed, NodeLogged, NodeProgressed, NodeResponded, NodeStarted, Usage
from nbflow.core.node import Emit
from nbflow.core.redaction import redactor
from nbflow.core.template import compile_template
from nbflow.engine.plan import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from nbflow.core.node import Body, Credential
    from nbflow.engine.plan import PlanNode
    from nbflow.engine.scope import Scope


class NodeCall:
    """Lives as long as the call; everything a user prints, logs or shows meanwhile comes here.

    What items of an `each` node say lands in that node's record; what an iteration that is not recorded singly says, in its loop's.
    """

    __slots__ = ("attempt", "consumed", "figures", "item", "iterations", "path", "plan_node", "position", "queued", "scope", "started_ns")

    def __init__(self, scope: Scope, position: int, plan_node: PlanNode) -> None:
        self.scope = scope
        self.position = position
        self.plan_node = plan_node
        self.path: tuple[int, ...] = scope.path
        self.attempt = 1
        self.figures: Any = None
        self.consumed: Usage | None = None
        self.item: Any = MISSING  # the item, in one call of an `each` node
        self.started_ns = 0
        self.iterations = 0  # of a loop's body or an `each` node
        self.queued = False  # waits for its turn before it starts

    # What is lent to the function (Context) ---------------------------------------------------------

    @property
    def flow(self) -> str:
        """Name of the flow."""
        return self.scope.run.flow.name

    @property
    def node(self) -> str:
        """Id of the node."""
        return self.plan_node.id

    @property
    def execution_id(self) -> str:
        """UUIDv7."""
        return self.scope.run.id

    @property
    def params(self) -> Mapping[str, Any]:
        """The flow's validated parameters."""
        return self.scope.run.params

    @property
    def input(self) -> Any:
        """What started the execution."""
        return self.scope.run.input

    @property
    def body(self) -> Body:
        """The nodes inside this loop."""
        from nbflow.engine.loops import LoopBody

        if self.plan_node.body is None:
            message = f"node '{self.node}' has no body"
            raise TypeError(message)
        return LoopBody(self)

    @property
    def project(self) -> Path:
        """The project's folder."""
        return self.scope.run.services.project()

    @property
    def http(self) -> Any:
        """A shared `httpx.AsyncClient`."""
        return self.scope.run.services.http()

    def credential(self, name: str, kind: str | None = None) -> Credential:
        """A named credential."""
        return self.scope.run.services.credential(name, kind)

    def now(self) -> datetime:
        """Aware, in the flow's time zone."""
        run = self.scope.run
        return run.services.clock.now().astimezone(ZoneInfo(run.flow.settings.timezone))

    async def sleep(self, seconds: float) -> None:
        """Waits on the lent clock; cancelled with the execution."""
        await self.scope.run.services.clock.sleep(seconds)

    def render(self, template: Any, **scope: Any) -> Any:
        """Evaluates every `{{ }}` in the value, with names added to what expressions see."""
        compiled = compile_template(template)
        return template if compiled is None else compiled.render({**self.names(compiled.names), **scope})

    def progress(self, fraction: float | None, message: str = "", *, done: int = 0, total: int = 0) -> None:
        """`fraction` from 0 to 1, None for "busy". That of one item or of an iteration that is not recorded is not told."""
        if self.scope.recorded and self.item is MISSING:
            message = redactor.text(message) if redactor.active else message
            self.scope.run.sink(NodeProgressed(self.scope.run.id, self.node, self.path, fraction, message, done, total))

    def usage(self, *, model: str = "", tokens_in: int = 0, tokens_out: int = 0, cost_usd: float | None = None) -> None:
        """Adds to what the call consumed."""
        self.add(Usage(model, tokens_in, tokens_out, cost_usd))

    def add(self, more: Usage) -> None:
        """Adds what a part of the call consumed: an item, an iteration that is not recorded singly. An unknown price makes the sum unknown."""
        before = self.consumed
        if before is None:
            self.consumed = more
            return
        cost = None if before.cost_usd is None or more.cost_usd is None else before.cost_usd + more.cost_usd
        self.consumed = Usage(more.model or before.model, before.tokens_in + more.tokens_in, before.tokens_out + more.tokens_out, cost)

    # Where output goes (NodeOutput) -----------------------------------------------------------------

    def write(self, stream: str, text: str) -> None:
        """`stream` is stdout or stderr."""
        self._logged(stream, "info" if stream == "stdout" else "warn", text)

    def log(self, message: str, level: str = "info") -> None:
        """One line in the node's record; `level` is debug, info, warn or error."""
        self._logged("log", level, message)

    def _logged(self, stream: str, level: str, text: str) -> None:
        run, call = self.scope.run, self._recorded()
        text = redactor.text(text) if redactor.active else text
        run.sink(NodeLogged(run.id, call.node, call.scope.path, time.time_ns(), stream, level, text))

    def _recorded(self) -> NodeCall:
        """This call, or the nearest loop around it that has a record."""
        call = self
        while not call.scope.recorded and call.scope.around is not None:
            call = call.scope.around
        return call

    def display(self, value: Any, metadata: Mapping[str, Any] | None = None) -> None:
        """A MIME bundle (with its metadata), or any value that has a rich form."""
        run, call = self.scope.run, self._recorded()
        if metadata is None:
            metadata = {}
            value = run.services.bundle(value) or {"text/plain": str(value)}
        if redactor.active:
            value, metadata = redactor.value(value), redactor.value(metadata)
        run.sink(NodeDisplayed(run.id, call.node, call.scope.path, value, metadata))

    def respond(self, body: str | bytes, *, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "text/plain") -> None:
        """Answers whoever waits for the execution."""
        run, call = self.scope.run, self._recorded()
        if redactor.active:
            body, headers = redactor.value(body), redactor.value(headers)
        run.sink(NodeResponded(run.id, call.node, call.scope.path, time.time_ns(), status, dict(headers or {}), body, media_type))

    # The call's own work ----------------------------------------------------------------------------

    def begin(self) -> None:
        """Its turn has come: only now its time counts."""
        run = self.scope.run
        self.queued = False
        self.started_ns = run.now_ns()
        if self.scope.recorded and self.item is MISSING:
            run.sink(NodeStarted(run.id, self.node, self.path, self.started_ns))

    def port(self, slots: list[int], *, many: bool) -> Any:
        """The value of a port; MISSING when nothing came."""
        values = self.scope.values
        if many:
            return [values[slot] for slot in slots if values[slot] is not MISSING]
        value = values[slots[0]]
        return self.item if self.item is not MISSING and slots is self.plan_node.inputs[0][2] else value

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """Positional and named arguments of the function. Raises ConfigError, ExpressionError, InputError."""
        node = self.plan_node
        given = {name: value for name, many, slots in node.inputs if (value := self.port(slots, many=many)) is not MISSING}
        if node.type.config is None:
            return [], self._named(given)
        config = node.config
        if config is None:
            assert node.template is not None  # noqa: S101 -- compile keeps config None only then
            config = self._configured(node.template.render(self.names(node.template.names, given)))
        named: dict[str, Any] = {"ctx": self}
        for port in node.type.inputs:
            if port.name in given:
                named[port.name] = given[port.name]
            elif port.many:
                named[port.name] = []
            elif port.required:
                message = f"nothing arrived at input '{port.name}'"
                raise InputError(message)
        return [config], named

    def _named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What a user's function is called with."""
        node = self.plan_node
        if node.template is not None:
            named = node.template.render(self.names(node.template.names, given))
        else:
            named = deepcopy(dict(node.literals)) if node.copied else dict(node.literals)
        for port in node.type.inputs:
            if port.many:
                named.setdefault(port.name, [])
        named.update(given)
        if node.type.takes_context is not None:
            named[node.type.takes_context] = self
        return dict(named)

    def _configured(self, rendered: Mapping[str, Any]) -> Any:
        model = self.plan_node.type.config
        assert model is not None  # noqa: S101 -- only catalogue nodes come here
        raw = {**self.plan_node.literals, **rendered}
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or None
            message = f"{first['msg']} (after its expressions were evaluated to {redactor.cut(str(first['input']), 80)!r})"
            raise ConfigError(message, field=field) from None

    def names(self, wanted: frozenset[str], given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What expressions see, as far as they ask for it."""
        if given is None:
            given = {name: value for name, many, slots in self.plan_node.inputs if (value := self.port(slots, many=many)) is not MISSING}
        found: dict[str, Any] = {}
        for name in wanted:
            if name == "input":
                found[name] = self.item if self.item is not MISSING else next(iter(given.values()), self.input)
            elif name == "inputs":
                found[name] = given
            elif name == "nodes":
                found[name] = NodeValues(self.scope)
            elif name in {"item", "index"}:
                found |= self._iteration()
            else:
                found |= self._surroundings(name)
        return found

    def _surroundings(self, name: str) -> dict[str, Any]:
        run = self.scope.run
        if name == "params":
            return {name: run.params}
        if name == "execution":
            return {name: {"id": run.id, "flow": run.flow.name, "started_at": run.started_at}}
        if name == "now":
            return {name: self.now()}
        return {name: run.flow.settings.vars} if name == "vars" else {}

    def _iteration(self) -> dict[str, Any]:
        if self.item is not MISSING:
            return {"item": self.item, "index": self.path[-1]}
        if self.scope.parent is None:
            return {}
        return {"item": self.scope.item, "index": self.scope.path[-1]}


class NodeValues(Mapping[str, Any]):
    """`nodes` in expressions: the values of nodes of this scope and of those around it."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __getitem__(self, id_: str) -> Any:
        scope: Scope | None = self.scope
        while scope is not None:
            position = scope.plan.index.get(id_)
            if position is not None:
                value = scope.results[position]
                if value is MISSING:
                    raise KeyError(id_)
                return plain(value)
            scope = scope.parent
        raise KeyError(id_)

    def __iter__(self) -> Iterator[str]:
        scope: Scope | None = self.scope
        while scope is not None:
            yield from (id_ for id_, position in scope.plan.index.items() if scope.results[position] is not MISSING)
            scope = scope.parent

    def __len__(self) -> int:
        return sum(1 for _ in self)


def plain(value: Any) -> Any:
    """A node's value as users see it: of several ports the live one, or all live ones by name."""
    if isinstance(value, Emit):
        return next(iter(value.ports.values()), None) if len(value.ports) <= 1 else value.ports
    return value


def part(value: Any, path: tuple[str | int, ...]) -> Any:
    """`value["rows"][0]` for `("rows", 0)`. Raises InputError naming the step that is not there."""
    try:
        return reduce(getitem, path, value)
    except (KeyError, IndexError, TypeError) as error:
        steps = "".join(f"[{step!r}]" for step in path)
        message = f"the value has no {steps}: {type(error).__name__}: {error}"
        raise InputError(message) from None
