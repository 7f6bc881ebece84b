"""`nbflow check`."""

from cli_project import NOTEBOOK


def test_a_flow_without_problems_is_ok(project):
    done = project.nbflow("check", "jobs.py:total")
    assert done.code == 0
    assert "total: ok" in done.out


def test_problems_name_node_and_field(project):
    done = project.nbflow("check", "jobs.py:wrong", "--json")
    assert done.code == 2
    assert done.json["ok"] is False
    (problem,) = done.json["flows"][0]["problems"]
    assert (problem["node"], problem["field"]) == ("http", "method")


def test_all_flows_of_a_notebook_are_checked(project):
    project.notebook("guide.ipynb", *NOTEBOOK)
    assert project.nbflow("check", "guide.ipynb", "--json").json == {"ok": True, "flows": [{"flow": "table", "problems": []}]}


def test_nothing_runs_or_is_stored(project):
    project.nbflow("check", "jobs.py:total")
    assert not (project.folder / ".nbflow").exists()
