"""What is written down in one turn of the loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import pytest

from nbflow.core.errors import StoreError
from nbflow.server.tide import Tide


class Journal:
    """Notes what it gets; durable records are durable when the test says so."""

    def __init__(self):
        self.submitted = []
        self.synced = []

    def submit(self, records, *, durable=True):
        if any(record.get("bad") for record in records):
            message = "cannot be written"
            raise StoreError(message)
        self.submitted.append((durable, [record["n"] for record in records]))
        written = Future()
        if durable:
            self.synced.append(written)
        else:
            written.set_result(None)
        return written


@pytest.fixture
def journal():
    return Journal()


async def test_records_of_one_turn_go_together_and_loose_ones_first(journal):
    tide, told = Tide(journal, asyncio.get_running_loop()), []
    tide.promise([{"n": 1}], lambda error: told.append(("promised", error)))
    tide.write([{"n": 2}], lambda error: told.append(("written", error)))
    tide.write([{"n": 3}], lambda error: told.append(("written", error)))
    tide.promise([{"n": 4}], lambda error: told.append(("promised", error)))
    await asyncio.sleep(0)
    assert journal.submitted == [(False, [2, 3]), (True, [1, 4])]
    assert told == [("written", None)] * 2
    await asyncio.to_thread(journal.synced[0].set_result, None)
    await asyncio.sleep(0.01)
    assert told[2:] == [("promised", None)] * 2


async def test_a_sync_that_fails_is_told_to_all(journal):
    tide, told = Tide(journal, asyncio.get_running_loop()), []
    for number in range(3):
        tide.promise([{"n": number}], told.append)
    await asyncio.sleep(0)
    failure = StoreError("no space")
    journal.synced[0].set_exception(failure)
    await asyncio.sleep(0.01)
    assert told == [failure] * 3


async def test_a_record_that_cannot_be_written_takes_no_other_along(journal):
    tide, told = Tide(journal, asyncio.get_running_loop()), []
    tide.write([{"n": 1}], told.append)
    tide.write([{"n": 2, "bad": True}], told.append)
    tide.write([{"n": 3}], told.append)
    await asyncio.sleep(0)
    assert journal.submitted == [(False, [1]), (False, [3])]
    assert [error is None for error in told] == [True, False, True]
