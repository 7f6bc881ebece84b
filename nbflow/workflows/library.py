"""The workflows of a project: every change is one transaction, with its version, its triggers and its audit entry."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from nbflow.core.errors import QueryError, UnknownVersionError, UnknownWorkflowError, VersionConflictError, WebhookClashError, WorkflowError
from nbflow.core.ids import new_id
from nbflow.store.audit import LOCAL, entry
from nbflow.workflows import records
from nbflow.workflows.admission import admit
from nbflow.workflows.records import statement
from nbflow.workflows.triggers import routes
from nbflow.workflows.workflow import Workflow

if TYPE_CHECKING:
    import builtins
    from collections.abc import Collection, Iterable, Mapping

    from nbflow.core.flow import Flow
    from nbflow.core.node import NodeType
    from nbflow.store.audit import Actor
    from nbflow.store.interface import Store
    from nbflow.workflows.module import Module
    from nbflow.workflows.workflow import Version, Webhook

_TRIES = 5  # of a change, when others change the same workflow at the same time


class Kept:
    """Says "as it is", where None says "none"."""


KEEP: Final = Kept()


class _ConflictError(Exception):
    """Somebody else was faster; nothing was saved."""


class Workflows:
    """All methods block. `organizations` limits what is visible (None: everything); what is not visible raises UnknownWorkflowError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[UUID, tuple[int, Workflow]] = {}  # with the store's generation before it was read

    # Reading ----------------------------------------------------------------------------------------

    def get(self, id_: UUID | str, *, organizations: Collection[UUID] | None = None) -> Workflow:
        """Quick when nothing has changed since. Raises UnknownWorkflowError."""
        wanted = _uuid(id_)
        if wanted is None:
            raise UnknownWorkflowError(id_)
        generation = self._store.generation()
        known = self._known.get(wanted)
        if known is None or known[0] != generation:
            found = self._select(id=wanted)
            if not found:
                self._known.pop(wanted, None)
                raise UnknownWorkflowError(id_)
            known = self._known[wanted] = generation, found[0]
        if organizations is not None and known[1].organization_id not in organizations:
            raise UnknownWorkflowError(id_)
        return known[1]

    def by_name(self, name: str, *, organizations: Collection[UUID] | None = None) -> Workflow | None:
        """The newest of this name."""
        found = self._select(name=name, organizations=organizations, limit=1)
        return found[0] if found else None

    def versions(self, id_: UUID | str, *, organizations: Collection[UUID] | None = None) -> builtins.list[Version]:
        """Newest first. Raises UnknownWorkflowError."""
        return self._versions(self.get(id_, organizations=organizations).id)

    def version(self, id_: UUID | str, version: int | UUID | str, *, organizations: Collection[UUID] | None = None) -> Version:
        """By its number or id. Raises UnknownWorkflowError, UnknownVersionError."""
        workflow = self.get(id_, organizations=organizations)
        text = str(version).strip()
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004 -- an INTEGER
        wanted = _uuid(text) if number is None else None
        found = self._versions(workflow.id, number=number, version_id=wanted) if number is not None or wanted else []
        if not found:
            raise UnknownVersionError(workflow.name, version)
        return found[0]

    def webhooks(self, *, organizations: Collection[UUID] | None = None) -> builtins.list[Webhook]:
        """The whole registry, also of inactive workflows, ordered by path and method."""
        return [records.webhook_of(row) for row in self._ask("select_webhooks", organizations=records.ids(organizations))]

    # Making -----------------------------------------------------------------------------------------

    def create(
        self,
        flow: Flow,
        *,
        organization_id: UUID | None = None,
        workspace_id: UUID | None = None,
        name: str | None = None,
        description: str | None = None,
        module: Module | None = None,
        functions: Mapping[str, NodeType] | None = None,
        active: bool = False,
        tags: Iterable[str] = (),
        settings: Mapping[str, Any] | None = None,
        comment: str = "",
        actor: Actor = LOCAL,
    ) -> Workflow:
        """Stores a flow as version 1. Without an organization it is the default one's. `functions`: those of the flow that are at hand here.

        Raises CheckError with every problem, WebhookClashError.
        """
        admit(flow, module, functions)
        created_by = actor.user_id
        if organization_id is None:
            organization_id, workspace_id, created_by = self._default(workspace_id, created_by)
        now = datetime.now(UTC)
        workflow = Workflow(
            id=new_id(),
            organization_id=organization_id,
            workspace_id=workspace_id,
            name=name or flow.name,
            description=flow.description if description is None else description,
            flow=flow,
            flow_hash=flow.hash,
            version=1,
            version_id=new_id(),
            active=active,
            tags=_tags(tags),
            settings=dict(settings or {}),
            module=module,
            created_by=created_by,
            created_at=now,
            updated_at=now,
        )
        changes = [
            *records.refusals(workflow),
            records.insertion(workflow),
            records.new_version(workflow, comment, created_by),
            *records.registrations(workflow, ()),
            _audit(actor, "workflow.created", None, workflow),
        ]
        for _ in range(_TRIES):
            with suppress(_ConflictError):  # a clash that was gone when it was looked at
                self._write(workflow, changes)
                return workflow
        message = f"workflow '{workflow.name}' could not be stored: others change the same webhooks all the time; try again"
        raise WorkflowError(message)

    def duplicate(self, id_: UUID | str, *, organizations: Collection[UUID] | None = None, actor: Actor = LOCAL) -> Workflow:
        """A copy named "NAME (Copy)", inactive. Raises UnknownWorkflowError."""
        original = self.get(id_, organizations=organizations)
        return self.create(
            original.flow,
            organization_id=original.organization_id,
            workspace_id=original.workspace_id,
            name=f"{original.name} (Copy)",
            description=original.description,
            module=original.module,
            tags=original.tags,
            settings=original.settings,
            comment=f"copy of '{original.name}', version {original.version}",
            actor=actor,
        )

    # Changing ---------------------------------------------------------------------------------------

    def update(
        self,
        id_: UUID | str,
        *,
        flow: Flow | None = None,
        module: Module | Kept | None = KEEP,
        functions: Mapping[str, NodeType] | None = None,
        name: str | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        active: bool | None = None,
        settings: Mapping[str, Any] | None = None,
        comment: str = "",
        expected_version: int | None = None,
        organizations: Collection[UUID] | None = None,
        actor: Actor = LOCAL,
    ) -> Workflow:
        """Changes what is given. Another flow (its layout does not count) or module makes a version.

        Raises UnknownWorkflowError, CheckError, WebhookClashError, VersionConflictError.
        """
        given = {
            "flow": flow,
            "name": name,
            "description": description,
            "tags": None if tags is None else _tags(tags),
            "active": active,
            "settings": None if settings is None else dict(settings),
        }
        changed: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        if not isinstance(module, Kept):
            changed["module"] = module
        return self._update(id_, changed, functions=functions, comment=comment, expected=expected_version, organizations=organizations, actor=actor)

    def activate(self, id_: UUID | str, *, organizations: Collection[UUID] | None = None, actor: Actor = LOCAL) -> Workflow:
        """Its triggers start it from now on. Raises UnknownWorkflowError, WebhookClashError."""
        return self.update(id_, active=True, organizations=organizations, actor=actor)

    def deactivate(self, id_: UUID | str, *, organizations: Collection[UUID] | None = None, actor: Actor = LOCAL) -> Workflow:
        """Its triggers start it no more. Raises UnknownWorkflowError."""
        return self.update(id_, active=False, organizations=organizations, actor=actor)

    def restore(self, id_: UUID | str, version: int | UUID | str, *, organizations: Collection[UUID] | None = None, actor: Actor = LOCAL) -> Workflow:
        """A new version with an old one's content. Raises UnknownWorkflowError, UnknownVersionError, CheckError, WebhookClashError."""
        old = self.version(id_, version, organizations=organizations)
        return self._update(
            id_,
            {"flow": old.flow, "module": old.module},
            comment=f"version {old.version} restored",
            organizations=organizations,
            actor=actor,
            action="workflow.restored",
        )

    def delete(self, id_: UUID | str, *, organizations: Collection[UUID] | None = None, actor: Actor = LOCAL) -> None:
        """With its versions, executions, logs, events, webhooks, schedules and alerts. Raises UnknownWorkflowError."""
        workflow = self.get(id_, organizations=organizations)
        self._store.transact([*records.removal(workflow.id), _audit(actor, "workflow.deleted", workflow, None)])

    def _update(
        self,
        id_: UUID | str,
        changed: Mapping[str, Any],
        *,
        functions: Mapping[str, NodeType] | None = None,
        comment: str = "",
        expected: int | None = None,
        organizations: Collection[UUID] | None = None,
        actor: Actor,
        action: str | None = None,
    ) -> Workflow:
        for _ in range(_TRIES):
            old = self.get(id_, organizations=organizations)
            if expected is not None and old.version != expected:
                raise VersionConflictError(old.name, expected, old.version)
            new = _successor(old, changed)
            if _same(old, new):
                return old
            if new.flow != old.flow or new.module != old.module:
                admit(new.flow, new.module, functions)
            try:
                return self._save(old, new, comment=comment, actor=actor, action=action or _action(old, new))
            except _ConflictError:
                continue
        raise VersionConflictError(old.name, old.version, self.get(id_).version)

    def _save(self, old: Workflow, new: Workflow, *, comment: str, actor: Actor, action: str) -> Workflow:
        """One transaction. Raises _ConflictError, WebhookClashError."""
        changes = [statement("refuse_other_version", id=old.id, version=old.version, updated_at=old.updated_at), *records.refusals(new)]
        if new.version != old.version:
            changes.append(records.new_version(new, comment, actor.user_id))
        elif new.flow != old.flow:
            changes.append(statement("update_version_layout", workflow_id=new.id, version=new.version, definition=new.flow.to_json()))
        changes.append(records.change(new))
        if new.version != old.version or new.active != old.active:
            scheduled = [str(row["node_id"]) for row in self._ask("select_schedules", workflow_id=new.id)]
            changes += records.registrations(new, scheduled)
        self._write(new, [*changes, _audit(actor, action, old, new)])
        return new

    def _write(self, workflow: Workflow, changes: builtins.list[records.Statement]) -> None:
        """Refused within the transaction, a clash or conflict is told like one that was found before it."""
        if workflow.active:
            self.refuse_clash(workflow.flow, workflow.organization_id, workflow.id)
        try:
            self._store.transact(changes)
        except QueryError as error:
            if "nbflow:clash" in str(error):
                self.refuse_clash(workflow.flow, workflow.organization_id, workflow.id)  # else the other one has gone again meanwhile
            elif "nbflow:conflict" not in str(error):
                raise
            raise _ConflictError from None

    def refuse_clash(self, flow: Flow, organization_id: UUID | None, workflow_id: UUID | None = None) -> None:
        """Raises WebhookClashError when another active workflow answers what the flow's webhooks want to answer."""
        wanted = {(route.method, route.shape): route for route in routes(flow)}
        if not wanted:
            return
        for row in self._ask("select_clashes", workflow_id=workflow_id, methods=[method for method, _ in wanted]):
            route = wanted.get((row["method"], row["shape"]))
            if route is not None:
                own = row["organization_id"] == organization_id
                raise WebhookClashError(route.path, route.method, row["workflow"] if own else None)

    # The store --------------------------------------------------------------------------------------

    def _select(self, *, organizations: Collection[UUID] | None = None, limit: int = 1, **wanted: Any) -> builtins.list[Workflow]:
        params = {"id": None, "name": None, "search": None, "tag": None, "active": None, "before": None, **wanted}
        rows = self._ask("select_workflows", organizations=records.ids(organizations), limit=limit, **params)
        return [records.workflow_of(row) for row in rows]

    def _versions(self, workflow_id: UUID, *, number: int | None = None, version_id: UUID | None = None) -> builtins.list[Version]:
        return [records.version_of(row) for row in self._ask("select_versions", workflow_id=workflow_id, version=number, id=version_id)]

    def _ask(self, sql: str, /, **params: Any) -> builtins.list[dict[str, Any]]:
        return self._store.query(*statement(sql, **params)).dicts()

    def _default(self, workspace_id: UUID | None, user_id: UUID | None) -> tuple[UUID, UUID, UUID]:
        from nbflow.accounts.directory import Directory

        default = Directory(self._store).default()
        return default.organization.id, workspace_id or default.workspace.id, user_id or default.user.id

    def list(
        self,
        *,
        organizations: Collection[UUID] | None = None,
        search: str | None = None,
        tag: str | None = None,
        active: bool | None = None,
        before: UUID | str | None = None,
        limit: int = 50,
    ) -> builtins.list[Workflow]:
        """Newest first. `search`: part of name or description; `before`: the last id of the previous page."""
        return self._select(organizations=organizations, search=search, tag=tag, active=active, before=before, limit=limit)


