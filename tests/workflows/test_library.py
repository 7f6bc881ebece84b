"""Workflows in the store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from nbflow.accounts.directory import Directory
from nbflow.core.errors import CheckError, UnknownVersionError, UnknownWorkflowError, VersionConflictError, WebhookClashError, WorkflowError
from nbflow.core.flow import Flow, Node, NodeSettings
from nbflow.core.redaction import redactor
from nbflow.store.audit import Actor
from nbflow.workflows.library import Workflows
from nbflow.workflows.module import Module

from .small import flow, step, webhook

MODULE = Module(files={"a.py": "x = 1\n"}, entry="a.py")
OTHER = uuid4()


def test_a_workflow_comes_back_as_it_was_stored(library):
    made = library.create(
        flow(webhook(), step()), name="orders", description="All of them", tags=("sales", " sales", ""), settings={"a": 1}, module=MODULE
    )
    assert library.get(made.id) == made
    assert (made.name, made.version, made.active, made.tags, made.settings) == ("orders", 1, False, ("sales",), {"a": 1})
    assert made.created_at.tzinfo is not None


def test_without_an_organization_it_is_the_default_ones(library, store):
    home = Directory(store).default()
    made = library.create(flow())
    assert (made.organization_id, made.workspace_id, made.created_by) == (home.organization.id, home.workspace.id, home.user.id)


def test_problems_are_refused_before_anything_is_stored(library):
    with pytest.raises(CheckError, match="node 'hook', field 'path'"):
        library.create(flow(webhook("/a b"), step()))
    assert library.list() == []


def test_a_flow_whose_code_does_not_come_with_it_is_refused_and_not_imported(library):
    with pytest.raises(CheckError, match="the code of the function 'os:system' does not come with the flow"):
        library.create(flow(Node(id="a", type="python.function", config={"function": "os:system"})))


def test_a_known_secret_in_a_config_is_refused(library):
    redactor.learn("a-very-secret-value", name="shop")
    try:
        with pytest.raises(CheckError, match="holds a secret"):
            library.create(flow(step(output="a-very-secret-value")))
        with pytest.raises(CheckError, match=r"a.py, line 2"):
            library.create(flow(), module=replace(MODULE, files={"a.py": "\nKEY = 'a-very-secret-value'\n"}))
    finally:
        redactor.forget_all()


def test_another_definition_makes_a_version_and_another_layout_does_not(library):
    made = library.create(flow())
    moved = library.update(made.id, flow=flow(layout={"step": (10, 20)}))
    assert (moved.version, moved.version_id) == (1, made.version_id)
    assert library.version(made.id, 1).flow.layout == {"step": (10, 20)}
    changed = library.update(made.id, flow=flow(step(output=2)), comment="two")
    assert changed.version == 2
    assert library.get(made.id) == changed
    assert [(version.version, version.comment) for version in library.versions(made.id)] == [(2, "two"), (1, "")]


def test_other_code_makes_a_version_and_the_same_again_does_not(library):
    made = library.create(flow(), module=MODULE)
    assert library.update(made.id, flow=flow(), module=MODULE) == made
    assert library.update(made.id, module=replace(MODULE, files={"a.py": "x = 2\n"})).version == 2
    assert library.update(made.id, module=None).module is None


def test_what_is_not_given_stays(library):
    made = library.create(flow(), module=MODULE, tags=("a",), description="old")
    changed = library.update(made.id, name="new")
    assert (changed.name, changed.tags, changed.description, changed.module, changed.version) == ("new", ("a",), "old", MODULE, 1)


def test_restoring_makes_a_version_with_the_old_content(library):
    made = library.create(flow(webhook("/first"), step()), module=MODULE, active=True)
    library.update(made.id, flow=flow(webhook("/second"), step()), module=None)
    restored = library.restore(made.id, 1)
    assert (restored.version, restored.flow, restored.module) == (3, made.flow, MODULE)
    assert library.versions(made.id)[0].comment == "version 1 restored"
    assert [hook.path for hook in library.webhooks()] == ["/first"]


def test_versions_are_found_by_number_and_id(library):
    made = library.create(flow())
    assert library.version(made.id, made.version_id) == library.version(made.id, 1) == library.version(made.id, "1")
    for unknown in (2, uuid4(), "soon", "9" * 30):
        with pytest.raises(UnknownVersionError, match="has no version"):
            library.version(made.id, unknown)


def test_a_change_of_an_outdated_version_is_refused(library):
    made = library.create(flow())
    library.update(made.id, flow=flow(step(output=2)), expected_version=1)
    with pytest.raises(VersionConflictError, match="at version 2 by now, not 1"):
        library.update(made.id, flow=flow(step(output=3)), expected_version=1)


def test_changes_at_the_same_time_are_all_made_one_after_the_other(shared):
    made = shared.create(flow())
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: shared.update(made.id, flow=flow(step(output=number))), range(2, 6)))
    assert [version.version for version in shared.versions(made.id)] == [5, 4, 3, 2, 1]


def test_what_another_process_changes_is_seen_at_once(shared, project):
    from nbflow.store.opening import open_store

    made = shared.create(flow())
    other = open_store(project)
    Workflows(other).update(made.id, name="changed elsewhere")
    other.close()
    assert shared.get(made.id).name == "changed elsewhere"


# Webhooks and schedules -------------------------------------------------------------------------


def test_the_registry_follows_each_save(library):
    made = library.create(flow(webhook("/a/:id", methods=["GET", "POST"]), step()), active=True)
    assert [(hook.method, hook.path, hook.active) for hook in library.webhooks()] == [("GET", "/a/:id", True), ("POST", "/a/:id", True)]
    library.deactivate(made.id)
    assert [hook.active for hook in library.webhooks()] == [False, False]
    library.update(made.id, flow=flow(webhook("b/"), step()), active=True)
    assert [(hook.method, hook.path, hook.active, hook.workflow) for hook in library.webhooks()] == [("POST", "/b", True, "daily")]
    library.update(made.id, flow=flow(step()))
    assert library.webhooks() == []


def test_a_disabled_trigger_is_not_registered(library):
    library.create(flow(replace(webhook(), settings=NodeSettings(disabled=True)), step()), active=True)
    assert library.webhooks() == []


def test_two_active_workflows_cannot_answer_the_same_requests(library):
    library.create(flow(webhook("/orders/:id"), step()), name="first", active=True)
    with pytest.raises(WebhookClashError, match=r"POST /orders/:number is answered by the active workflow 'first' already: .* deactivate") as raised:
        library.create(flow(webhook("/orders/:number"), step()), active=True)
    assert (raised.value.path, raised.value.method, raised.value.workflow) == ("/orders/:number", "POST", "first")
    assert len(library.list()) == 1


def test_an_inactive_workflow_clashes_when_it_is_activated(library):
    first = library.create(flow(webhook(), step()), active=True)
    second = library.create(flow(webhook(), step()))
    with pytest.raises(WebhookClashError):
        library.activate(second.id)
    library.deactivate(first.id)
    assert library.activate(second.id).active
    with pytest.raises(WebhookClashError):
        library.activate(first.id)


def test_other_methods_and_paths_do_not_clash(library):
    for path, methods in (("/a", ["POST"]), ("/a", ["GET"]), ("/a/:id", ["POST"]), ("/a/fixed", ["POST"])):
        library.create(flow(webhook(path, methods=methods), step()), active=True)
    assert len(library.webhooks()) == 4


def test_the_name_of_another_organizations_workflow_is_not_told(library):
    library.create(flow(webhook(), step()), name="secret-project", organization_id=OTHER, active=True)
    with pytest.raises(WebhookClashError, match="a workflow of another organization") as raised:
        library.create(flow(webhook(), step()), active=True)
    assert "secret-project" not in str(raised.value)


def test_of_workflows_that_want_one_path_at_the_same_time_one_gets_it(shared):
    def create(number):
        try:
            shared.create(flow(webhook("/race"), step()), name=str(number), active=True)
        except WebhookClashError:
            return 0
        return 1

    shared.create(flow())  # the default organization is there
    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(create, range(8))) == 1


def test_one_flow_cannot_have_two_triggers_for_the_same_requests(library):
    with pytest.raises(CheckError, match="is what node 'hook' answers already"):
        library.create(Flow(name="two", nodes=(webhook("/a/:x"), webhook("/a/:y", id_="second"), step())))


def test_a_path_that_is_an_expression_is_refused(library):
    with pytest.raises(CheckError, match="write the value itself"):
        library.create(flow(webhook("{{ vars.path }}"), step()))


def test_schedules_follow_each_save(library, store):
    def rows():
        return store.query("SELECT node_id, cron, interval_seconds, timezone, active FROM schedules ORDER BY node_id").rows

    timer = Node(id="timer", type="trigger.schedule", config={"cron": "@daily", "timezone": "Europe/Vienna"})
    made = library.create(flow(timer, step()), active=True)
    assert rows() == [("timer", "0 0 * * *", None, "Europe/Vienna", True)]
    library.update(made.id, flow=flow(replace(timer, config={"every": "PT15M"}), step()), active=False)
    assert rows() == [("timer", None, 900.0, "UTC", False)]
    library.update(made.id, flow=flow(step()))
    assert rows() == []


# Finding, copying, deleting ---------------------------------------------------------------------


def test_workflows_are_listed_newest_first_in_pages(library):
    made = [library.create(flow(), name=f"number {number}") for number in range(5)]
    expected = sorted((workflow.id for workflow in made), reverse=True)
    first = library.list(limit=2)
    rest = library.list(before=first[-1].id)
    assert [workflow.id for workflow in [*first, *rest]] == expected


def test_workflows_are_chosen_by_text_tag_and_activity(library):
    library.create(flow(), name="Sales", tags=("a",), active=True)
    library.create(flow(), name="other", description="about SALES too", tags=("b",))
    assert {workflow.name for workflow in library.list(search="sales")} == {"Sales", "other"}
    assert library.list(search="100%") == []
    assert [workflow.name for workflow in library.list(tag="b")] == ["other"]
    assert [workflow.name for workflow in library.list(active=True)] == ["Sales"]


def test_another_organizations_workflows_do_not_exist(library, store):
    mine = library.create(flow(webhook(), step()))
    theirs = library.create(flow(webhook("/theirs"), step()), name="theirs", organization_id=OTHER)
    only = {mine.organization_id}
    assert [workflow.id for workflow in library.list(organizations=only)] == [mine.id]
    assert library.list(organizations=()) == []
    assert library.by_name("theirs", organizations=only) is None
    assert [hook.workflow_id for hook in library.webhooks(organizations=only)] == [mine.id]
    for ask in (library.get, library.delete, library.activate, library.duplicate, library.versions):
        with pytest.raises(UnknownWorkflowError, match="deleted or never published here"):
            ask(theirs.id, organizations=only)
    for ask in (library.version, library.restore):
        with pytest.raises(UnknownWorkflowError):
            ask(theirs.id, 1, organizations=only)


def test_a_copy_is_inactive_and_its_own(library):
    made = library.create(flow(webhook(), step()), name="orders", module=MODULE, tags=("a",), active=True)
    copy = library.duplicate(made.id)
    assert (copy.name, copy.active, copy.version, copy.flow, copy.module, copy.tags) == ("orders (Copy)", False, 1, made.flow, MODULE, ("a",))
    assert copy.id != made.id


def test_of_one_name_the_newest_is_found(library):
    made = [library.create(flow(), name="twice") for _ in range(2)]
    assert library.by_name("twice") == max(made, key=lambda workflow: workflow.id)


def test_a_deleted_workflow_is_gone_with_everything_that_hangs_on_it(library, store):
    made, other = (library.create(flow(webhook(path), step(), settings=flow().settings), active=True) for path in ("/a", "/b"))
    for workflow in (made, other):
        id_ = str(uuid4())
        facts = {"execution_id": id_, "flow": "daily", "flow_hash": workflow.flow_hash, "ts": 1}
        store.append(
            [
                {"k": "accepted", "workflow_id": str(workflow.id), **facts},
                {"k": "started", "execution_id": id_, "ts": 2},
                {"k": "node", "execution_id": id_, "seq": 1, "node_id": "step", "status": "completed", "ts": 3},
                {"k": "finished", "execution_id": id_, "status": "completed", "ts": 4},
                {"k": "artifact", "execution_id": id_, "digest": "d" * 64, "size_bytes": 1, "ts": 3},
            ]
        )
        alert = str(uuid4())
        store.transact(
            [
                ("INSERT INTO alerts (id, workflow_id) VALUES ($id::UUID, $workflow::UUID)", {"id": alert, "workflow": str(workflow.id)}),
                ("INSERT INTO alert_history (id, alert_id) VALUES ($id::UUID, $id::UUID)", {"id": alert}),
            ]
        )
    library.delete(made.id)
    for table in (
        "workflows", "workflow_versions", "webhook_registry", "workflow_executions", "execution_logs", "artifacts", "alerts", "alert_history"
    ):  # fmt: skip
        assert store.query(f"SELECT count(*) FROM {table}").rows == [(1,)], table
    assert store.query("SELECT DISTINCT kind FROM execution_events").rows
    assert store.query("SELECT count(DISTINCT execution_id) FROM execution_events").rows == [(1,)]
    with pytest.raises(UnknownWorkflowError, match="deleted or never published here"):
        library.update(made.id, name="x")
    assert library.get(other.id) == other


@pytest.mark.parametrize("unknown", ["", "orders", "0" * 32, "01890a5d-ac96-774b-bcce-b302099a8057"])
def test_an_unknown_id_is_explained(library, unknown):
    with pytest.raises(UnknownWorkflowError, match="nbflow workflows list"):
        library.get(unknown)


class Busy:
    """A store in which somebody else is a moment faster."""

    def __init__(self, store, before):
        self._store, self._before = store, [before]

    def __getattr__(self, name):
        return getattr(self._store, name)

    def transact(self, statements):
        if self._before:
            self._before.pop()()
        self._store.transact(statements)


def test_a_workflow_deleted_while_it_is_changed_is_gone(library, store):
    made = library.create(flow())
    with pytest.raises(UnknownWorkflowError):
        Workflows(Busy(store, lambda: library.delete(made.id))).update(made.id, name="late")


def test_a_change_that_came_between_is_not_lost(library, store):
    made = library.create(flow())
    changed = Workflows(Busy(store, lambda: library.update(made.id, flow=flow(step(output=2))))).update(made.id, name="new")
    assert (changed.name, changed.version) == ("new", 2)


def test_a_clash_that_came_between_is_told_like_any_other(library, store):
    with pytest.raises(WebhookClashError, match="active workflow 'faster'"):
        Workflows(Busy(store, lambda: library.create(flow(webhook(), step()), name="faster", active=True))).create(
            flow(webhook(), step()), active=True
        )


# The audit log ----------------------------------------------------------------------------------


def test_each_change_is_in_the_audit_log_with_who_before_and_after(library, store):
    import json

    actor = Actor(user_id=uuid4(), address="192.0.2.1")
    made = library.create(flow(), name="orders", actor=actor)
    library.update(made.id, flow=flow(step(output=2)), actor=actor)
    library.activate(made.id, actor=actor)
    library.deactivate(made.id, actor=actor)
    library.restore(made.id, 1, actor=actor)
    library.delete(made.id, actor=actor)
    found = store.query(
        "SELECT action, user_id, subject_id, organization_id, data FROM audit_logs WHERE subject_type = 'workflow' ORDER BY created_at"
    ).rows
    actions = ["created", "updated", "activated", "deactivated", "restored", "deleted"]
    assert [row[0] for row in found] == [f"workflow.{action}" for action in actions]
    assert {row[1:4] for row in found} == {(actor.user_id, str(made.id), made.organization_id)}
    data = [json.loads(row[4]) for row in found]
    assert [(entry["before"] or {}).get("version") for entry in data] == [None, 1, 2, 2, 2, 3]
    assert [(entry["after"] or {}).get("active") for entry in data] == [False, False, True, False, False, None]


def test_nothing_changed_leaves_no_entry(library, store):
    made = library.create(flow())
    library.update(made.id, flow=flow(), name=made.name)
    assert len(store.query("SELECT 1 FROM audit_logs WHERE subject_type = 'workflow'")) == 1


def test_errors_of_workflows_are_one_family():
    assert all(issubclass(error, WorkflowError) for error in (UnknownWorkflowError, UnknownVersionError, VersionConflictError, WebhookClashError))
