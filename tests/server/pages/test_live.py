from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from uuid import uuid4

import pytest

from nbflow import flow, node
from nbflow.runtime.runtime import Runtime
from nbflow.server.execution import QueueStatus
from nbflow.server.pages.live import Live, Question
from nbflow.store.memory import MemoryStore

HOME = uuid4()


@node
def give(value: int) -> int:
    return 10 // value


@flow
def division(value: int):
    return give(value)


class CountingStore:
    """A store that counts what it is asked."""

    def __init__(self):
        self.inner = MemoryStore()
        self.asked = 0

    def query(self, *arguments, **words):
        self.asked += 1
        return self.inner.query(*arguments, **words)

    def __getattr__(self, name):
        return getattr(self.inner, name)


@pytest.fixture
def store():
    made = CountingStore()
    yield made
    made.close()


@pytest.fixture
def run(store):
    runtime = Runtime(store=store.inner)

    def start(**params):
        execution = runtime.start(division.prepare(), params)
        asyncio.run(execution.wait())
        return execution.id

    return start


def live_on(store):
    idle = QueueStatus(running=1, waiting=2, limit=16, queue_limit=100, workflows={}, workers=())
    return Live(SimpleNamespace(store=store, home=HOME, executor=SimpleNamespace(status=lambda: idle)), tick_s=0.01)


async def answers(live, question, *, until):
    """What is told until it satisfies."""
    told = asyncio.Queue()
    stop = live.watch(question, lambda text: told.put_nowait(json.loads(text)))
    async with asyncio.timeout(20):
        while True:
            answer = await told.get()
            if until(answer):
                stop()
                return answer


def ours(**words):
    return Question(organizations=frozenset({HOME}), **words)


async def asked(store, question):
    live = live_on(store)
    answer = await answers(live, question, until=lambda _: True)
    await live.close()
    return answer


def test_a_page_is_told_what_there_is(store, run):
    id_ = run(value=1)
    answer = asyncio.run(asked(store, ours()))
    [execution] = answer["executions"]
    assert (execution["execution_id"], execution["flow"], execution["status"]) == (id_, "division", "completed")
    assert answer["counts"] == {"completed": 1}
    assert answer["queue"] == {"running": 1, "waiting": 2, "limit": 16, "draining": False}


def test_times_say_that_they_are_utc(store, run):
    run(value=1)
    assert asyncio.run(asked(store, ours()))["executions"][0]["started_at"].endswith("Z")


def test_a_page_is_told_of_what_comes_later(store, run):
    async def watch():
        live = live_on(store)
        later = asyncio.create_task(answers(live, ours(), until=lambda answer: answer["executions"]))
        await asyncio.to_thread(run, value=1)
        answer = await later
        await live.close()
        return answer

    assert len(asyncio.run(watch())["executions"]) == 1


def test_executions_of_other_organizations_are_not_told(store, run):
    run(value=1)
    answer = asyncio.run(asked(store, Question(organizations=frozenset({uuid4()}))))
    assert answer["executions"] == []
    assert answer["counts"] == {}


def test_nobody_without_the_right_is_told_anything(store, run):
    run(value=1)
    assert asyncio.run(asked(store, Question(organizations=frozenset())))["executions"] == []


@pytest.mark.parametrize(
    ("wanted", "found"), [({"status": "failed"}, ["failed"]), ({"status": "active"}, []), ({"text": "DIVI"}, ["failed", "completed"])]
)
def test_a_question_chooses(store, run, wanted, found):
    run(value=1)
    run(value=0)
    assert [execution["status"] for execution in asyncio.run(asked(store, ours(**wanted)))["executions"]] == found


def test_the_text_finds_an_error_and_the_beginning_of_an_id(store, run):
    id_ = run(value=0)
    for text in ("modulo by zero", id_[:12].upper()):
        assert [execution["execution_id"] for execution in asyncio.run(asked(store, ours(text=text)))["executions"]] == [id_]


def test_a_limit_says_that_there_is_more(store, run):
    run(value=1)
    run(value=1)
    answer = asyncio.run(asked(store, ours(limit=1)))
    assert (len(answer["executions"]), answer["more"]) == (1, True)


def test_many_pages_with_one_question_cost_one(store, run):
    run(value=1)

    async def watch(pages):
        live = live_on(store)
        told = [asyncio.Event() for _ in range(pages)]
        live._tick_s = 3600
        for event in told:
            live.watch(ours(), lambda _text, event=event: event.set())
        async with asyncio.timeout(20):
            await asyncio.gather(*(event.wait() for event in told))
        await live.close()

    before = store.asked
    asyncio.run(watch(1))
    alone = store.asked - before
    asyncio.run(watch(30))
    assert store.asked - before - alone == alone


def test_nothing_is_asked_while_nobody_looks(store):
    async def watch():
        live = live_on(store)
        await answers(live, ours(), until=lambda _: True)
        await asyncio.wait_for(live._asking, 20)
        return live

    live = asyncio.run(watch())
    assert not live._watched
    assert not live._answers


def test_a_store_that_does_not_answer_is_told(store):
    from nbflow.core.errors import StoreBusyError

    def refuse(*_arguments, **_words):
        message = "the store is busy"
        raise StoreBusyError(message)

    store.query = refuse
    assert asyncio.run(asked(store, ours())) == {"error": "the store is busy"}