def _successor(old: Workflow, changed: Mapping[str, Any]) -> Workflow:
    """The workflow with the changes; a version further when its definition means something else."""
    new = replace(old, **changed, updated_at=datetime.now(UTC))
    hash_ = new.flow.hash
    if hash_ == old.flow_hash and new.module == old.module:
        return new
    return replace(new, flow_hash=hash_, version=old.version + 1, version_id=new_id())


def _same(old: Workflow, new: Workflow) -> bool:
    return replace(new, updated_at=old.updated_at) == old


def _action(old: Workflow, new: Workflow) -> str:
    only_activity = replace(new, active=old.active, updated_at=old.updated_at) == old
    if not only_activity:
        return "workflow.updated"
    return "workflow.activated" if new.active else "workflow.deactivated"


def _audit(actor: Actor, action: str, before: Workflow | None, after: Workflow | None) -> records.Statement:
    subject = after or before
    assert subject is not None  # noqa: S101 -- one of the two is given
    return entry(
        actor,
        action,
        "workflow",
        subject.id,
        organization_id=subject.organization_id,
        before=None if before is None else _shown(before),
        after=None if after is None else _shown(after),
    )


def _shown(workflow: Workflow) -> dict[str, Any]:
    """What the audit log keeps; the definition itself is kept as a version."""
    names = ("name", "description", "version", "version_id", "flow_hash", "active", "tags", "settings")
    return {name: getattr(workflow, name) for name in names}


def _tags(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))


def _uuid(value: UUID | str) -> UUID | None:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError):
        return None
