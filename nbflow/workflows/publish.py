"""Publishing: a flow as it is here becomes a version of a workflow, with all that it needs to run anywhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

from nbflow.accounts.directory import Directory
from nbflow.core.check import check
from nbflow.core.errors import CheckError, PublishError
from nbflow.core.flow import Node, Output
from nbflow.runtime.catalogue import FunctionCatalogue
from nbflow.store.audit import LOCAL, Actor
from nbflow.workflows.collect import Source, collect, own_source
from nbflow.workflows.library import Workflows
from nbflow.workflows.loading import is_loading
from nbflow.workflows.trial import try_out
from nbflow.workflows.triggers import SCHEDULE, WEBHOOK, routes, timers, trigger_problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nbflow.authoring.trace import Definition
    from nbflow.core.flow import Flow
    from nbflow.store.interface import Store
    from nbflow.workflows.workflow import Workflow

_OUTPUT = "output"
_CARD = "border:1px solid rgba(128,128,128,0.25);border-radius:10px;padding:10px 14px;margin:4px 0;max-width:640px;line-height:1.6"
_MUTED = "color:rgb(128,134,145)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """What was published. `server` is the address of this project's running server, None when there is none."""

    workflow: Workflow
    is_new: bool  # whether a version was made; publishing the same again makes none
    server: str | None = None
    dropped: tuple[str, ...] = ()  # triggers of the version before that this one has no more

    @property
    def triggers(self) -> tuple[str, ...]:
        """What starts it: `POST /webhooks/orders`, `schedule 0 7 * * * (UTC)`."""
        return triggers_of(self.workflow, self.server)

    def _advice(self) -> str:
        name = self.workflow.name
        if not self.triggers:
            return f"nothing starts it by itself: publish with webhook= or schedule=, or run it by hand over the REST API (id {self.workflow.id})"
        if not self.workflow.active:
            return f"not active: its triggers do not start it. `nbflow workflows activate {name}` changes that"
        if not routes(self.workflow.flow):
            return "the schedule is kept with the workflow; this version of nbflow starts nothing by the clock yet"
        if self.server is None:
            return "active as soon as a server of this project runs: `nbflow serve` starts one"
        return f"active, served at {self.server}"

    def _state(self) -> str:
        return "published" if self.is_new else "nothing has changed since it was published"

    def __repr__(self) -> str:
        head = f"workflow '{self.workflow.name}', version {self.workflow.version}: {self._state()}"
        gone = [f"  no more: {trigger}" for trigger in self.dropped]
        return "\n".join([head, *(f"  {trigger}" for trigger in self.triggers), *gone, f"  {self._advice()}"])

    def _repr_html_(self) -> str:
        colour = "#2da44e" if self.workflow.active else "#8b93a1"
        rows = "".join(f"<div><code>{escape(trigger)}</code></div>" for trigger in self.triggers)
        gone = "".join(f'<div style="{_MUTED}">no more: <code>{escape(trigger)}</code></div>' for trigger in self.dropped)
        return (
            f'<div style="{_CARD}"><div><span style="color:{colour}">●</span> <b>{escape(self.workflow.name)}</b> '
            f'version {self.workflow.version}, {self._state()}</div>{rows}{gone}<div style="{_MUTED}">{escape(self._advice())}</div></div>'
        )


def triggers_of(workflow: Workflow, server: str | None = None) -> tuple[str, ...]:
    """What starts a workflow, in words; with the server's address where it is known."""
    base = (server or "").rstrip("/")
    webhooks = [f"{route.method} {base}/webhooks{route.path}" for route in routes(workflow.flow)]
    return (*webhooks, *(f"schedule {timer.cron or f'every {timer.every}'} ({timer.timezone})" for timer in timers(workflow.flow)))


