import asyncio
import time

import pandas as pd
import pytest
from pydantic import ValidationError

from nbflow.catalogue.registry import Registry
from nbflow.core.errors import InputError
from nbflow.testing import run_node

USERS = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}]
ORDERS = [{"id": 1, "total": 5}, {"id": 1, "total": 7}, {"id": 3, "total": 9}]
JOINED = {
    "inner": [{"id": 1, "name": "Ada", "total": 5}, {"id": 1, "name": "Ada", "total": 7}],
    "left": [{"id": 1, "name": "Ada", "total": 5}, {"id": 1, "name": "Ada", "total": 7}, {"id": 2, "name": "Bob"}],
}
JOINED["outer"] = [*JOINED["left"], {"id": 3, "total": 9}]


def plain(table: object) -> list[dict]:
    """Records without the gaps that a DataFrame has."""
    rows = table.to_dict(orient="records") if isinstance(table, pd.DataFrame) else table
    return [{name: value for name, value in row.items() if pd.notna(value)} for row in rows]


async def merge(config: dict, *inputs: object) -> object:
    return await run_node("logic.merge", config, *inputs)


async def test_append() -> None:
    assert await merge({}, [1, 2], 3, [4]) == [1, 2, 3, 4]
    assert await merge({}) == []
    frames = await merge({}, pd.DataFrame({"a": [1]}), [{"a": 2}])
    assert list(frames["a"]) == [1, 2]


@pytest.mark.parametrize("join", JOINED)
async def test_combine_by_key(join: str) -> None:
    config = {"mode": "combine", "by": "id", "join": join}
    assert await merge(config, USERS, ORDERS) == JOINED[join]
    assert plain(await merge(config, pd.DataFrame(USERS), pd.DataFrame(ORDERS))) == JOINED[join]
    assert plain(await merge(config, USERS, pd.DataFrame(ORDERS))) == JOINED[join]


async def test_three_inputs_join_one_after_the_other() -> None:
    cities = [{"id": 1, "city": "London"}]
    expected = [{"id": 1, "name": "Ada", "total": 5, "city": "London"}, {"id": 1, "name": "Ada", "total": 7, "city": "London"}]
    assert await merge({"mode": "combine", "by": ["id"]}, USERS, ORDERS, cities) == expected


@pytest.mark.parametrize(
    ("clash", "expected"),
    [
        ("prefer_last", [{"id": 1, "x": "b"}, {"id": 2, "x": "a"}, {"id": 3, "x": "b"}]),
        ("prefer_first", [{"id": 1, "x": "a"}, {"id": 2, "x": "a"}, {"id": 3, "x": "b"}]),
        ("suffix", [{"id": 1, "x": "a", "x_2": "b"}, {"id": 2, "x": "a"}, {"id": 3, "x_2": "b"}]),
    ],
)
async def test_clashes(clash: str, expected: list) -> None:
    config = {"mode": "combine", "by": "id", "join": "outer", "clash": clash}
    left, right = [{"id": 1, "x": "a"}, {"id": 2, "x": "a"}], [{"id": 1, "x": "b"}, {"id": 3, "x": "b"}]
    frame = plain(await merge(config, pd.DataFrame(left), pd.DataFrame(right)))
    assert frame == expected
    records = await merge(config, left, right)
    if clash == "suffix":  # a row without partner has no clash
        expected = [*expected[:2], {"id": 3, "x": "b"}]
    assert records == expected


async def test_a_key_that_is_not_there_is_named() -> None:
    for inputs in ((USERS, ORDERS), (pd.DataFrame(USERS), pd.DataFrame(ORDERS))):
        with pytest.raises(InputError, match="input 2 has no field 'name'"):
            await merge({"mode": "combine", "by": "name"}, *inputs)
    with pytest.raises(InputError, match="keys are single values"):
        await merge({"mode": "combine", "by": "id"}, [{"id": [1]}], USERS)
    with pytest.raises(InputError, match="item 1: input 2 holds a int"):
        await merge({"mode": "combine", "by": "id"}, USERS, [{"id": 1}, 3])


async def test_rows_without_a_key_match_nothing() -> None:
    assert await merge({"mode": "combine", "by": "id"}, [{"id": None, "a": 1}, {"id": 1}], [{"id": None, "b": 1}, {"id": 1}]) == [{"id": 1}]
    assert len(await merge({"mode": "combine", "by": "id", "join": "outer"}, [{"id": None}, {"id": 1}], [{"id": None}, {"id": 1}])) == 3


@pytest.mark.parametrize("kind", [list, pd.DataFrame])
async def test_by_position(kind: type) -> None:
    left, right = kind([{"a": 1}, {"a": 2}]), kind([{"b": 3}])
    assert plain(await merge({"mode": "position"}, left, right)) == [{"a": 1, "b": 3}, {"a": 2}]
    assert plain(await merge({"mode": "position", "include_unpaired": False}, left, right)) == [{"a": 1, "b": 3}]


@pytest.mark.parametrize("kind", [list, pd.DataFrame])
async def test_all_combinations(kind: type) -> None:
    rows = plain(await merge({"mode": "combinations"}, kind([{"a": 1}, {"a": 2}]), kind([{"b": 3}, {"b": 4}])))
    assert rows == [{"a": 1, "b": 3}, {"a": 1, "b": 4}, {"a": 2, "b": 3}, {"a": 2, "b": 4}]


async def test_choose_gives_the_first_unchanged() -> None:
    value = object()
    assert await merge({"mode": "choose"}, value, 2) is value


SQL = "SELECT name, sum(total)::INT AS total FROM input1 JOIN input2 USING (id) GROUP BY name"


async def test_sql_over_records_and_frames() -> None:
    assert await merge({"mode": "sql", "query": SQL}, USERS, ORDERS) == [{"name": "Ada", "total": 12}]
    table = await merge({"mode": "sql", "query": SQL}, pd.DataFrame(USERS), ORDERS)
    assert table.to_dict(orient="records") == [{"name": "Ada", "total": 12}]


async def test_sql_sees_fields_that_the_first_record_lacks() -> None:
    assert await merge({"mode": "sql", "query": "SELECT max(b) AS b FROM input1"}, [{"a": 1}, {"a": 2, "b": 3}]) == [{"b": 3}]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT x FROM input1", "x"),
        ("SELEC", "syntax"),
        ("SELECT * FROM '/etc/passwd'", "disabled|does not exist|not allowed"),
        ("CREATE TABLE t (a INT)", "no table"),
        ("-- nothing", "no table"),
    ],
)
async def test_sql_that_does_not_work_tells_why(query: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        await merge({"mode": "sql", "query": query}, USERS)


async def test_a_cancelled_query_stops() -> None:
    query = "SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range % 7 = b.range % 5"
    task = asyncio.create_task(merge({"mode": "sql", "query": query}, USERS))
    await asyncio.sleep(0.5)
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - started < 3


def test_when_it_runs_follows_the_config() -> None:
    declared = Registry().get("logic.merge")
    assert [declared.join_of({}), declared.join_of({"wait": "all"}), declared.join_of({"wait": "any"})] == ["live", "all", "any"]


@pytest.mark.parametrize("config", [{"mode": "combine"}, {"mode": "sql"}, {"mode": "append", "by": "id"}, {"query": "SELECT 1"}])
async def test_fields_belong_to_modes(config: dict) -> None:
    with pytest.raises(ValidationError, match="mode"):
        await merge(config, USERS)
