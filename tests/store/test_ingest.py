"""Journal bytes into rows."""

from __future__ import annotations

import pytest
from traffic import accepted, finished, new_id, node, node_started, run, started

from nbflow.store.database import Database
from nbflow.store.ingest import Ingester
from nbflow.store.journal import encode

FILE = "0190.000001.ndjson"


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "a.duckdb")
    yield database
    database.close()


@pytest.fixture
def ingester(database):
    return Ingester(database)


def ask(database, sql):
    connection = database.connection()
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_a_torn_last_line_waits_for_its_rest(database, ingester):
    data = encode(run(new_id()))
    cut = len(data) - 20
    taken = ingester.take(FILE, data[:cut])
    assert ask(database, "SELECT status FROM workflow_executions") == [("running",)]
    assert taken + ingester.take(FILE, data[taken:]) == len(data)
    assert ask(database, "SELECT status, nodes_total FROM workflow_executions") == [("completed", 5)]


def test_the_offset_is_remembered_with_the_rows(database, ingester):
    data = encode(run(new_id()))
    ingester.take(FILE, data)
    assert Ingester(database).offsets == {FILE: len(data)}


@pytest.mark.parametrize(
    "poison",
    [
        b"not json\n",
        b'{"k":"node",\n',
        b'"text"\n',
        b"\xff\xfe\x00\n",
        b"\n",
        b"null\n",
        b'{"k":"surprise","execution_id":"0190c8f0-0000-7000-8000-000000000000"}\n',
        b'{"k":"node","execution_id":"not an id"}\n',
        b'{"k":"node","execution_id":"0190c8f0-0000-7000-8000-000000000000","status":"splendid"}\n',
        b'{"k":"finished","execution_id":"0190c8f0-0000-7000-8000-000000000000","status":"splendid","ts":1}\n',
        b'{"k":"started","execution_id":"0190c8f0-0000-7000-8000-000000000000","ts":9223372036854775807}\n{"k":"nonsense"}\n',
    ],
)
def test_a_poison_line_is_set_aside_and_its_neighbours_arrive(database, ingester, poison):
    first, second = encode(run(new_id())), encode(run(new_id()))
    data = first + poison + second
    assert ingester.take(FILE, data) == len(data)
    assert ask(database, "SELECT count(*) FROM workflow_executions WHERE status = 'completed'") == [(2,)]
    assert ask(database, "SELECT count(*) FROM execution_logs WHERE status = 'completed'") == [(10,)]
    assert ask(database, "SELECT count(*) FROM quarantine") == [(1,)]
    assert ingester.offsets[FILE] == len(data)


def test_events_of_one_execution_may_lie_in_two_journals_in_any_order(database, ingester):
    execution = new_id()
    ingester.take("worker.000001.ndjson", encode([started(execution), node(execution), finished(execution)]))
    ingester.take("server.000001.ndjson", encode([accepted(execution, trigger="webhook")]))
    assert ask(database, "SELECT flow, trigger, status, journal, accepted_at IS NOT NULL FROM workflow_executions") == [
        ("daily", "webhook", "completed", "worker", True)
    ]
    assert ask(database, "SELECT flow FROM execution_logs") == [("daily",)]


def test_an_execution_accepted_here_and_started_there_belongs_to_who_started_it(database, ingester):
    execution = new_id()
    ingester.take("server.000001.ndjson", encode([accepted(execution)]))
    ingester.take("worker.000001.ndjson", encode([started(execution)]))
    assert ask(database, "SELECT journal, status FROM workflow_executions") == [("worker", "running")]


def test_a_start_after_the_end_makes_it_run_again(database, ingester):
    execution = new_id()
    ingester.take(FILE, encode([accepted(execution), started(execution), finished(execution, status="failed", error_type="ValueError")]))
    ingester.take(FILE, encode([started(execution)]))
    assert ask(database, "SELECT status, finished_at, error_type FROM workflow_executions") == [("running", None, None)]
    ingester.take(FILE, encode([finished(execution)]))
    assert ask(database, "SELECT status, error_type FROM workflow_executions") == [("completed", None)]


def test_what_was_told_is_kept_as_it_was(database, ingester):
    execution = new_id()
    ingester.take(FILE, encode([accepted(execution), started(execution), node_started(execution, "slow"), finished(execution)]))
    kinds = ask(database, "SELECT kind, node_id FROM execution_events ORDER BY ts, kind")
    assert kinds == [("accepted", None), ("started", None), ("node_started", "slow"), ("finished", None)]
    assert ask(database, "SELECT data->>'$.input.day' FROM execution_events WHERE kind = 'accepted'") == [("1",)]
