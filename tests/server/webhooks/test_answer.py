"""What callers get, in each response mode: from flows of catalogue nodes and from flows with Python functions in worker kernels."""

from __future__ import annotations

import itertools
import time

import httpx
import pytest

from nbflow.core.flow import Edge, Flow, Node
from nbflow.workflows.module import Module

from .published import echoing, publish, shaped

SOURCE = """
import pandas as pd


def table(request):
    return pd.DataFrame({"a": [1, 2], "b": ["x", None], "at": pd.to_datetime(["2026-01-01", "2026-01-02"])})


def doubled(request):
    return {"twice": request["body"]["n"] * 2}


def picture(request):
    return b"\\x89PNG\\x00"


def size(request):
    file = request["files"]["report"]
    return [file["name"], file["content_type"], len(file["data"]), type(file["data"]).__name__, type(request["body"]).__name__]


def raw(request):
    return request["body"]


def broken(request):
    raise ValueError("the inside story")
"""
FUNCTIONS = ("table", "doubled", "picture", "size", "raw", "broken")


def module():
    ports = {"inputs": [{"name": "request", "required": True, "many": False}], "outputs": ["output"], "join": "all", "where": None, "context": None}
    names = {f"__main__:{name}": name for name in FUNCTIONS}
    return Module(files={"cells.py": SOURCE}, entry="cells.py", functions=names, ports=dict.fromkeys(names, ports))


def function(name):
    return Node(id=name, type="python.function", config={"function": f"__main__:{name}"})


def published_function(server, name, path=None, *more, **config):
    config.setdefault("response_mode", "last_node")
    trigger = Node(id="hook", type="trigger.webhook", config={"path": path or name, **config})
    nodes = (trigger, function(name), *more)
    edges = [Edge(source="hook", target=name, target_port="request")]
    edges += [Edge(source=first.id, target=second.id) for first, second in itertools.pairwise(nodes[1:])]
    return server.state.workflows.create(Flow(name=f"py-{path or name}", nodes=nodes, edges=tuple(edges)), module=module(), active=True)


def call(server, path, method="POST", **options):
    return httpx.request(method, f"{server.url}/webhooks/{path}", timeout=60, **options)


def respond(**config):
    return Node(id="say", type="flow.respond", config=config)


# Catalogue nodes ---------------------------------------------------------------------------------------


def test_at_once_is_a_receipt(server):
    publish(server, "receipt", Node(id="wait", type="logic.wait", config={"duration": 5}), response_mode="at_once")
    began = time.monotonic()
    answer = call(server, "receipt", json={})
    assert time.monotonic() - began < 4
    assert answer.status_code == 202
    assert set(answer.json()) == {"execution_id", "status"}
    publish(server, "receipt-200", response_mode="at_once", response_code=200)
    assert call(server, "receipt-200").status_code == 200


def test_the_last_nodes_value_is_the_answer(server):
    publish(server, "value", shaped(n="{{ input.body.n + 1 }}"))
    answer = call(server, "value", json={"n": 1})
    assert (answer.status_code, answer.json(), answer.headers["content-type"]) == (200, {"n": 2}, "application/json")


def test_the_status_of_a_good_answer_can_be_chosen(server):
    publish(server, "created", response_code=201)
    assert call(server, "created").status_code == 201


@pytest.mark.parametrize(
    ("wanted", "status", "body"), [("all", 200, b'[{"a":1},{"a":2}]'), ("first_json", 200, b'{"a":1}'), ("none", 204, b""), ("first_file", 500, None)]
)
def test_how_much_of_it_is_answered(server, wanted, status, body):
    pick = Node(id="pick", type="data.json", config={"operation": "map", "expression": "{{ item }}"})
    flow = echoing(f"data-{wanted}", response_mode="last_node", response_data=wanted)
    rows = [{"a": 1}, {"a": 2}]
    merged = Node(id="shape", type="action.transform", config={"assignments": [{"name": "rows", "value": "{{ input.body }}"}]})
    nodes = (*flow.nodes, merged, pick)
    edges = (Edge(source="hook", target="shape"), Edge(source="shape", target="pick", path=("rows",)))
    server.state.workflows.create(Flow(name=flow.name, nodes=nodes, edges=edges), active=True)
    answer = call(server, f"data-{wanted}", json=rows)
    assert answer.status_code == status
    if body is None:
        assert answer.json()["error"]["code"] == "no_file"
    else:
        assert answer.content == body


def test_a_respond_node_says_everything(server):
    node = respond(status=418, headers={"X-Tea": "yes"}, body="I am {{ input.body.name }}", format="text")
    publish(server, "tea", node, response_mode="respond_node")
    answer = call(server, "tea", json={"name": "a pot"})
    assert (answer.status_code, answer.text, answer.headers["x-tea"]) == (418, "I am a pot", "yes")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_the_answer_of_a_respond_node_does_not_wait_for_the_flows_end(server):
    publish(server, "early", respond(body={"early": True}), Node(id="wait", type="logic.wait", config={"duration": 3}), response_mode="respond_node")
    began = time.monotonic()
    assert call(server, "early").json() == {"early": True}
    assert time.monotonic() - began < 2.5