def publish(
    definition: Definition,
    *,
    store: Store,
    project: Path,
    webhook: str | Mapping[str, Any] | None = None,
    schedule: str | Mapping[str, Any] | None = None,
    name: str | None = None,
    active: bool = True,
    tags: Iterable[str] = (),
    comment: str = "",
    source: Source | None = None,
    server: str | None = None,
    actor: Actor = LOCAL,
) -> Published:
    """Makes the workflow of this name, or a version of it. `webhook`: a path, or fields of trigger.webhook; `schedule`: cron, or fields of
    trigger.schedule. `source`: where functions of `__main__` were written; this kernel's cells unless given.

    Raises CheckError, WebhookClashError, and PublishError for code that would not run anywhere else.
    """
    if is_loading():
        message = (
            f"flow '{definition.flow.name}' is published by its own code, which runs wherever the flow runs; publish it from another cell or file"
        )
        raise PublishError(message)
    catalogue = FunctionCatalogue(definition.functions)
    _refuse_problems(definition.flow, catalogue)
    flow = with_triggers(definition.flow, webhook=webhook, schedule=schedule, catalogue=catalogue)
    _refuse_problems(flow, catalogue)
    workflows, home = Workflows(store), Directory(store).default().organization.id
    wanted = name or flow.name
    known = workflows.by_name(wanted, organizations={home})
    if active:
        workflows.refuse_clash(flow, home, None if known is None else known.id)
    collected = collect(definition, source or own_source(), project)
    if collected is not None:
        try_out(collected, project)
    given: dict[str, Any] = {"active": active, "comment": comment, "actor": actor}
    given |= {"module": None if collected is None else collected.module, "functions": {} if collected is None else collected.functions}
    if known is None:
        return Published(workflow=workflows.create(flow, organization_id=home, name=wanted, tags=tags, **given), is_new=True, server=server)
    changed = workflows.update(known.id, flow=flow, description=flow.description, tags=tuple(tags) or None, **given)
    present = triggers_of(changed, server)
    dropped = tuple(trigger for trigger in triggers_of(known, server) if trigger not in present)
    return Published(workflow=changed, is_new=changed.version != known.version, server=server, dropped=dropped)


def _refuse_problems(flow: Flow, catalogue: FunctionCatalogue) -> None:
    if problems := check(flow, catalogue) or [*trigger_problems(flow)]:
        raise CheckError(flow.name, problems)


def with_triggers(
    flow: Flow, *, webhook: str | Mapping[str, Any] | None, schedule: str | Mapping[str, Any] | None, catalogue: FunctionCatalogue
) -> Flow:
    """The flow with trigger nodes that it did not have. They need no edges: the request fills the flow's parameters (`binding.bind`).

    Raises PublishError when it has such a node already.
    """
    wanted = {WEBHOOK: ("webhook", webhook, "path"), SCHEDULE: ("schedule", schedule, "cron")}
    fresh: list[Node] = []
    for type_, (word, given, field) in wanted.items():
        if given is None:
            continue
        present = next((node.id for node in flow.nodes if node.type == type_), None)
        if present is not None:
            message = f"flow '{flow.name}' has the node '{present}' ({type_}) already; set its {field} there and publish without {word}="
            raise PublishError(message)
        config = {field: given} if isinstance(given, str) else dict(given)
        fresh.append(Node(id=_free(word, flow), type=type_, config=config))
    if not fresh:
        return flow
    outputs = flow.outputs or _leaves(flow, catalogue)
    return replace(flow, nodes=(*fresh, *flow.nodes), outputs=outputs)


def _leaves(flow: Flow, catalogue: FunctionCatalogue) -> dict[str, Output]:
    """What the flow gave before it had triggers, by name: else they would count as results."""
    followed = {edge.source for edge in flow.edges}
    ends = [node for node in flow.nodes if node.parent is None and node.id not in followed]
    return {node.id: Output(node=node.id) for node in ends if _OUTPUT in catalogue.resolve(node).outputs_of(node.config)}


def _free(word: str, flow: Flow) -> str:
    taken = {node.id for node in flow.nodes}
    return next(name for number in range(1, len(taken) + 2) if (name := word if number == 1 else f"{word}_{number}") not in taken)
