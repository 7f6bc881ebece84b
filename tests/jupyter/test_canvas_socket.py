"""The websocket of an open document, to a real Jupyter server."""

from __future__ import annotations

import json
from contextlib import contextmanager

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

FLOW = {"nbflow": 1, "name": "held", "nodes": [{"id": "hold", "type": "logic.wait", "config": {"duration": 0.3}}]}


class Canvas:
    """What a browser would hear."""

    def __init__(self, socket):
        self.socket = socket
        self.traits = {}
        self.messages = []

    def tell(self, **frame):
        self.socket.send(json.dumps(frame))

    def hear_until(self, condition, seconds=20.0):
        while not condition(self):
            frame = json.loads(self.socket.recv(timeout=seconds))
            if "trait" in frame:
                self.traits[frame["trait"]] = frame["value"]
            elif "message" in frame:
                self.messages.append(frame["message"])
            if frame.get("ready"):
                self.traits["ready"] = True
        return self


@contextmanager
def canvas(jupyter, key="one", flow=FLOW):
    with connect(jupyter.socket_url("canvas"), max_size=None) as socket:
        opened = Canvas(socket)
        opened.tell(open=key, flow=flow)
        opened.hear_until(lambda it: it.traits.get("ready"))
        yield opened


def test_strangers_are_refused(jupyter):
    with pytest.raises(InvalidStatus) as refused, connect(jupyter.socket_url("canvas", token=False)):
        pass
    assert refused.value.response.status_code == 403


def test_pages_of_other_sites_are_refused(jupyter):
    with httpx.Client(base_url=jupyter.url) as browser:
        browser.get("tree", params={"token": jupyter.token})
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    sent = {"additional_headers": {"Cookie": cookies}}
    with connect(jupyter.socket_url("canvas", token=False), origin=jupyter.url.rstrip("/"), **sent):
        pass
    with pytest.raises(InvalidStatus) as refused, connect(jupyter.socket_url("canvas", token=False), origin="https://elsewhere.example.org", **sent):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("frame", ["no json", "[]", '{"flow": {}}', '{"open": {}}'])
def test_what_is_not_understood_ends_the_connection(jupyter, frame):
    with connect(jupyter.socket_url("canvas")) as socket:
        socket.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd.code == 1003


def test_a_window_that_opens_it_again_takes_it_over(jupyter):
    with canvas(jupyter, "shared") as first, canvas(jupyter, "shared"), pytest.raises(ConnectionClosed) as closed:
        while True:
            first.socket.recv(timeout=10)
    assert closed.value.rcvd.code == 4001


def execution(it):
    return (it.traits.get("statuses") or {}).get("execution") or {}


def ended(it):
    return execution(it).get("status") in {"completed", "failed", "cancelled"}


def begun(it):
    return execution(it).get("id")


def test_it_learns_the_catalogue_and_what_can_be_done(jupyter):
    with canvas(jupyter) as opened:
        opened.hear_until(lambda it: {"catalogue", "options", "checked", "credentials", "executions"} <= set(it.traits))
        assert "logic.wait" in {one["type"] for one in opened.traits["catalogue"]["types"]}
        assert "run" in opened.traits["options"]["capabilities"]
        assert opened.traits["checked"]["problems"] == []
        assert "flow" not in opened.traits  # the browser has it


def test_edits_are_checked(jupyter):
    with canvas(jupyter, "edited") as opened:
        opened.tell(flow={"nbflow": 1, "name": "edited", "nodes": [{"id": "hold", "type": "logic.wait"}]})
        opened.hear_until(lambda it: it.traits.get("checked", {}).get("problems"))
        assert opened.traits["checked"]["problems"][0]["node"] == "hold"


def test_a_run_is_followed_and_kept_in_the_projects_history(jupyter):
    with canvas(jupyter, "run") as opened:
        opened.tell(message={"kind": "command", "name": "run"})
        opened.hear_until(ended)
        assert opened.traits["statuses"]["execution"]["status"] == "completed"
        assert opened.traits["statuses"]["nodes"]["hold"]["status"] == "completed"
        id_ = opened.traits["statuses"]["execution"]["id"]
        opened.hear_until(lambda it: id_ in {one["id"] for one in it.traits.get("executions", [])})
    with jupyter.client() as client:
        found = client.get(f"api/v1/executions/{id_}").json()
    assert (found["status"], found["flow"]) == ("completed", "held")


def test_questions_are_answered_to_who_asks(jupyter):
    with canvas(jupyter, "asked") as opened:
        opened.tell(message={"kind": "ask", "id": "q1", "question": "code", "ask": {}})
        opened.hear_until(lambda it: any(one.get("kind") == "answer" for one in it.messages))
        [answer] = [one for one in opened.messages if one["kind"] == "answer"]
        assert answer["id"] == "q1"
        assert "def held" in answer["answer"]["source"]


def test_parameters_are_those_that_were_given_before(jupyter):
    needy = {**FLOW, "name": "needy", "parameters": {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]}}
    with canvas(jupyter, "needy", needy) as opened:
        opened.tell(message={"kind": "command", "name": "run"})
        opened.hear_until(lambda it: it.traits.get("notice"))
        assert "who" in opened.traits["notice"]
        opened.tell(params={"who": "Ada"})
        opened.tell(message={"kind": "command", "name": "run"})
        opened.hear_until(lambda it: execution(it).get("status") == "completed")


def test_a_page_that_is_loaded_again_finds_its_run(jupyter):
    slow = {**FLOW, "name": "slow", "nodes": [{"id": "hold", "type": "logic.wait", "config": {"duration": 30}}]}
    with canvas(jupyter, "again", slow) as opened:
        opened.tell(message={"kind": "command", "name": "run"})
        opened.hear_until(begun)
        id_ = opened.traits["statuses"]["execution"]["id"]
    with canvas(jupyter, "again", slow) as opened:
        assert opened.traits["statuses"]["execution"]["id"] == id_
        opened.tell(message={"kind": "command", "name": "stop"})
        opened.hear_until(ended)
        assert opened.traits["statuses"]["execution"]["status"] == "cancelled"


def test_what_runs_on_a_canvas_is_cancelled_like_everything_else(jupyter):
    slow = {**FLOW, "name": "slow", "nodes": [{"id": "hold", "type": "logic.wait", "config": {"duration": 30}}]}
    with canvas(jupyter, "cancelled", slow) as opened, jupyter.client() as client:
        opened.tell(message={"kind": "command", "name": "run"})
        opened.hear_until(begun)
        id_ = opened.traits["statuses"]["execution"]["id"]
        answer = client.post(f"api/v1/executions/{id_}/cancel")
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "cancelled"
        opened.hear_until(ended)
        assert client.post("api/v1/executions/00000000-0000-7000-8000-000000000000/cancel").status_code == 404
