"""What every store promises, asked of each implementation."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from traffic import accepted, finished, new_id, node, run, started

from nbflow.core.errors import QueryError, StoreBusyError
from nbflow.store import History
from nbflow.store.sql import migrations


def utc(*parts):
    """A naive UTC datetime, as the store gives them."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)


def count(store, table="execution_logs"):
    return store.query(f"SELECT count(*) FROM {table}").rows[0][0]


def test_what_was_appended_is_read_at_once(store):
    execution = new_id()
    store.append(run(execution))
    assert store.query("SELECT status, nodes_total FROM executions").rows == [("completed", 5)]
    assert store.query("SELECT node_type, count(*), avg(duration_ms) FROM execution_logs GROUP BY ALL").rows == [("logic.condition", 5, 5.0)]


def test_what_was_submitted_is_read_at_once(store):
    futures = [store.submit(run(new_id())) for _ in range(20)]
    assert count(store, "executions") == 20
    for future in futures:
        assert future.result(10) is None


def test_an_execution_goes_through_its_states(store):
    execution = new_id()
    ask = "SELECT status FROM workflow_executions WHERE execution_id = ?::UUID"
    states = []
    for records in ([accepted(execution)], [started(execution)], [node(execution)], [finished(execution, status="failed", error_type="ValueError")]):
        store.append(records)
        states.append(store.query(ask, [execution]).rows[0][0])
    assert states == ["pending", "running", "running", "failed"]
    (row,) = store.query("SELECT error_type, duration_ms, nodes_total, host IS NOT NULL FROM workflow_executions").rows
    assert row == ("ValueError", 9.0, 1, True)


def test_times_are_utc_and_durations_milliseconds(store):
    execution = new_id()
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    ns = int(at.timestamp()) * 10**9
    store.append([accepted(execution, ts=ns), started(execution, ts=ns), finished(execution, ts=ns + 10**9, duration=10**9)])
    assert store.query("SELECT accepted_at, duration_ms FROM workflow_executions").rows == [(at.replace(tzinfo=None), 1000.0)]


def test_node_rows_carry_their_flow_and_add_up_in_the_execution(store):
    execution, workflow = new_id(), str(uuid4())
    store.append([accepted(execution, workflow_id=workflow), started(execution)])
    store.append([node(execution, 0, model="m", tokens_in=10, tokens_out=2, cost_usd=0.5)])
    store.append([node(execution, 1, model="m", tokens_in=5, tokens_out=1, cost_usd=0.25), finished(execution)])
    assert store.query("SELECT DISTINCT flow, workflow_id FROM execution_logs").rows == [("daily", UUID(workflow))]
    assert store.query("SELECT tokens_in, tokens_out, cost_usd FROM workflow_executions").rows == [(15, 3, 0.75)]


def test_many_executions_in_one_append(store):
    store.append([record for _ in range(300) for record in run(new_id(), nodes=2)])
    assert count(store) == 600
    assert count(store, "executions") == 300


def test_a_flow_document_is_kept_once(store):
    record = {"k": "flow", "hash": "a" * 64, "name": "daily", "document": {"nodes": [1, 2]}, "ts": 10**18}
    store.append([record, record])
    store.append([record])
    assert count(store, "flow_documents") == 1
    assert History(store).document("a" * 64) == {"nodes": [1, 2]}


def test_threads_append_at_once(store):
    execution = new_id()

    def work(part):
        for seq in range(25):
            store.append([node(execution, part * 25 + seq)])

    threads = [threading.Thread(target=work, args=(part,)) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.query("SELECT count(*), count(DISTINCT seq) FROM execution_logs").rows == [(200, 200)]


def test_odd_values_survive(store):
    execution = new_id()
    store.append(
        [
            node(
                execution,
                payload={"text": "a\x00b \ud800 \U0001f600 \r\n\u2028", "big": 2**70, 3: {"set": {1}}, "nan": float("nan")}.copy() | {"nan": None},
            )
        ]
    )
    payload = History(store).nodes(execution)[0].payload
    assert payload["text"].startswith("a\x00b ?")
    assert payload["text"].endswith("\r\n\u2028")
    assert payload["3"] == {"set": "{1}"}


def test_a_large_payload_comes_back_whole_and_leaves_the_row_small(store):
    execution = new_id()
    text = "x" * 300_000
    store.append([accepted(execution, input={"text": text}), node(execution, payload={"preview": text}), node(execution, 1)])
    assert store.query("SELECT max(length(payload)) < 1000 FROM execution_logs").rows == [(True,)]
    history = History(store)
    assert history.nodes(execution)[0].payload == {"preview": text}
    assert history.execution(execution).input == {"text": text}


def test_values_arrive_as_python_has_them(store):
    sql = """SELECT 1::HUGEINT, 1.5::DECIMAL(5,2), INTERVAL 36 HOUR, [1, 2], {'at': TIMESTAMP '2026-01-01'}, 'x'::BLOB, DATE '2026-01-02',
        TIME '10:00', 'inf'::DOUBLE, '{"a":1}'::JSON, 'failed'::execution_status, uuid() IS NOT NULL, NULL, MAP {'a': 1}"""
    (row,) = store.query(sql).rows
    assert row == (
        1, Decimal("1.50"), timedelta(hours=36), [1, 2], {"at": utc(2026, 1, 1)}, b"x", utc(2026, 1, 2).date(),
        utc(2026, 1, 2, 10).time(), float("inf"), '{"a":1}', "failed", True, None, {"a": 1},
    )  # fmt: skip
    (now,) = store.query("SELECT now()").rows[0]
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_parameters_of_all_kinds_are_bound(store):
    values = [uuid4(), utc(2026, 1, 1, 2), Decimal("1.5"), b"x", "o'clock", 2**80, [1, 2], None, True]
    assert list(store.query("SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?", values).rows[0]) == values
    assert store.query("SELECT $a + $b", {"a": 1, "b": 2}).rows == [(3,)]
    with pytest.raises(QueryError, match=r"cannot be a parameter|Unable to transform|not supported"):
        store.query("SELECT ?", [object()])


def test_a_large_answer_is_complete_either_way(store):
    rows = store.query("SELECT i, 'row ' || i FROM range(12_345) t(i) ORDER BY i")
    assert len(rows) == 12_345
    assert rows.rows[-1] == (12_344, "row 12344")
    table = store.table("SELECT i, i * 2 AS twice FROM range(250_000) t(i) WHERE i >= $low", {"low": 10})
    assert table.column_names == ["i", "twice"]
    assert table.num_rows == 249_990


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM execution_logs",
        "INSERT INTO users (id) VALUES (uuid())",
        "CREATE TABLE mine (i INT)",
        "DROP VIEW nodes",
        "EXPLAIN ANALYZE DELETE FROM execution_logs",
        "SET threads = 1",
        "ATTACH 'other.db'",
        "COPY execution_logs TO 'out.csv'",
        "SELECT * FROM read_text('/etc/passwd')",
        "FROM '/etc/passwd'",
        "INSTALL httpfs",
        "CALL pragma_version()",
        "BEGIN",
        "SELECT 1; DELETE FROM execution_logs",
        "WITH gone AS (DELETE FROM execution_logs RETURNING *) SELECT * FROM gone",
        "",
    ],
)
def test_a_query_cannot_change_or_leave_the_store(store, sql):
    store.append([node(new_id())])
    with pytest.raises(QueryError):
        store.query(sql)
    with pytest.raises(QueryError):
        store.table(sql)
    assert count(store) == 1


