"""Equal requests make one execution and get one answer: over a real socket, concurrently, and across a restart."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from datetime import timedelta

import httpx
import pytest

from nbflow.core.flow import Node
from nbflow.server.errors import ApiError
from nbflow.server.webhooks.answer import Answer
from nbflow.server.webhooks.idempotency import Idempotency, fingerprint, stored
from nbflow.store.memory import MemoryStore

from .published import executions, publish, shaped

DAY = timedelta(days=1)
SLOW = Node(id="slow", type="logic.wait", config={"duration": "PT0.3S"})


async def together(server, path, count=50, **options):
    async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=None)) as client:
        return await asyncio.gather(*(client.post(f"{server.url}/webhooks/{path}", **options) for _ in range(count)))


@pytest.mark.parametrize("mode", ["at_once", "last_node", "respond_node"])
async def test_50_equal_concurrent_deliveries_make_one_execution_and_50_equal_answers(server, mode):
    end = Node(id="say", type="flow.respond", config={"status": 201}) if mode == "respond_node" else shaped(id="{{ execution.id }}")
    workflow = publish(server, f"once-{mode}", SLOW, end, response_mode=mode)
    answers = await together(server, f"once-{mode}", json={"order": 1}, headers={"Idempotency-Key": "order-1"})
    assert {answer.status_code for answer in answers} == {{"at_once": 202, "last_node": 200, "respond_node": 201}[mode]}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["x-nbflow-execution"] for answer in answers}) == 1
    again = await together(server, f"once-{mode}", 1, json={"order": 1}, headers={"Idempotency-Key": "order-1"})
    assert again[0].content == answers[0].content
    assert executions(server, workflow) == 1


async def test_other_keys_are_other_executions(server):
    workflow = publish(server, "others")
    for number in range(3):
        assert (await together(server, "others", 1, headers={"Idempotency-Key": f"key-{number}"}))[0].status_code == 200
    await together(server, "others", 2)
    assert executions(server, workflow) == 5


async def test_the_same_key_with_another_body_is_a_conflict(server):
    workflow = publish(server, "conflict")
    first = (await together(server, "conflict", 1, json=1, headers={"Idempotency-Key": "k"}))[0]
    for options in ({"json": 2}, {"json": 1, "params": {"a": 1}}):
        answer = (await together(server, "conflict", 1, headers={"Idempotency-Key": "k"}, **options))[0]
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_conflict")
        assert answer.json()["error"]["details"]["execution_id"] == first.headers["x-nbflow-execution"]
    assert executions(server, workflow) == 1


async def test_two_webhooks_may_get_the_same_key(server):
    publish(server, "left", shaped(at="left"))
    publish(server, "right", shaped(at="right"))
    answers = [(await together(server, path, 1, headers={"Idempotency-Key": "same"}))[0].json()["at"] for path in ("left", "right")]
    assert answers == ["left", "right"]


async def test_a_refused_request_leaves_the_key_free(server):
    workflow = publish(server, "refused", max_body_bytes=1000)
    headers = {"Idempotency-Key": "r", "Content-Type": "application/json"}
    answers = await together(server, "refused", 10, content=b"{", headers=headers)
    assert {answer.status_code for answer in answers} == {400}
    assert (await together(server, "refused", 1, content=b"{}", headers=headers))[0].status_code == 200
    assert executions(server, workflow) == 1


async def test_a_failed_execution_is_the_answer_too(server):
    workflow = publish(server, "failing", shaped(x="{{ input.nothing.there }}"))
    answers = await together(server, "failing", 5, json={}, headers={"Idempotency-Key": "f"})
    assert {answer.status_code for answer in answers} == {500}
    assert len({answer.content for answer in answers}) == 1
    assert executions(server, workflow) == 1


async def test_the_header_can_be_another_or_none(server):
    named = publish(server, "named-key", idempotency_header="X-GitHub-Delivery")
    await together(server, "named-key", 5, headers={"X-GitHub-Delivery": "d"})
    unnamed = publish(server, "no-key", idempotency_header="")
    await together(server, "no-key", 5, headers={"Idempotency-Key": "d"})
    assert (executions(server, named), executions(server, unnamed)) == (1, 5)


async def test_a_key_is_not_endless(server):
    publish(server, "long-key")
    answer = (await together(server, "long-key", 1, headers={"Idempotency-Key": "x" * 300}))[0]
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "idempotency_key_too_long")


async def test_after_the_window_a_key_is_new(server):
    workflow = publish(server, "window", idempotency_window="PT0.2S")
    await together(server, "window", 2, headers={"Idempotency-Key": "w"})
    await asyncio.sleep(0.3)
    await together(server, "window", 2, headers={"Idempotency-Key": "w"})
    assert executions(server, workflow) == 2


async def test_a_restart_forgets_neither_keys_nor_signatures(fresh_server):
    first = fresh_server()
    first.state.vault.add("signing", "hmac_secret", {"secret": "the-secret"})
    rules = {"signed": "{timestamp}.{body}", "timestamp_header": "X-Time"}
    receipts = publish(first, "receipts", response_mode="at_once")
    values = publish(first, "values", shaped(id="{{ execution.id }}"))
    signed = publish(first, "signed", auth="hmac", credential="signing", hmac=rules)
    now = str(int(time.time()))
    proof = {"X-Time": now, "X-Signature": hmac.new(b"the-secret", f"{now}.".encode(), hashlib.sha256).hexdigest()}
    key = {"Idempotency-Key": "k"}
    before = [(await together(first, path, 1, headers=headers))[0] for path, headers in (("receipts", key), ("values", key), ("signed", proof))]
    assert [answer.status_code for answer in before] == [202, 200, 200]
    await asyncio.to_thread(first.stop)

    second = fresh_server()
    after = [(await together(second, path, 1, headers=headers))[0] for path, headers in (("receipts", key), ("values", key), ("signed", proof))]
    assert after[0].content == before[0].content
    assert after[1].headers["x-nbflow-execution"] == before[1].headers["x-nbflow-execution"]
    assert after[1].json()["status"] == "completed"
    assert (after[2].status_code, after[2].json()["error"]["code"]) == (401, "signature_replayed")
    other = (await together(second, "values", 1, json=1, headers=key))[0]
    assert other.status_code == 409
    assert [executions(second, workflow) for workflow in (receipts, values, signed)] == [1, 1, 1]


# The memory itself -------------------------------------------------------------------------------------


def answered(text=b"x"):
    return Answer(200, [], text)


async def test_what_no_longer_fits_in_memory_is_asked_of_the_store():
    store = MemoryStore()
    memory = Idempotency(store, most=2)
    for number in range(4):
        entry, first = await memory.claim("w/n", str(number), fingerprint(b"same"), DAY)
        assert first
        execution_id = f"0190a5b6-0000-7000-8000-00000000000{number}"
        record = {"k": "accepted", "execution_id": execution_id, "flow": "f", "ts": time.time_ns()}
        store.append([{**record, "idempotency_key": stored("w/n", str(number), fingerprint(b"same"))}])
        entry.execution_id = execution_id
        memory.settle("w/n", str(number), entry, answered())
    entry, first = await memory.claim("w/n", "0", fingerprint(b"same"), DAY)
    assert not first
    assert entry.execution_id == "0190a5b6-0000-7000-8000-000000000000"
    with pytest.raises(ApiError, match="another request"):
        await memory.claim("w/n", "1", fingerprint(b"other"), DAY)
    assert (await memory.claim("w/n", "never", fingerprint(b"same"), DAY))[1]


async def test_answers_have_a_budget_of_bytes():
    memory = Idempotency(MemoryStore(), most_bytes=100)
    entries = []
    for number in range(3):
        entry, _ = await memory.claim("s", str(number), "p", DAY)
        entry.execution_id = f"e{number}"
        memory.settle("s", str(number), entry, answered(b"x" * 60))
        entries.append(entry)
    assert [entry.outcome is None for entry in entries] == [True, True, False]
    known, first = await memory.claim("s", "0", "p", DAY)
    assert (known.execution_id, first) == ("e0", False)


async def test_those_who_wait_hear_why_the_first_was_refused():
    memory = Idempotency(MemoryStore())
    entry, _ = await memory.claim("s", "k", "p", DAY)
    again, first = await memory.claim("s", "k", "p", DAY)
    assert again is entry
    assert not first
    memory.settle("s", "k", entry, ApiError(503, "full", "full"))
    assert str(await again.outcome) == "full"
    assert (await memory.claim("s", "k", "p", DAY))[1]


def test_fingerprints_tell_where_one_part_ends():
    assert fingerprint(b"a", b"bc") != fingerprint(b"ab", b"c")
