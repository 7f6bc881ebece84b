"""What was published, from a notebook: listing, comparing, restoring, exporting."""

import json

import pytest

import nbflow as nf
from nbflow.core.errors import UnknownVersionError, UnknownWorkflowError, WorkflowError
from nbflow.core.flow import Edge, Flow, Node
from nbflow.runtime.runtime import reset_runtime, runtime
from nbflow.workflows.file import read_file
from nbflow.workflows.library import Workflows


def document(name, seconds=1):
    nodes = (
        Node(id="hook", type="trigger.webhook", config={"path": f"/{name}"}),
        Node(id="pause", type="logic.wait", config={"duration": seconds}),
    )
    return Flow(name=name, nodes=nodes, edges=(Edge(source="hook", target="pause"),))


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_PROJECT", str(tmp_path))
    monkeypatch.setenv("NBFLOW_STORE", "memory")
    reset_runtime()
    yield Workflows(runtime().store)
    reset_runtime()


def test_workflows_are_listed_with_what_starts_them(library):
    library.create(document("orders"), active=True, tags=["shop"])
    library.create(document("refunds"))
    found = nf.published()
    assert found[["name", "version", "active", "started_by", "tags"]].values.tolist() == [
        ["refunds", 1, False, "POST /webhooks/refunds", ""],
        ["orders", 1, True, "POST /webhooks/orders", "shop"],
    ]


def test_an_empty_project_has_an_empty_table(library):
    assert nf.published().empty


def test_a_workflow_is_found_by_name_and_by_the_beginning_of_its_id(library):
    made = library.create(document("orders"))
    assert nf.workflow("orders").id == nf.workflow(str(made.id)[:20]).id == str(made.id)


def test_a_name_almost_right_is_advised(library):
    library.create(document("orders"))
    with pytest.raises(UnknownWorkflowError, match=r"there is no workflow 'oders'.*did you mean 'orders'"):
        nf.workflow("oders")


def test_a_beginning_that_several_have_is_refused(library):
    first = library.create(document("orders"))
    library.create(document("refunds"))
    with pytest.raises(WorkflowError, match="2 workflows are called '0' or begin so"):
        nf.workflow(str(first.id)[:1])


def test_versions_are_compared_and_restored(library):
    made = library.create(document("orders"))
    library.update(made.id, flow=document("orders", seconds=5), comment="slower")
    workflow = nf.workflow("orders")
    assert workflow.versions()[["version", "comment"]].values.tolist() == [[2, "slower"], [1, ""]]
    assert "~ node pause, config.duration: 1 -> 5" in workflow.diff().text()
    assert "version 1 → version 2" in workflow.diff()._repr_html_()
    assert "5 -> 1" in workflow.diff(2, 1).text()
    assert (workflow.restore(1).version, workflow.document.nodes[1].config["duration"]) == (3, 1)


def test_a_version_that_is_not_there_is_named(library):
    library.create(document("orders"))
    with pytest.raises(UnknownVersionError, match="workflow 'orders' has no version '7'"):
        nf.workflow("orders").restore(7)


def test_it_is_activated_copied_and_deleted(library):
    library.create(document("orders"))
    workflow = nf.workflow("orders")
    assert workflow.activate().active
    assert not workflow.deactivate().active
    copy = workflow.duplicate()
    assert (copy.name, copy.active) == ("orders (Copy)", False)
    copy.delete()
    assert nf.published()["name"].tolist() == ["orders"]


def test_an_exported_workflow_can_be_read_again(library, tmp_path):
    library.create(document("orders"), tags=["shop"])
    path = nf.workflow("orders").export(tmp_path / "orders.flow.json")
    found = read_file(path)
    assert (found.flow, found.tags) == (document("orders"), ("shop",))
    assert json.loads(path.read_text())["nbflow"] == 1


def test_it_shows_its_state_its_triggers_and_its_graph(library):
    library.create(document("orders"), active=True)
    workflow = nf.workflow("orders")
    assert repr(workflow) == "workflow 'orders', version 1, active\n  POST /webhooks/orders"
    html = workflow._repr_mimebundle_()["text/html"]
    assert "POST /webhooks/orders" in html
    assert "data:image/svg+xml" in html
    assert workflow.code == {}
