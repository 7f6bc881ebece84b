"""Live events: the feed itself on a store, and GET /executions/{id}/events over a real socket."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid

import httpx
import pytest
from flow_documents import document, failing, waiting
from httpx_sse import connect_sse

from nbflow.core.errors import StoreBusyError
from nbflow.core.ids import new_id
from nbflow.server.feed import MOST, Feed
from nbflow.store.memory import MemoryStore

# The feed ---------------------------------------------------------------------------------------


class CountingStore(MemoryStore):
    """Counts how often it is asked, and can be busy for a while."""

    asked = 0
    busy = 0

    def query(self, *args, **options):
        self.asked += 1
        if self.busy:
            self.busy -= 1
            raise StoreBusyError("overloaded")
        return super().query(*args, **options)


@pytest.fixture
def store():
    made = CountingStore()
    yield made
    made.close()


@pytest.fixture
async def feed(store):
    made = Feed(store, tick_s=0.02)
    yield made
    await made.close()


def record(id_, seq, kind, **more):
    base = {"k": kind, "execution_id": str(id_), "seq": seq, "ts": time.time_ns()}
    if kind == "node":
        base |= {"node_id": f"n{seq}", "node_type": "t", "status": "completed", "started": time.time_ns(), "duration": 1_000_000}
    if kind == "finished":
        base |= {"status": "completed", "duration": 1_000_000}
    return base | more


async def seen(events):
    return [(event.seq, event.kind) async for event in events]


async def test_records_come_in_order_and_end_with_the_execution(store, feed):
    id_ = new_id()
    store.append([record(id_, 0, "accepted", flow="f"), record(id_, 1, "started")])
    following = asyncio.create_task(seen(feed.follow(id_)))
    await asyncio.sleep(0.1)
    store.append([record(id_, 2, "node_started", node_id="n"), record(id_, 3, "node"), record(id_, 4, "finished")])
    assert await asyncio.wait_for(following, 5) == [(0, "accepted"), (1, "started"), (2, "node_started"), (3, "node"), (4, "finished")]
    assert feed.listeners == 0


async def test_who_comes_back_gets_what_is_new_and_nothing_twice(store, feed):
    id_ = new_id()
    store.append([record(id_, 0, "accepted", flow="f"), *(record(id_, seq, "node") for seq in range(1, 9)), record(id_, 9, "finished")])
    assert [seq for seq, _ in await seen(feed.follow(id_, after=6))] == [7, 8, 9]


async def test_a_long_history_comes_whole(store, feed):
    id_, many = new_id(), 2 * MOST + 500
    store.append([record(id_, 0, "accepted", flow="f"), *(record(id_, seq, "node") for seq in range(1, many)), record(id_, many, "finished")])
    assert [seq for seq, _ in await asyncio.wait_for(seen(feed.follow(id_)), 10)] == list(range(many + 1))


async def test_all_listeners_are_served_by_one_question_a_tick(store):
    feed, ids = Feed(store, tick_s=0.2), [new_id() for _ in range(10)]
    store.append([record(id_, 0, "accepted", flow="f") for id_ in ids])
    store.asked = 0
    following = [asyncio.create_task(seen(feed.follow(id_))) for id_ in ids * 5]
    while feed.listeners < 50:
        await asyncio.sleep(0)
    store.append([record(id_, 1, "finished") for id_ in ids])
    assert await asyncio.gather(*following) == [[(0, "accepted"), (1, "finished")]] * 50
    assert store.asked <= 3
    await feed.close()


async def test_nobody_is_asked_when_nobody_listens(store, feed):
    id_ = new_id()
    store.append([record(id_, 0, "accepted", flow="f"), record(id_, 1, "finished")])
    await seen(feed.follow(id_))
    await asyncio.sleep(0.05)
    store.asked = 0
    await asyncio.sleep(0.2)
    assert store.asked == 0
    assert await seen(feed.follow(id_)) == [(0, "accepted"), (1, "finished")]


async def test_an_end_that_somebody_else_wrote_is_told_too(store, feed):
    id_ = new_id()
    store.append([record(id_, 0, "accepted", flow="f"), record(id_, 1, "started")])
    end = {"k": "finished", "execution_id": str(id_), "ts": time.time_ns(), "status": "failed", "error_type": "Interrupted", "error_message": "gone"}
    store.append([end])
    events = [event async for event in feed.follow(id_)]
    assert [(event.seq, event.kind) for event in events] == [(0, "accepted"), (1, "started"), (None, "finished")]
    assert (events[-1].status, events[-1].data["error_type"]) == ("failed", "Interrupted")


async def test_a_deleted_execution_ends_its_stream(store, feed):
    assert await asyncio.wait_for(seen(feed.follow(uuid.uuid4())), 5) == [(None, "deleted")]


async def test_a_busy_store_only_delays(store, feed, caplog):
    id_ = new_id()
    store.append([record(id_, 0, "accepted", flow="f"), record(id_, 1, "finished")])
    store.busy = 3
    assert await seen(feed.follow(id_)) == [(0, "accepted"), (1, "finished")]
    assert "overloaded" in caplog.text


async def test_stopping_ends_every_stream(store, feed):
    id_ = new_id()
    store.append([record(id_, 0, "accepted", flow="f")])
    following = feed.follow(id_)
    assert (await anext(following)).kind == "accepted"
    rest = asyncio.create_task(seen(following))
    await asyncio.sleep(0.1)
    feed.stop()
    assert await asyncio.wait_for(rest, 1) == []
    assert await seen(feed.follow(id_)) == []


# The stream -------------------------------------------------------------------------------------


def start(server, definition, **more):
    body = {"workflow_id": "new", "definition": definition, "mode": "queue", **more}
    return server.client.post("/executions/execute", json=body).json()["execution_id"]


def events(server, id_, **headers):
    with connect_sse(server.client, "GET", f"{server.api}/executions/{id_}/events", headers=headers) as source:
        assert source.response.headers["content-type"].startswith("text/event-stream")
        return list(source.iter_sse())


def chain(length, pause=0.01):
    nodes = [{"id": f"n{number}", "type": "logic.wait", "config": {"duration": pause}} for number in range(length)]
    return document("chain", *nodes, edges=[{"source": f"n{number}", "target": f"n{number + 1}"} for number in range(length - 1)])


def test_an_execution_is_told_from_the_beginning_to_its_end(server):
    found = events(server, start(server, chain(5)))
    assert [event.event for event in found][:2] == ["accepted", "started"]
    assert found[-1].event == "finished"
    assert [int(event.id) for event in found] == list(range(len(found)))
    ended = [json.loads(event.data) for event in found if event.event == "node"]
    assert [(event["node"], event["status"]) for event in ended] == [(f"n{number}", "completed") for number in range(5)]
    assert all(json.loads(event.data)["at"].endswith("Z") for event in found)


def test_the_end_of_a_failed_execution_says_why(server):
    last = json.loads(events(server, start(server, failing()))[-1].data)
    assert (last["kind"], last["status"], last["error"]["node"]) == ("finished", "failed", "broken")


def test_reconnecting_again_and_again_loses_nothing(server):
    id_, found = start(server, chain(40)), []
    while not found or found[-1].event != "finished":
        headers = {"Last-Event-ID": found[-1].id} if found else {}
        with connect_sse(server.client, "GET", f"{server.api}/executions/{id_}/events", headers=headers) as source:
            for number, event in enumerate(source.iter_sse()):
                found.append(event)
                if number == 6:
                    break
    assert [int(event.id) for event in found] == list(range(len(found)))
    assert sum(event.event == "node" for event in found) == 40


def test_a_wrong_last_event_id_is_refused(server):
    id_ = start(server, document())
    answer = server.client.get(f"/executions/{id_}/events", headers={"Last-Event-ID": "the last one"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_last_event_id")


def test_a_stream_ends_when_its_workflow_is_deleted(server):
    made = server.client.post("/workflows", json={"definition": waiting()}).json()["id"]
    id_ = server.client.post("/executions/execute", json={"workflow_id": made, "mode": "queue"}).json()["execution_id"]
    found = []
    listener = threading.Thread(target=lambda: found.extend(events(server, id_)))
    listener.start()
    server.client.delete(f"/workflows/{made}")
    listener.join(20)
    assert not listener.is_alive()
    assert found[-1].event in {"finished", "deleted"}


def test_a_silent_stream_has_heartbeats(server, monkeypatch):
    monkeypatch.setattr("nbflow.server.routes.events.HEARTBEAT_S", 0.05)
    id_ = start(server, waiting(seconds=1.5))
    with server.client.stream("GET", f"/executions/{id_}/events") as answer:
        assert ": still here" in list(answer.iter_lines())


def test_streams_end_when_the_server_stops(fresh_server):
    server = fresh_server(shutdown_grace_s=0.1)
    id_ = start(server, waiting())
    found, begun = [], threading.Event()

    def listen():
        with httpx.Client(headers=dict(server.client.headers)) as client, client.stream("GET", f"{server.api}/executions/{id_}/events") as answer:
            for line in answer.iter_lines():
                begun.set()
                found.append(line)

    listener = threading.Thread(target=listen)
    listener.start()
    assert begun.wait(10)
    server.stop()
    listener.join(10)
    assert not listener.is_alive()


def test_a_stream_ends_when_its_key_is_revoked(fresh_server, monkeypatch):
    monkeypatch.setattr("nbflow.server.routes.events.HEARTBEAT_S", 0.1)
    server = fresh_server(shutdown_grace_s=0)
    viewer = server.member("viewer")
    id_ = start(server, waiting())
    found = []
    with connect_sse(viewer.client, "GET", f"{server.api}/executions/{id_}/events") as source:
        for event in source.iter_sse():
            found.append(event.event)
            if event.event == "started":
                (key,) = server.state.directory.keys([viewer.organization_id], user_id=viewer.user_id)
                server.state.directory.revoke(key.id)
    assert found[:2] == ["accepted", "started"]
    assert "finished" not in found
    assert viewer.client.get(f"/executions/{id_}").status_code == 401
