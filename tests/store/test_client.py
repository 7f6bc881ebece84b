"""The shared store and its owner, when things go wrong around them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest
from processes import is_running, owner_pid, wait_until
from traffic import accepted, new_id, node, node_started, run, started

from nbflow.core.errors import StoreBusyError, StoreError
from nbflow.store.client import start_daemon
from nbflow.store.project import ProjectFolder


def count(store, table="execution_logs"):
    return store.query(f"SELECT count(*) FROM {table}").rows[0][0]


def kill_owner(root):
    pid = owner_pid(root)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(pid))
    return pid


def test_two_processes_write_and_read_at_once(opened, root, traffic):
    store = opened()
    other = traffic("other", root, root / "acknowledged")
    wait_until(lambda: (root / "acknowledged").exists() and (root / "acknowledged").stat().st_size > 2000)
    store.append(run(new_id()))
    assert count(store, "executions") >= 1
    (root / "stop").touch()
    assert other.wait(20) == 0, other.stderr.read()
    acknowledged = (root / "acknowledged").read_text().splitlines()
    wait_until(lambda: count(store) == len(acknowledged) + 5, 5)  # of others we see what the owner has taken in


def test_who_follows_all_sees_at_once_what_others_have_written(opened):
    writer, reader = opened(), opened()
    for times in range(1, 21):
        writer.append(run(new_id()))
        reader.follow_all()
        assert count(reader) == 5 * times


def test_a_killed_owner_is_replaced_and_nothing_is_lost_or_doubled(opened, root):
    store = opened()
    store.append(run(new_id()))
    assert count(store) == 5
    first = kill_owner(root)
    store.append(run(new_id()))
    assert count(store) == 10
    assert owner_pid(root) != first


def test_a_query_in_flight_survives_the_death_of_its_owner(opened, root):
    store = opened()
    store.append(run(new_id()))
    count(store)
    slow = "SELECT count(*) FROM range(400_000_000) t(i) WHERE hash(i) % 7 = 3"
    answers = []
    asking = threading.Thread(target=lambda: answers.append(store.query(slow, timeout_s=60)))
    asking.start()
    time.sleep(0.3)
    kill_owner(root)
    asking.join(60)
    assert len(answers) == 1


def test_a_transaction_repeated_after_a_kill_is_done_once(opened, root):
    store = opened("inline")
    count(store)
    owner = store._server._owner
    request = str(uuid4())
    for _ in range(2):
        owner.transact([("INSERT INTO users (id, name) VALUES (?, 'ada')", [uuid4()])], request)
    assert count(store, "users") == 1


def test_a_stopped_owner_does_not_stop_writing_and_queries_say_so(opened, root):
    store = opened()
    count(store)
    pid = owner_pid(root)
    os.kill(pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        store.append(run(new_id()))
        assert time.monotonic() - begun < 0.5
        with pytest.raises(StoreBusyError, match=rf"process {pid}, is stopped"):
            store.query("SELECT 1", timeout_s=0.5)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert count(store) == 5


def test_a_stale_socket_and_card_are_replaced(opened, root):
    folder = ProjectFolder(root=root).make()
    stale = root / "stale.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(stale))
    listener.close()
    folder.card.write_text(json.dumps({"pid": 1, "socket": str(stale)}))
    assert count(opened()) == 0


def test_a_foreign_program_that_holds_the_file_delays_reads_only(opened, root):
    store = opened()
    store.append(run(new_id()))
    assert count(store) == 5
    kill_owner(root)
    database = ProjectFolder(root=root).database
    code = f"import duckdb, sys; c = duckdb.connect({str(database)!r}); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        store.append(run(new_id()))
        with pytest.raises(StoreBusyError, match=rf"open in another program.*{holder.pid}"):
            count(store)
    finally:
        holder.communicate("")
    assert count(store) == 10


def test_an_owner_ends_when_idle_and_comes_back(opened, root, monkeypatch):
    monkeypatch.setenv("NBFLOW_OWNER_IDLE_S", "0.5")
    store = opened()
    assert count(store) == 0
    pid = owner_pid(root)
    wait_until(lambda: not is_running(pid))
    assert not ProjectFolder(root=root).card.exists()
    store.append(run(new_id()))
    assert count(store) == 5


def test_an_owner_ends_when_its_folder_vanishes(opened, root):
    store = opened()
    count(store)
    pid = owner_pid(root)
    shutil.rmtree(root / ".nbflow")
    wait_until(lambda: not is_running(pid), 5)
    with pytest.raises(StoreError, match="is gone"):
        count(store)


def test_of_many_owners_started_at_once_one_stays(root):
    folder = ProjectFolder(root=root).make()
    for _ in range(5):
        start_daemon(folder)
    pid = wait_until(lambda: owner_pid(root))
    time.sleep(1.5)
    listed = subprocess.run(["pgrep", "-f", f"nbflow.store.daemon {root}"], capture_output=True, text=True, check=False).stdout.split()
    assert listed == [str(pid)]


def test_the_socket_is_found_from_another_environment(opened, root, monkeypatch, tmp_path):
    count(opened())
    pid = owner_pid(root)
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    assert count(opened()) == 0
    assert owner_pid(root) == pid


def test_warming_starts_the_owner_without_waiting(opened, root):
    store = opened()
    begun = time.monotonic()
    store.warm()
    assert time.monotonic() - begun < 0.3
    wait_until(lambda: owner_pid(root))


AS_NOBODY = """
import os, sys, nbflow.store.client, nbflow.store.opening
from pathlib import Path
from nbflow.core.errors import StoreReadOnlyError
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    nbflow.store.opening.open_store(Path(sys.argv[1]))
except StoreReadOnlyError as error:
    print(error)