def test_a_flow_that_never_responds_is_an_error(server):
    publish(server, "mute", response_mode="respond_node")
    answer = call(server, "mute")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "no_response")


def test_a_failed_flow_tells_outsiders_nothing_of_its_inside(server):
    for mode in ("last_node", "respond_node"):
        publish(server, f"fails-{mode}", shaped(x="{{ input.body.secret_name.there }}"), response_mode=mode)
        answer = call(server, f"fails-{mode}", json={})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (500, "execution_failed")
        assert "secret_name" not in answer.text
        assert error["details"]["execution_id"] == answer.headers["x-nbflow-execution"]


def test_who_waits_too_long_is_told_that_the_execution_goes_on(server):
    publish(server, "slow", Node(id="wait", type="logic.wait", config={"duration": 1}), response_timeout="PT0.2S")
    answer = call(server, "slow", headers={"Idempotency-Key": "patient"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "answer_timeout")
    deadline = time.monotonic() + 10
    while answer.status_code == 504 and time.monotonic() < deadline:
        answer = call(server, "slow", headers={"Idempotency-Key": "patient"})
    assert answer.status_code == 200


def test_what_only_run_if_refuses_runs_nothing_after_it(server):
    publish(server, "picky", shaped(n="1"), only_run_if="input.body.type == 'order'")
    assert call(server, "picky", json={"type": "order"}).json() == {"n": "1"}
    answer = call(server, "picky", json={"type": "ping"})
    assert answer.status_code == 200
    assert answer.json() is None


def test_parameters_are_filled_from_the_request(server):
    flow = Flow(
        name="greeting",
        parameters={
            "type": "object",
            "properties": {"name": {"type": "string"}, "times": {"type": "integer", "default": 1}, "loud": {"type": "boolean", "default": False}},
            "required": ["name"],
        },
        nodes=(
            Node(id="hook", type="trigger.webhook", config={"path": "greet/:name", "methods": "*", "response_mode": "last_node"}),
            shaped(said="{{ params.name ~ params.times }}", loud="{{ params.loud }}"),
        ),
        edges=(Edge(source="hook", target="shape"),),
    )
    server.state.workflows.create(flow, active=True)
    assert call(server, "greet/ho?times=3", "GET").json() == {"said": "ho3", "loud": False}
    assert call(server, "greet/hi", json={"times": 2, "loud": True}).json() == {"said": "hi2", "loud": True}
    answer = call(server, "greet/hi?times=many", "GET")
    assert answer.status_code == 422
    assert "times" in answer.json()["error"]["message"]


def test_a_full_queue_is_503(fresh_server):
    server = fresh_server(max_running=1, queue_limit=1)
    publish(server, "queue", Node(id="wait", type="logic.wait", config={"duration": 1}), response_mode="at_once")
    answers = [call(server, "queue") for _ in range(6)]
    assert {answer.status_code for answer in answers} == {202, 503}
    full = next(answer for answer in answers if answer.status_code == 503)
    assert full.json()["error"]["code"] == "queue_full"
    assert "retry-after" in full.headers


# Python functions in worker kernels --------------------------------------------------------------------


def test_a_functions_value_is_the_answer(server):
    published_function(server, "doubled")
    assert call(server, "doubled", json={"n": 21}).json() == {"twice": 42}


def test_a_table_is_answered_as_records(server):
    published_function(server, "table")
    rows = call(server, "table").json()
    assert [(row["a"], row["b"]) for row in rows] == [(1, "x"), (2, None)]
    assert rows[0]["at"].startswith("2026-01-01")


def test_bytes_are_answered_as_they_are(server):
    published_function(server, "picture")
    answer = call(server, "picture")
    assert (answer.content, answer.headers["content-type"]) == (b"\x89PNG\x00", "application/octet-stream")


def test_files_reach_a_function_as_bytes(server):
    published_function(server, "size")
    answer = call(server, "size", files={"report": ("a b.pdf", bytes(range(256)), "application/pdf")})
    assert answer.json() == ["a b.pdf", "application/pdf", 256, "bytes", "dict"]


def test_raw_bytes_reach_a_function_exactly(server):
    published_function(server, "raw", raw_body=True)
    sent = bytes(range(256)) * 3
    assert call(server, "raw", content=sent, headers={"Content-Type": "application/json"}).content == sent


def test_a_respond_node_after_a_function(server):
    published_function(server, "doubled", "doubled-said", respond(status=201), response_mode="respond_node")
    answer = call(server, "doubled-said", json={"n": 2})
    assert (answer.status_code, answer.json()) == (201, {"twice": 4})


def test_a_receipt_for_a_function(server):
    published_function(server, "doubled", "doubled-later", response_mode="at_once")
    answer = call(server, "doubled-later", json={"n": 2})
    assert answer.status_code == 202
    query = "select status from workflow_executions where execution_id = ?::UUID"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        rows = server.state.store.query(query, [answer.json()["execution_id"]]).rows
        if rows and rows[0][0] == "completed":
            return
        time.sleep(0.1)
    pytest.fail(f"it did not complete: {rows}")


def test_a_failed_function_tells_outsiders_nothing(server):
    published_function(server, "broken")
    answer = call(server, "broken")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "execution_failed")
    assert "inside story" not in answer.text
