"""What the browser is told of a flow, and what it asks for, on the real engine."""

import pytest

from nbflow import flow
from nbflow.core.flow import Flow

from . import flows


@pytest.fixture(autouse=True)
def _no_calls():
    flows.calls.clear()


def open_drawn(opened, drawn, **options):
    definition = drawn.definition()
    return opened(definition.flow, definition.functions, **options)


def command(session, name, **more):
    session.receive({"kind": "command", "name": name, **more})


def nodes(link):
    return {id_: frame["status"] for id_, frame in link.traits["statuses"]["nodes"].items()}


def test_the_catalogue_has_the_node_types_and_the_functions_with_their_source(opened):
    _, link = open_drawn(opened, flows.straight)
    types = {one["type"]: one for one in link.traits["catalogue"]["types"]}
    assert types["action.http"]["title"] == "HTTP request"
    assert types["logic.if"]["outputs"] == [{"name": "true"}, {"name": "false"}]
    declared = types[f"python.function:{flows.__name__}:doubled"]
    assert (declared["group"], declared["schema"], declared["inputs"][0]["name"]) == ("python", None, "values")
    assert "return [2 * value for value in values]" in declared["source"]
    assert types[f"python.function:{flows.__name__}:numbers"]["inputs"][0]["default"] == 3


def test_a_flow_is_checked_as_it_is_drawn(opened):
    session, link = opened(Flow(name="drawn"))
    assert [one["code"] for one in link.traits["checked"]["problems"]] == ["empty-flow"]
    document = {"nbflow": 1, "name": "drawn", "nodes": [{"id": "get", "type": "action.http", "config": {}}]}
    session.set_flow(document)
    problem = link.until(lambda: (found := link.traits["checked"]["problems"][0])["node"] and found)
    assert (problem["node"], problem["field"]) == ("get", "url")
    session.set_flow({**document, "nodes": [{"id": "get"}]})
    told = link.until(lambda: (found := link.traits["checked"]["problems"]) and found[0]["code"] == "document" and found[0])
    assert "node 'get', field 'type'" in told["message"]


def test_ports_that_depend_on_the_config_are_told(opened):
    switch = {"id": "way", "type": "logic.switch", "config": {"rules": [{"output": "red", "condition": "input == 1"}]}}
    _, link = opened({"nbflow": 1, "name": "ways", "nodes": [switch]})
    assert link.traits["checked"]["ports"]["way"]["outputs"] == [{"name": "red"}]


def test_a_run_tells_statuses_items_and_samples(opened):
    session, link = open_drawn(opened, flows.straight)
    command(session, "run")
    told = link.ended()
    assert (told["done"], told["total"]) == (4, 4)
    frames = link.traits["statuses"]["nodes"]
    assert {frame["status"] for frame in frames.values()} == {"completed"}
    assert (frames["doubled"]["items"], frames["table"]["items"]) == ({"output": 3}, {"output": 3})
    link.until(lambda: link.traits["samples"]["nodes"].get("doubled") == [0, 2, 4])
    assert link.traits["samples"]["inputs"]["doubled"] == [0, 1, 2]
    link.until(lambda: [one["status"] for one in link.traits["executions"]] == ["completed"])
    assert link.traits["executions"][0]["id"] == told["id"]


def test_the_parameters_of_a_run_are_those_that_were_given(opened):
    session, link = open_drawn(opened, flows.straight, params={"count": 5, "unknown": 1})
    command(session, "run")
    link.ended()
    assert link.ask(session, "inspect", node="numbers", execution_id=None)["outputs"]["output"]["preview"] == [0, 1, 2, 3, 4]


def test_what_a_node_got_and_gave_can_be_inspected(opened):
    session, link = open_drawn(opened, flows.straight)
    command(session, "run")
    link.ended()
    record = link.ask(session, "inspect", node="table", execution_id=None)
    assert record["status"] == "completed"
    assert record["inputs"]["values"]["preview"] == [0, 2, 4]
    assert "<table" in record["outputs"]["output"]["bundle"]["text/html"]
    assert record["logs"] == [{"level": "stdout", "text": "making a table"}]
    assert link.ask(session, "inspect", node="nobody", execution_id=None) is None


def test_an_execution_of_another_process_is_shown_from_the_history(opened):
    run = flows.straight(count=2)
    run.result()
    session, link = open_drawn(opened, flows.straight)
    command(session, "show_execution", execution_id=run.id)
    link.ended()
    assert nodes(link)["table"] == "completed"
    assert link.ask(session, "inspect", node="doubled", execution_id=None)["outputs"]["output"]["preview"] == [0, 2]


def test_a_failure_is_told_with_its_node_and_traceback(opened):
    session, link = open_drawn(opened, flows.failing)
    command(session, "run")
    told = link.ended("failed")
    assert (told["error_node"], told["error"]) == ("broken", "no such thing")
    assert link.traits["statuses"]["nodes"]["broken"]["error"] == "ValueError: no such thing"
    assert "raise ValueError" in link.ask(session, "inspect", node="broken", execution_id=None)["error"]["traceback"]


def test_run_to_runs_what_the_node_needs_and_no_more(opened):
    session, link = open_drawn(opened, flows.straight)
    command(session, "run_to", node="doubled")
    link.ended()
    assert flows.calls == ["numbers", "doubled"]
    assert nodes(link) == {"numbers": "completed", "doubled": "completed"}


