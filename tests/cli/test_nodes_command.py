"""`nbflow nodes`."""

from nbflow.runtime.catalogue import registry


def test_every_type_is_listed_with_its_summary(project):
    out = project.nbflow("nodes").out
    for name in registry().types():
        assert name in out
        assert registry().get(name).summary in out


def test_a_type_is_explained_by_its_fields(project):
    out = project.nbflow("nodes", "action.http").out
    for field in registry().get("action.http").config.model_fields:
        assert field in out


def test_every_type_can_be_explained(project):
    listed = project.nbflow("nodes", "--json").json
    assert [item["type"] for item in listed["types"]] == list(registry().types())
    assert project.nbflow("nodes", "logic.switch", "--json").json["config"]["properties"]


def test_an_unknown_type_gets_suggestions(project):
    done = project.nbflow("nodes", "action.htp")
    assert done.code == 2
    assert "action.http" in done.err
