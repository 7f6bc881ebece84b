"""The write path."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import subprocess
import sys
import threading
from contextlib import nullcontext

import pytest

from nbflow.core.errors import StoreError
from nbflow.store.journal import Journal, encode


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "project" / ".nbflow" / "journal"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def journal(folder):
    journal = Journal(folder)
    yield journal
    journal.close()


def lines(folder):
    return [json.loads(line) for file in sorted(folder.glob("*.ndjson")) for line in file.read_bytes().splitlines()]


def test_an_appended_line_is_in_a_file_that_only_its_user_can_read(folder, journal):
    journal.append(encode([{"k": "started", "n": 1}]))
    (file,) = folder.glob("*.ndjson")
    assert file.stat().st_mode & 0o777 == 0o600
    assert lines(folder) == [{"k": "started", "n": 1}]


def test_nothing_is_made_before_the_first_line(folder, journal):
    assert journal.position() is None
    assert list(folder.iterdir()) == []


def test_the_file_is_locked_while_the_journal_is_open(folder):
    journal = Journal(folder)
    journal.append(b"{}\n")
    (file,) = folder.glob("*.ndjson")
    with file.open() as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        journal.close()
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_order_is_kept_between_submit_and_append(folder, journal):
    for number in range(0, 200, 2):
        journal.submit(encode([{"n": number}]))
        journal.append(encode([{"n": number + 1}]))
    assert [line["n"] for line in lines(folder)] == list(range(200))


def test_submitted_lines_share_syncs(folder, journal, monkeypatch):
    syncs = []
    real = os.fdatasync
    monkeypatch.setattr("nbflow.store.journal._sync", lambda fd: (syncs.append(fd), real(fd)))
    futures = [journal.submit(encode([{"n": number}])) for number in range(500)]
    for future in futures:
        future.result(10)
    assert len(lines(folder)) == 500
    assert len(syncs) < 250


def test_who_only_writes_waits_for_no_sync(folder, journal, monkeypatch):
    going_on, may_end = threading.Event(), threading.Event()

    def slow(_fd):
        going_on.set()
        assert may_end.wait(10)

    monkeypatch.setattr("nbflow.store.journal._sync", slow)
    durable = journal.submit(b'{"n":1}\n')
    assert going_on.wait(10)
    assert journal.submit(b'{"n":2}\n', durable=False).done()
    journal.append(b'{"n":3}\n', durable=False)
    assert [line["n"] for line in lines(folder)] == [1, 2, 3]
    assert not durable.done()
    may_end.set()
    durable.result(10)


def test_what_cannot_be_synced_is_taken_back_unless_somebody_was_told_of_later_lines(folder, journal, monkeypatch):
    def broken(_fd):
        raise OSError(5, "I/O error")

    journal.append(b'{"n":1}\n')
    journal.append(b'{"n":2}\n', durable=False)
    monkeypatch.setattr("nbflow.store.journal._sync", broken)
    with pytest.raises(StoreError):
        journal.append(b'{"n":3}\n')
    monkeypatch.undo()
    journal.append(b'{"n":4}\n')
    assert [line["n"] for line in lines(folder)] == [1, 2, 4]


def test_a_callback_of_a_future_may_append(folder, journal):
    done = threading.Event()

    def again(_):
        journal.append(b'{"n":2}\n')
        done.set()

    journal.submit(b'{"n":1}\n').add_done_callback(again)
    assert done.wait(10)
    assert len(lines(folder)) == 2


def test_a_long_journal_goes_on_in_the_next_file(folder):
    journal = Journal(folder, rotate_bytes=1000)
    for number in range(100):
        journal.append(encode([{"n": number, "fill": "x" * 50}]))
    files = sorted(folder.glob("*.ndjson"))
    assert len(files) > 3
    assert len({file.name.partition(".")[0] for file in files}) == 1
    assert [line["n"] for line in lines(folder)] == list(range(100))
    journal.close()


def test_a_forked_child_has_a_journal_of_its_own(folder, journal):
    journal.append(b'{"who":"parent"}\n')
    journal.submit(b'{"who":"parent"}\n').result(10)
    with pytest.warns() if sys.version_info >= (3, 12) else nullcontext():
        child = os.fork()
    if not child:
        code = 1
        try:
            journal.append(b'{"who":"child"}\n')
            journal.submit(b'{"who":"child"}\n').result(10)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    journal.append(b'{"who":"parent"}\n')
    by_file = sorted(tuple(json.loads(line)["who"] for line in file.read_bytes().splitlines()) for file in folder.glob("*.ndjson"))
    assert by_file == [("child", "child"), ("parent", "parent", "parent")]


FULL = """
import resource, signal, sys
from pathlib import Path
from nbflow.core.errors import StoreError
from nbflow.store.journal import Journal, encode
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
journal = Journal(Path(sys.argv[1]))
kept = 0
try:
    while True:
        journal.append(encode([{"n": kept, "fill": "x" * 70}]))
        kept += 1
except StoreError as error:
    assert "is full" in str(error), error
future = None
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append(encode([{"n": kept}]))
print(kept)
"""


def test_after_a_full_disk_no_line_is_torn_or_lost(folder):
    assert resource.RLIMIT_FSIZE is not None
    done = subprocess.run([sys.executable, "-c", FULL, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kept = int(done.stdout)
    assert [line["n"] for line in lines(folder)] == list(range(kept + 1))
    assert len(list(folder.glob("*.ndjson"))) == 2


def test_a_removed_folder_is_said_so(folder, journal):
    journal.append(b"{}\n")
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    with pytest.raises(StoreError, match="is gone"):
        journal.append(b"{}\n")


def test_a_record_that_cannot_be_json_is_refused():
    loop: dict = {"k": "node"}
    loop["self"] = loop
    with pytest.raises(StoreError, match="'node' cannot be written as JSON"):
        encode([loop])


def test_an_interrupt_while_writing_leaves_a_working_journal(folder, journal, monkeypatch):
    journal.append(b'{"n":1}\n')
    real = os.fdatasync

    def interrupt(fd):
        monkeypatch.setattr("nbflow.store.journal._sync", real)
        raise KeyboardInterrupt

    monkeypatch.setattr("nbflow.store.journal._sync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        journal.append(b'{"n":2}\n')
    journal.append(b'{"n":3}\n')
    assert [line["n"] for line in lines(folder)] == [1, 3]


def test_the_write_path_imports_no_database(folder):
    code = (
        "import sys, nbflow.store, nbflow.store.client; from pathlib import Path; from nbflow.store.journal import *;"
        f"j = Journal(Path({str(folder)!r})); j.append(encode([{{'k': 'x'}}])); j.submit(b'{{}}\\n').result(); j.close();"
        "print({'duckdb', 'pandas', 'pyarrow', 'pydantic', 'asyncio'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