def test_one_node_runs_alone_with_the_last_inputs(opened):
    session, link = open_drawn(opened, flows.straight)
    command(session, "run_node", node="table")
    link.until(lambda: link.traits.get("notice"))
    assert "needs what 'doubled' gives, which is not in memory: run up to 'table' first" in link.traits["notice"]
    command(session, "run_to", node="doubled")
    first = link.ended()
    command(session, "run_node", node="table")
    link.until(lambda: (one := link.ended()) and one["id"] != first["id"])
    assert flows.calls == ["numbers", "doubled", "table"]
    assert link.ask(session, "inspect", node="table", execution_id=None)["outputs"]["output"]["preview"]["shape"] == [3, 1]


def test_a_pinned_node_does_not_run_again(opened):
    session, link = open_drawn(opened, flows.straight)
    command(session, "run")
    first = link.ended()
    command(session, "pin", node="doubled", execution_id=None)
    link.until(lambda: link.traits.get("pins"))
    assert link.traits["pins"]["doubled"]["value"]["preview"] == [0, 2, 4]
    flows.calls.clear()
    command(session, "run")
    link.until(lambda: (one := link.ended()) and one["id"] != first["id"])
    assert sorted(flows.calls) == ["numbers", "other", "table"]
    command(session, "unpin", node="doubled")
    link.until(lambda: not link.traits["pins"])


def test_a_branch_that_was_taken_is_pinned_as_such(opened):
    session, link = open_drawn(opened, flows.branching)
    command(session, "run")
    first = link.ended()
    command(session, "pin", node="check", execution_id=None)
    link.until(lambda: link.traits.get("pins"))
    command(session, "run")
    link.until(lambda: (one := link.ended()) and one["id"] != first["id"])
    assert (nodes(link)["big"], nodes(link)["small"]) == ("completed", "skipped")


def test_up_to_a_node_in_a_loop_runs_the_part_of_the_body_that_it_needs(opened):
    session, link = open_drawn(opened, flows.looping)
    command(session, "run_to", node="plus")
    link.ended()
    assert flows.calls == ["numbers", "plus 0", "plus 1", "plus 2"]
    flows.calls.clear()
    command(session, "run_node", node="plus")
    link.until(lambda: link.traits.get("notice"))
    assert "is inside the loop" in link.traits["notice"]


def test_a_pin_follows_a_renamed_node(opened):
    session, link = open_drawn(opened, flows.straight)
    command(session, "run")
    link.ended()
    command(session, "pin", node="other", execution_id=None)
    session.receive({"kind": "renamed", "from": "other", "to": "seven"})
    link.until(lambda: set(link.traits.get("pins", ())) == {"seven"})


def test_expressions_are_evaluated_with_the_last_values(opened):
    session, link = open_drawn(opened, flows.straight)
    command(session, "run")
    link.ended()
    evaluate = {"node": "doubled", "bare": False}
    assert link.ask(session, "evaluate", text="{{ input | sum }}", **evaluate)["value"]["preview"] == 3
    assert link.ask(session, "evaluate", text="{{ nodes.other }} of {{ vars | length }}", **evaluate)["value"]["preview"] == "7 of 0"
    assert link.ask(session, "evaluate", node="doubled", text="inputs.values[1]", bare=True)["value"]["preview"] == 1
    assert "nothing is called 'inptu'" in link.ask(session, "evaluate", text="{{ inptu }}", **evaluate)["error"]
    assert "no node 'gone'" in link.ask(session, "evaluate", node="gone", text="1", bare=True)["error"]


def test_a_flow_that_cannot_run_says_why(opened):
    session, link = opened({"nbflow": 1, "name": "drawn", "nodes": [{"id": "get", "type": "action.http"}]})
    command(session, "run")
    assert "node 'get', field 'url'" in link.until(lambda: link.traits.get("notice"))


def test_a_missing_parameter_is_named_and_leaves_nothing_running(opened):
    @flow
    def needy(path: str):
        return flows.doubled(path)

    session, link = open_drawn(opened, needy)
    command(session, "run")
    assert "parameter 'path'" in link.until(lambda: link.traits.get("notice"))
    session.set_params({"path": "ab"})
    command(session, "run")
    link.ended()


def test_a_run_can_be_stopped(opened):
    session, link = opened({"nbflow": 1, "name": "endless", "nodes": [{"id": "wait", "type": "logic.wait", "config": {"duration": 60}}]})
    command(session, "run")
    link.until(lambda: any("wait" in one["nodes"] for one in link.messages if one.get("kind") == "statuses"))
    command(session, "run")
    assert "it runs already" in link.until(lambda: link.traits.get("notice"))
    command(session, "stop")
    link.ended("cancelled")


def test_the_code_of_a_drawn_flow_can_be_read(opened):
    session, link = open_drawn(opened, flows.straight)
    assert "@flow" in link.ask(session, "code")["source"]


def test_python_changes_the_document_and_the_browser_is_told(opened):
    session, link = opened(Flow(name="one"))
    session.replace(Flow(name="two"))
    assert link.traits["flow"]["name"] == "two"


def test_unknown_messages_are_refused_by_name(opened):
    session, link = opened(Flow(name="one"))
    session.receive({"kind": "strange"})
    assert "the canvas sent 'strange'" in link.traits["notice"]
    command(session, "fly")
    link.until(lambda: "'fly'" in link.traits["notice"])
    assert "'why'" in link.ask(session, "why")["error"]


def test_saving_gives_the_document_to_who_asked_for_it(opened):
    saved = []
    session, link = opened(Flow(name="one"), save=saved.append)
    assert "save" in session.capabilities
    command(session, "save")
    link.until(lambda: saved)
    assert saved[0]["name"] == "one"