def test_reading_forms_of_sql_work(store):
    store.append(run(new_id()))
    for sql in (
        "FROM executions",
        "DESCRIBE execution_logs",
        "SUMMARIZE execution_logs",
        "SHOW TABLES",
        "EXPLAIN SELECT 1",
        "PIVOT execution_logs ON status USING count(*)",
        "-- a comment\nWITH a AS (SELECT 1 AS x) SELECT * FROM a;",
        "SELECT * FROM executions WHERE started_at > now() - INTERVAL 1 DAY",
    ):
        assert len(store.query(sql)) >= 1, sql


def test_a_misspelt_column_is_answered_with_the_candidates(store):
    with pytest.raises(QueryError, match=r'"statsu" not found(.|\n)*status') as caught:
        store.query("SELECT statsu FROM executions")
    assert "/store/" not in str(caught.value)


def test_a_query_that_takes_too_long_is_stopped(store):
    store.query("SELECT 1")  # starting an owner takes longer than the limit below
    with pytest.raises(StoreBusyError, match=r"0\.3 s.*timeout_s"):
        store.query("SELECT count(*) FROM range(10_000_000_000) t(i) WHERE hash(i) % 7 = 3", timeout_s=0.3)
    assert store.query("SELECT 1").rows == [(1,)]


def test_a_transaction_is_done_whole_or_not_at_all(store):
    store.transact(
        [("INSERT INTO users (id, name) VALUES (?, ?)", [uuid4(), "ada"]), ("INSERT INTO users (id, name) VALUES ($id, 'bob')", {"id": uuid4()})]
    )
    taken = store.query("SELECT id FROM users LIMIT 1").rows[0][0]
    with pytest.raises(QueryError, match=r"(?i)duplicate key"):
        store.transact([("INSERT INTO users (id, name) VALUES (?, 'eve')", [uuid4()]), ("INSERT INTO users (id) VALUES (?)", [taken])])
    assert store.query("SELECT name FROM users ORDER BY name").rows == [("ada",), ("bob",)]


def test_pruning_by_count_and_age_leaves_what_runs(store):
    long_ago = 10**9 * int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
    old, recent, running = new_id(), [new_id() for _ in range(3)], new_id()
    store.append([accepted(running, ts=long_ago), started(running)])
    store.append([accepted(old, ts=long_ago), started(old, ts=long_ago), node(old), finished(old, ts=long_ago)])
    for execution in recent:
        store.append(run(execution, nodes=2))
    report = store.prune(older_than=timedelta(days=30))
    assert (report.executions, report.nodes) == (1, 1)
    report = store.prune(keep_executions=1)
    assert (report.executions, report.nodes) == (2, 4)
    assert {str(row[0]) for row in store.query("SELECT execution_id FROM executions")} == {recent[-1], running}
    assert count(store) == 2


def test_status_counts(store):
    store.append(run(new_id()))
    store.query("SELECT 1")
    status = store.status()
    assert (status.executions, status.nodes, status.quarantined, status.schema_version) == (1, 5, 0, max(migrations()))


def test_a_transaction_is_seen_as_a_change_and_an_appended_record_is_not(store):
    seen = [store.generation()]
    store.append(run(new_id()))
    store.query("SELECT 1")
    seen.append(store.generation())
    for name in ("one", "two"):
        store.transact([("INSERT INTO plugins (name) VALUES (?)", [name])])
        seen.append(store.generation())
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3
