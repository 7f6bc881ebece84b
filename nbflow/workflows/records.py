"""Workflows and versions as rows: from the store, and the statements that put them there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbflow.core.flow import Flow
from nbflow.core.ids import new_id
from nbflow.store.sql import statements
from nbflow.workflows.module import Module
from nbflow.workflows.triggers import routes, timers
from nbflow.workflows.workflow import Version, Webhook, Workflow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from uuid import UUID

Statement = tuple[str, dict[str, Any]]


def statement(sql: str, /, **params: Any) -> Statement:
    """A statement of workflows.sql with what it binds: ids as text, times naive, mappings as JSON."""
    return statements("workflows.sql")[sql], {key: _plain(value) for key, value in params.items()}


def ids(organizations: Collection[UUID] | None) -> list[str] | None:
    """As `$organizations` wants them."""
    return None if organizations is None else [str(id_) for id_ in organizations]


# From the store ---------------------------------------------------------------------------------


def workflow_of(row: Mapping[str, Any]) -> Workflow:
    """A row of `select_workflows`. Raises DocumentError for a definition that this nbflow cannot read."""
    name = row["name"]
    return Workflow(
        **{key: row[key] for key in ("id", "organization_id", "workspace_id", "name", "flow_hash", "version", "version_id", "active", "created_by")},
        description=row["description"] or "",
        flow=Flow.from_json(row["definition"], source=f"workflow '{name}'"),
        tags=tuple(row["tags"] or ()),
        settings=_json(row["settings"]) or {},
        module=_module(row["module"], f"workflow '{name}'"),
        created_at=_aware(row["created_at"]),
        updated_at=_aware(row["updated_at"]),
    )


def version_of(row: Mapping[str, Any]) -> Version:
    """A row of `select_versions`. Raises DocumentError for a definition that this nbflow cannot read."""
    source = f"workflow '{row['name']}', version {row['version']}"
    return Version(
        **{key: row[key] for key in ("id", "workflow_id", "version", "name", "flow_hash", "created_by")},
        flow=Flow.from_json(row["definition"], source=source),
        module=_module(row["module"], source),
        comment=row["comment"] or "",
        created_at=_aware(row["created_at"]),
    )


def webhook_of(row: Mapping[str, Any]) -> Webhook:
    """A row of `select_webhooks`."""
    return Webhook(**{**row, "config": _json(row["config"]) or {}})


# Into the store ---------------------------------------------------------------------------------


def insertion(workflow: Workflow) -> Statement:
    """The statement that writes a new workflow down."""
    return statement(
        "insert_workflow",
        **_facts(workflow),
        organization_id=workflow.organization_id,
        workspace_id=workflow.workspace_id,
        created_by=workflow.created_by,
        now=workflow.updated_at,
    )


def change(workflow: Workflow) -> Statement:
    """The statement that brings its row up to date."""
    return statement("update_workflow", **_facts(workflow), now=workflow.updated_at)


def new_version(workflow: Workflow, comment: str, created_by: UUID | None) -> Statement:
    """The statement that writes its present definition down as the version that it says it is."""
    return statement(
        "insert_version",
        id=workflow.version_id,
        workflow_id=workflow.id,
        version=workflow.version,
        name=workflow.name,
        definition=workflow.flow.to_json(),
        flow_hash=workflow.flow_hash,
        module=None if workflow.module is None else workflow.module.to_dict(),
        comment=comment,
        created_by=created_by,
        now=workflow.updated_at,
    )


def refusals(workflow: Workflow) -> Iterator[Statement]:
    """Statements that raise when another active workflow answers one of its routes."""
    for route in routes(workflow.flow) if workflow.active else ():
        yield statement("refuse_webhook_clash", workflow_id=workflow.id, method=route.method, shape=route.shape)


def registrations(workflow: Workflow, scheduled: Collection[str]) -> Iterator[Statement]:
    """Statements that bring webhook registry and schedules in step with its triggers. `scheduled`: nodes that have a schedule now."""
    facts: dict[str, Any] = {"workflow_id": workflow.id, "active": workflow.active, "now": workflow.updated_at}
    found = routes(workflow.flow)
    yield statement("drop_webhooks", workflow_id=workflow.id, kept=[f"{route.node} {route.method}" for route in found])
    for route in found:
        yield statement("register_webhook", node_id=route.node, path=route.path, method=route.method, config=route.config, **facts)
    rules = timers(workflow.flow)
    yield statement("drop_schedules", workflow_id=workflow.id, kept=[timer.node for timer in rules])
    for timer in rules:
        seconds = None if timer.every is None else timer.every.total_seconds()
        rule: dict[str, Any] = {"cron": timer.cron, "interval_seconds": seconds, "timezone": timer.timezone, "config": timer.config}
        rule |= {"flow": workflow.flow.name, "node_id": timer.node, **facts}
        if timer.node in scheduled:
            yield statement("update_schedule", **rule)
        else:
            yield statement("insert_schedule", id=new_id(), organization_id=workflow.organization_id, **rule)


def removal(id_: UUID) -> Iterator[Statement]:
    """Statements that remove a workflow with everything that hangs on it; what others are found by goes last."""
    names = ("alert_history", "alerts", "logs", "events", "artifacts", "executions", "webhooks", "schedules", "versions", "workflow")
    return (statement(f"delete_{name}", id=id_) for name in names)


def _facts(workflow: Workflow) -> dict[str, Any]:
    return {
        "id": workflow.id,
        "name": workflow.name,
        "description": workflow.description,
        "definition": workflow.flow.to_json(),
        "flow_hash": workflow.flow_hash,
        "version": workflow.version,
        "active": workflow.active,
        "tags": list(workflow.tags),
        "settings": workflow.settings,
        "module": None if workflow.module is None else workflow.module.to_dict(),
    }


def _module(text: str | None, source: str) -> Module | None:
    data = _json(text)
    return None if data is None else Module.from_dict(data, source=f"the module of {source}")


def _json(text: str | None) -> Any:
    import orjson

    return None if text is None else orjson.loads(text)


def _plain(value: Any) -> Any:
    from uuid import UUID

    import orjson

    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    if value is None or isinstance(value, str | int | float | list):
        return value
    return orjson.dumps(dict(value), default=str).decode()


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
