"""The schema, and the settings that keep SQL inside the store."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nbflow.core import states
from nbflow.core.errors import StoreBusyError, StoreError
from nbflow.store.database import Database, describe, migrate
from nbflow.store.sql import migrations


def test_migrations_give_what_the_fresh_schema_gives():
    import duckdb

    descriptions = []
    for fresh in (True, False):
        connection = duckdb.connect()
        migrate(connection, fresh_from_schema=fresh)
        descriptions.append(list(describe(connection)))
        connection.close()
    assert len(descriptions[0]) > 200
    assert descriptions[0] == descriptions[1]


def test_an_older_store_takes_only_the_later_migrations(tmp_path, monkeypatch):
    every = migrations()
    monkeypatch.setattr("nbflow.store.sql.migrations", lambda: {number: every[number] for number in (1, 2)})
    import duckdb

    connection = duckdb.connect()
    migrate(connection, fresh_from_schema=False)
    connection.execute("INSERT INTO users (id, name) VALUES (uuid(), 'ada')")
    monkeypatch.setattr("nbflow.store.sql.migrations", lambda: every)
    assert migrate(connection) == max(every)
    assert connection.execute("SELECT name FROM users").fetchall() == [("ada",)]
    fresh = duckdb.connect()
    migrate(fresh)
    assert list(describe(connection)) == list(describe(fresh))


def test_every_table_of_the_contract_is_there():
    database = Database(None)
    tables = {row[0] for row in database.connection().execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert tables >= {
        "users", "organizations", "organization_members", "workspaces", "workflows", "workflow_versions", "workflow_executions", "execution_logs",
        "webhook_registry", "plugins", "api_keys", "audit_logs", "alerts", "alert_history", "credentials", "schedules",
        "execution_events", "flow_documents", "ingest_offsets", "quarantine", "schema_migrations",
    }  # fmt: skip
    database.close()


def test_the_enums_are_the_words_of_core():
    database = Database(None)
    labels = dict(database.connection().execute("SELECT type_name, labels FROM duckdb_types() WHERE labels IS NOT NULL AND NOT internal").fetchall())
    for name, words in {
        "plan_name": states.PlanName,
        "member_role": states.Role,
        "execution_status": states.ExecutionStatus,
        "node_status": states.NodeStatus,
        "log_level": states.LogLevel,
    }.items():
        assert sorted(labels[name]) == sorted(words)
    database.close()


def test_a_store_of_a_newer_nbflow_is_refused(tmp_path):
    database = Database(tmp_path / "a.duckdb")
    database.connection().execute("INSERT INTO schema_migrations VALUES (999, now())")
    database.close()
    with pytest.raises(StoreError, match="upgrade nbflow"):
        Database(tmp_path / "a.duckdb")


def test_a_file_held_by_another_program_is_reported_with_its_pid(tmp_path):
    path = tmp_path / "a.duckdb"
    Database(path).close()
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreBusyError, match=rf"open in another program.*{holder.pid}"):
            Database(path)
    finally:
        holder.communicate("")
    Database(path).close()


def test_what_is_no_database_is_reported(tmp_path):
    path = tmp_path / "a.duckdb"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match="cannot be opened"):
        Database(path)
