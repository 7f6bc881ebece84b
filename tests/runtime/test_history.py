"""Finding executions again."""

from __future__ import annotations

import contextlib
import logging
import re
from datetime import UTC, datetime, timedelta

import pytest

import nbflow as nf
from nbflow import flow, node
from nbflow.core.errors import ExecutionError, QueryError, UnknownExecutionError

pytestmark = pytest.mark.usefixtures("in_memory")


@node
def load(count: int) -> list[int]:
    print("loading", count)
    return list(range(count))


@node
def check(values: list[int]) -> int:
    logging.getLogger("checks").warning("short")
    if len(values) > 3:
        raise ValueError("too many")
    return len(values)


@node
def after(count: int) -> int:
    return count


@flow
def counting(count: int = 2):
    return after(check(load(count)))


def run(count: int):
    execution = counting(count)
    with contextlib.suppress(ExecutionError):
        execution.result(10)
    return execution


def test_executions_lists_the_newest_first_and_filters():
    good, bad = run(2), run(5)

    table = nf.executions()
    assert table.id.tolist() == [bad.id, good.id]
    assert table.status.tolist() == ["failed", "completed"]
    assert "too many" in table.error[0]
    assert nf.executions(status="completed").id.tolist() == [good.id]
    assert nf.executions("another").empty
    assert nf.executions(since=datetime.now(UTC) + timedelta(hours=1)).empty
    assert len(nf.executions(limit=1)) == 1


def test_an_execution_is_found_by_the_beginning_of_its_id():
    execution = run(2)

    assert nf.execution(execution.id).id == execution.id
    assert nf.execution(execution.id[:30]).id == execution.id


def test_an_unknown_and_an_ambiguous_beginning_say_so():
    first, second = run(1), run(2)
    common = next(first.id[:length] for length in range(36, 0, -1) if first.id[:length] == second.id[:length])

    with pytest.raises(UnknownExecutionError, match="more than one execution begins with"):
        nf.execution(common)
    with pytest.raises(UnknownExecutionError, match="no execution begins with 'ffff'"):
        nf.execution("ffff")
    with pytest.raises(UnknownExecutionError, match="'nonsense' is not the id"):
        nf.execution("nonsense")


def test_sql_gives_frames_and_arrow_tables_and_refuses_to_write():
    run(2)
    query = "select node_id from execution_logs where status = ? order by seq"

    assert nf.sql(query, ["completed"]).node_id.tolist() == ["load", "check", "after"]
    assert nf.sql(query, ["completed"], format="arrow").column("node_id").to_pylist() == ["load", "check", "after"]
    with pytest.raises(QueryError):
        nf.sql("delete from execution_logs")


@pytest.mark.parametrize("count", [2, 5])
def test_a_past_execution_shows_what_was_under_the_cell(count):
    live = run(count)
    past = nf.execution(live.id)

    assert past.status == live.status
    assert past.state.statuses == live.state.statuses
    for name, told in live.state.nodes.items():
        assert list(past.nodes[name].output) == list(told.output), name
        assert (past.nodes[name].error, past.nodes[name].preview) == (told.error, told.preview)
    assert past.state.text() == live.state.text()
    assert without_times(past.state.html()) == without_times(live.state.html())


def without_times(html: str) -> str:
    """Stored times are microseconds; the picture's bytes tell the durations again."""
    return re.sub(r"[\d.,]+\s?(µs|ms|s)\b", "", re.sub(r"base64,[\w+/=]+", "", html))