"""


def test_a_read_only_folder_is_said_so():
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)  # root may write everywhere, so the child becomes nobody
        done = subprocess.run([sys.executable, "-c", AS_NOBODY, name], capture_output=True, text=True, check=True)
        Path(name).chmod(0o755)
    assert name in done.stdout
    assert "NBFLOW_PROJECT" in done.stdout
    assert "NBFLOW_STORE=memory" in done.stdout


def test_the_executions_of_a_killed_process_are_marked(opened, root, traffic):
    store = opened()
    process = traffic("hang", root)
    execution = process.stdout.readline().strip()
    ask = "SELECT status, error_type, error_message, error_node FROM executions WHERE execution_id = ?::UUID"
    assert store.query(ask, [execution]).rows == [("running", None, None, None)]
    time.sleep(0.5)
    assert store.query(ask, [execution]).rows[0][0] == "running", "it still lives"
    process.kill()
    process.wait()
    begun = time.monotonic()
    wait_until(lambda: store.query(ask, [execution]).rows[0][0] == "failed", 5)
    assert time.monotonic() - begun < 2
    ((_, kind, message, at_node),) = store.query(ask, [execution]).rows
    assert (kind, at_node) == ("Interrupted", "slow")
    assert f"pid {process.pid}" in message
    nodes = store.query("SELECT node_id, seq, status, error_type FROM execution_logs ORDER BY seq").rows
    assert nodes == [("n0", 0, "completed", None), ("slow", 1, "failed", "Interrupted")]


def test_the_first_query_after_a_kill_without_an_owner_sees_the_mark(opened, root, traffic):
    process = traffic("hang", root)
    execution = process.stdout.readline().strip()
    process.kill()
    process.wait()
    assert opened().query("SELECT status FROM executions WHERE execution_id = ?::UUID", [execution]).rows == [("failed",)]
    assert list((root / ".nbflow" / "journal").iterdir()) == []


def test_a_rotated_journal_does_not_orphan_what_runs(opened, root):
    store = opened()
    store._journal._rotate_bytes = 2000
    execution = new_id()
    store.append([accepted(execution), started(execution), node_started(execution)])
    for seq in range(50):
        store.append([node(execution, seq)])
        if seq % 10 == 0:
            count(store)
            time.sleep(0.1)
    assert store.query("SELECT status, nodes_total FROM executions").rows == [("running", 50)]
    wait_until(lambda: len(list((root / ".nbflow" / "journal").iterdir())) == 1)


def test_pruning_makes_the_file_on_disk_smaller(opened, root):
    store = opened()
    for _ in range(40):
        store.append([record for _ in range(50) for record in run(new_id(), nodes=5)], durable=False)
    noisy = new_id()
    store.append([accepted(noisy), *(node(noisy, seq, payload={"preview": os.urandom(3000).hex()}) for seq in range(2000))])
    store.append([{"k": "finished", "execution_id": noisy, "status": "completed", "ts": time.time_ns(), "duration": 1}])
    last = new_id()
    store.append(run(last))
    assert count(store) == 12_005
    report = store.prune(keep_executions=1, compact=False)
    assert report.executions == 2001
    before = store.status()
    report = store.prune(compact=True)
    after = store.status()
    assert report.compacted
    assert after.database_bytes < before.database_bytes / 2
    assert ProjectFolder(root=root).database.stat().st_size <= after.database_bytes
    assert store.query("SELECT execution_id::VARCHAR, status, nodes_total FROM executions").rows == [(last, "completed", 5)]
    store.append(run(new_id()))
    assert count(store) == 10


def test_pruning_to_a_size_removes_the_oldest(opened):
    store = opened("inline")
    executions = [new_id() for _ in range(30)]
    for execution in executions:
        store.append(
            [
                accepted(execution),
                node(execution, payload={"preview": os.urandom(100_000).hex()}),
                {"k": "finished", "execution_id": execution, "status": "completed", "ts": time.time_ns()},
            ]
        )
    for path in store.folder.artifacts.glob("??/*"):
        os.utime(path, (time.time() - 60,) * 2)
    report = store.prune(max_bytes=4_000_000)
    left = [str(row[0]) for row in store.query("SELECT execution_id FROM executions ORDER BY accepted_at")]
    assert 0 < len(left) < 30
    assert left == executions[-len(left) :]
    assert report.artifacts == 30 - len(left)
    assert report.bytes_after < report.bytes_before


def test_a_forked_child_can_ask_too(opened):
    store = opened()
    store.append(run(new_id()))
    assert count(store) == 5
    child = os.fork()
    if not child:
        code = 1
        try:
            store.append([node(new_id())])
            code = 0 if count(store) == 6 else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert count(store) == 6


def test_two_inline_stores_share_one_owner(opened):
    one, two = opened("inline"), opened("inline")
    one.append(run(new_id()))
    two.append(run(new_id()))
    assert count(one) == 5 or count(one) == 10
    assert count(two) == 10
    assert count(one) == 10
