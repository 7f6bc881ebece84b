"""`nbflow workflows`."""

import json

import pytest


@pytest.fixture
def published(project):
    assert project.nbflow("publish", "jobs.py:total", "--webhook", "/total", "--comment", "first").code == 0
    return project


def facts(project, wanted="total"):
    return project.nbflow("workflows", "show", wanted, "--json").json


def test_an_empty_project_says_how_to_begin(project):
    assert "nbflow publish" in project.nbflow("workflows", "list").out
    assert project.nbflow("workflows", "list", "--json").json == []


def test_workflows_are_listed_and_chosen(published):
    published.nbflow("publish", "jobs.py:failing", "--inactive", "--tag", "odd")
    assert [row["name"] for row in published.nbflow("workflows", "list", "--json").json] == ["failing", "total"]
    for chosen in (("--tag", "odd"), ("--inactive",), ("--search", "FAIL")):
        assert [row["name"] for row in published.nbflow("workflows", "list", *chosen, "--json").json] == ["failing"]
    assert "POST /webhooks/total" in published.nbflow("workflows", "list", "--active").out


def test_one_is_shown_by_name_and_by_the_beginning_of_its_id(published):
    out = published.nbflow("workflows", "show", "total").out
    for part in ("version 1, active", "started by POST /webhooks/total", "-p first=...", "trigger.webhook", "def total"):
        assert part in out
    found = facts(published)
    assert facts(published, found["id"][:20]) == found


def test_versions_are_listed_compared_and_restored(published):
    published.write("jobs.py", (published.folder / "jobs.py").read_text().replace("return a + b", "return a + b + 1"))
    published.nbflow("publish", "jobs.py:total", "--webhook", "/other", "--comment", "second")
    found = published.nbflow("workflows", "versions", "total", "--json").json
    assert [(row["version"], row["comment"]) for row in found] == [(2, "second"), (1, "first")]
    out = published.nbflow("workflows", "diff", "total").out
    assert '~ node webhook, config.path: "/total" -> "/other"' in out
    assert "+    return a + b + 1" in out
    assert published.nbflow("workflows", "diff", "total", "1", "1", "--json").json["changes"] == []
    assert "version 3, with the content of version 1" in published.nbflow("workflows", "restore", "total", "1").out
    assert facts(published)["triggers"] == ["POST /webhooks/total"]
    done = published.nbflow("workflows", "restore", "total", "9")
    assert done.code == 2
    assert "has no version '9'" in done.err


def test_one_is_deactivated_activated_and_copied(published):
    assert "is not active" in published.nbflow("workflows", "deactivate", "total").out
    assert facts(published)["active"] is False
    assert "is active" in published.nbflow("workflows", "activate", "total").out
    assert published.nbflow("workflows", "duplicate", "total", "--json").json["name"] == "total (Copy)"
    done = published.nbflow("workflows", "activate", "total (Copy)")
    assert done.code == 2
    assert "answered by the active workflow 'total' already" in done.err


def test_one_is_written_to_a_file_and_comes_back_and_runs(published):
    assert published.nbflow("workflows", "export", "total", "--out", "t.flow.json").code == 0
    assert published.nbflow("workflows", "export", "total").json == json.loads((published.folder / "t.flow.json").read_text())
    assert published.nbflow("run", "t.flow.json", "-p", "first=3", "--json").json["outputs"] == {"add": 4}
    made = published.nbflow("workflows", "import", "t.flow.json", "--name", "again", "--json").json
    before = facts(published)
    assert (made["name"], made["active"], made["module"]) == ("again", False, before["module"])
    assert made["definition"] == before["definition"]


@pytest.mark.parametrize(
    ("text", "message"), [(None, "cannot read"), ("{", "is not JSON"), ("[]", "no JSON object"), ("{}", "no known document version")]
)
def test_a_file_that_is_none_is_explained(project, text, message):
    if text is not None:
        project.write("x.flow.json", text)
    done = project.nbflow("workflows", "import", "x.flow.json")
    assert done.code == 2
    assert message in done.err


def test_a_deleted_workflow_is_gone(published):
    done = published.nbflow("workflows", "delete", "total", stdin="n\n")
    assert done.code == 1
    assert facts(published)["name"] == "total"
    assert published.nbflow("workflows", "delete", "total", "--yes").code == 0
    done = published.nbflow("workflows", "show", "total")
    assert done.code == 2
    assert "there is no workflow 'total': it was deleted or never published here" in done.err


def test_names_that_look_alike_are_offered_and_two_of_one_name_need_the_id(published):
    assert "did you mean 'total'?" in published.nbflow("workflows", "show", "totl").err
    published.nbflow("workflows", "export", "total", "-o", "t.flow.json")
    published.nbflow("workflows", "import", "t.flow.json")
    done = published.nbflow("workflows", "show", "total")
    assert done.code == 2
    assert "give the id of one" in done.err
