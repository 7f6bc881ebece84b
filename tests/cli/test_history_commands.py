"""`nbflow executions`, `show`, `logs`, `sql`, `prune`."""

import csv
import io

import pytest


def test_executions_are_listed_newest_first(history):
    project, completed, failed = history
    done = project.nbflow("executions")
    assert done.code == 0
    assert done.out.index(failed) < done.out.index(completed)
    assert "division by zero" in done.out


def test_executions_can_be_chosen(history):
    project, completed, _ = history
    for chosen in (("--flow", "total"), ("--status", "completed")):
        assert [row["execution_id"] for row in project.nbflow("executions", *chosen, "--json").json] == [completed]
    assert len(project.nbflow("executions", "--since", "1h", "--json").json) == 2
    assert project.nbflow("executions", "--since", "2100-01-01", "--json").json == []
    assert len(project.nbflow("executions", "--limit", "1", "--json").json) == 1


@pytest.mark.parametrize(("option", "value", "message"), [("--status", "done", "is one of pending"), ("--since", "soon", "give a length of time")])
def test_a_wrong_choice_of_executions_is_explained(history, option, value, message):
    done = history[0].nbflow("executions", option, value)
    assert done.code == 2
    assert message in done.err


def test_an_empty_project_says_how_to_begin(project):
    assert "nbflow run" in project.nbflow("executions").out


def test_show_tells_nodes_error_and_traceback(history):
    project, _, failed = history
    done = project.nbflow("show", failed)
    assert done.code == 0
    assert "python.function" in done.out
    assert "ZeroDivisionError: division by zero" in done.out
    assert "return a / divisor" in done.out


def test_show_takes_the_beginning_of_an_id(history):
    project, completed, _ = history
    facts = project.nbflow("show", completed[:20], "--json").json
    assert facts["execution"]["execution_id"] == completed
    assert [node["node_id"] for node in facts["nodes"]] == ["add"]


@pytest.mark.parametrize("command", ["show", "logs"])
@pytest.mark.parametrize(("given", "message"), [("ffff", "no execution begins with"), ("0", "more than one execution"), ("xyz", "is not the id")])
def test_a_wrong_id_is_explained(history, command, given, message):
    done = history[0].nbflow(command, given)
    assert done.code == 2
    assert message in done.err


def test_logs_tell_node_and_text(history):
    project, completed, _ = history
    assert "add  adding 1 1" in project.nbflow("logs", completed).out
    (line,) = project.nbflow("logs", completed, "--node", "add", "--json").json
    assert line["node"] == "add"
    assert line["text"] == "adding 1 1\n"


def test_logs_of_an_unknown_node_are_explained(history):
    project, completed, _ = history
    done = project.nbflow("logs", completed, "--node", "ad")
    assert done.code == 2
    assert "did you mean 'add'?" in done.err


def test_sql_answers_as_table_json_and_csv(history):
    project, *_ = history
    query = "select flow, status, null as nothing from executions order by flow"
    assert "2 rows" in project.nbflow("sql", query).out
    assert project.nbflow("sql", query, "--json").json[0] == {"flow": "failing", "status": "failed", "nothing": None}
    rows = list(csv.reader(io.StringIO(project.nbflow("sql", "-", "--csv", stdin=query).out)))
    assert rows == [["flow", "status", "nothing"], ["failing", "failed", ""], ["total", "completed", ""]]


@pytest.mark.parametrize("query", ["selec 1", "select * from nowhere", "drop table executions"])
def test_wrong_sql_is_explained(history, query):
    done = history[0].nbflow("sql", query)
    assert done.code == 2
    assert done.err.startswith("nbflow: ")


def test_json_and_csv_exclude_each_other(history):
    assert history[0].nbflow("sql", "select 1", "--json", "--csv").code == 2


def test_prune_keeps_the_newest(project):
    for number in range(3):
        project.nbflow("run", "jobs.py:total", "-p", f"first={number}", "-q")
    assert project.nbflow("prune", "--keep", "1", "--json").json["executions"] == 2
    assert len(project.nbflow("executions", "--json").json) == 1
    assert "removed 1 executions" in project.nbflow("prune", "--older-than", "0s", "--compact").out


@pytest.mark.parametrize(
    ("options", "message"),
    [((), "say what may go"), (("--older-than", "30x"), "for instance 30d"), (("--max-bytes", "many"), "for instance 500MB")],
)
def test_a_wrong_prune_is_explained_and_removes_nothing(history, options, message):
    project, *_ = history
    done = project.nbflow("prune", *options)
    assert done.code == 2
    assert message in done.err
    assert len(project.nbflow("executions", "--json").json) == 2


def test_history_works_while_another_process_holds_the_shared_store(project):
    project.environment.update(NBFLOW_STORE="shared", NBFLOW_OWNER_IDLE_S="3")
    identity = project.nbflow("run", "jobs.py:total", "-p", "first=1", "--json").json["execution_id"]
    assert project.nbflow("show", identity[:20]).code == 0
    assert project.nbflow("sql", "select count(*) as n from executions", "--json").json == [{"n": 1}]
