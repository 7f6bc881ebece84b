import asyncio
import ctypes
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from nbflow.catalogue.registry import Registry
from nbflow.core.check_config import config_problems
from nbflow.core.errors import InputError, LimitError, NodeError, NodeTimeoutError
from nbflow.core.flow import Node
from nbflow.core.scopes import node_references
from nbflow.testing import FakeContext, run_node

BOTH = pytest.mark.parametrize("where", ["in_kernel", "subprocess"])


async def code(text: str, value: object = None, *, ctx: FakeContext | None = None, **config: object) -> object:
    return await run_node("action.code.python", {"code": text, **config}, value, ctx=ctx)


async def boxed(text: str, value: object = None, *, ctx: FakeContext | None = None, **config: object) -> object:
    return await code(text, value, ctx=ctx, where="subprocess", **config)


@BOTH
async def test_the_return_value_is_the_result(where: str) -> None:
    assert await code("x = item['a']\nreturn x + 1", {"a": 1}, where=where) == 2
    assert await code("1 + 1", where=where) is None
    assert await code("# nothing", where=where) is None
    assert await code("return '''a\n  b'''", where=where) == "a\n  b"


@BOTH
async def test_the_input_as_item_items_and_frame(where: str) -> None:
    rows = [{"a": 1}, {"a": 2}]
    assert await code("return [len(items), int(df.a.sum()), item is not None]", rows, where=where) == [2, 3, True]
    assert await code("return items", {"a": 1}, where=where) == [{"a": 1}]
    assert await code("return items", pd.DataFrame(rows), where=where) == rows
    assert await code("return [items, df]", where=where) == [[], None]
    assert await code("return items", "text", where=where) == ["text"]
    frame = await code("df['b'] = df.a * 2; return df", pd.DataFrame(rows), where=where)
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"a": [1, 2], "b": [2, 4]}))


async def test_in_the_kernel_values_pass_by_reference_and_ctx_is_there(ctx: FakeContext) -> None:
    value = object()
    assert await code("ctx.log('seen'); return item", value, ctx=ctx) is value
    assert ctx.logs == [("info", "seen")]


async def test_a_kernel_exception_keeps_its_type_and_tells_the_line() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        await code("a = 1\nreturn a / 0")
    assert caught.value.__notes__ == ["line 2: return a / 0"]


@pytest.mark.parametrize(("text", "line"), [("x = 1\nreturn (", 2), ("\n\nawait x", 3), ("if:", 1)])
async def test_a_syntax_error_is_found_before_anything_runs(text: str, line: int) -> None:
    with pytest.raises(ValidationError, match=f"line {line}"):
        await code(text)


async def test_limits_belong_to_the_subprocess() -> None:
    with pytest.raises(ValidationError, match="time_limit"):
        await code("return 1", time_limit=3)


async def test_a_subprocess_gives_back_more_than_json() -> None:
    text = """
import datetime, decimal, numpy, pandas
return {"when": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "day": datetime.date(2026, 1, 1), "sum": decimal.Decimal("1.10"), "raw": b"\\x00",
        "nan": float("nan"), 3: (1, 2), "np": numpy.int64(4), "array": numpy.arange(2), "frames": [pandas.DataFrame({"a": [1]})], "x": {"$nbflow": 1}}
"""
    result = await boxed(text)
    assert result["when"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert (result["day"].day, result["sum"], result["raw"], result[3], result["np"], result["array"]) == (
        1,
        Decimal("1.10"),
        b"\0",
        [1, 2],
        4,
        [0, 1],
    )
    assert result["nan"] != result["nan"]
    assert result["x"] == {"$nbflow": 1}
    assert list(result["frames"][0]["a"]) == [1]


async def test_what_is_printed_goes_to_the_log(ctx: FakeContext) -> None:
    await boxed("import sys, os\nprint('one\\ntwo')\nprint('three', file=sys.stderr)\nos.write(1, b'\\xff rest')", ctx=ctx)
    assert [message for _, message in ctx.logs] == ["one", "two", "three", "\ufffd rest"]


async def test_an_error_tells_the_users_line() -> None:
    with pytest.raises(NodeError, match=r"line 3: ValueError: bad\n    raise ValueError\('bad'\)") as caught:
        await boxed("def f():\n    # here\n    raise ValueError('bad')\nf()")
    assert caught.value.retryable


@pytest.mark.parametrize(("text", "message"), [("return lambda: 1", "holds a function"), ("class A: pass\nreturn [A()]", "holds a A")])
async def test_a_result_that_cannot_leave_is_an_error(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        await boxed(text)


async def test_an_input_that_cannot_enter_is_an_error() -> None:
    with pytest.raises(InputError, match="cannot be sent to a subprocess"):
        await boxed("return item", lambda: 1)


async def test_secrets_of_this_process_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "canary")
    seen = await boxed("import os, sys; return [dict(os.environ), sys.path, os.getcwd()]", environment={"GIVEN": "1"})
    assert "canary" not in str(seen)
    assert seen[0]["GIVEN"] == "1"
    assert seen[2] != str(Path.cwd())


@pytest.mark.parametrize(
    ("text", "limits", "error", "message"),
    [
        ("while True: pass", {"time_limit": 0.5}, NodeTimeoutError, "time_limit of 0.5 s"),
        ("import time; time.sleep(60)", {"time_limit": 0.5}, NodeTimeoutError, "time_limit"),
        ("while True: pass", {"cpu_limit": 1}, LimitError, "cpu_limit of 1 s"),
        ("x = []\nwhile True: x.append(bytearray(10**7))", {"memory_limit_bytes": 1 << 28}, LimitError, "line 2: .*memory_limit_bytes"),
        ("while True: print('x' * 1000)", {"output_limit_bytes": 100_000}, LimitError, "printed more"),
        ("import os\nwhile True: os.write(1, b'x')", {"output_limit_bytes": 100_000}, LimitError, "printed more"),
        ("return 'x' * 10**6", {"output_limit_bytes": 10_000}, LimitError, "File too large"),
        ("import os; os._exit(3)", {}, NodeError, "status 3 instead of returning"),
        ("import sys; sys.exit('done')", {}, NodeError, "SystemExit: done"),
        ("import os; os.kill(os.getpid(), 9)", {}, LimitError, "SIGKILL"),
    ],
)
async def test_runaway_code_is_ended(text: str, limits: dict, error: type, message: str) -> None:
    started = time.monotonic()
    with pytest.raises(error, match=message):
        await boxed(text, **limits)
    assert time.monotonic() - started < 10


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


SPAWNS = "import subprocess, os\nchild = subprocess.Popen(['sleep', '60'])\nprint(os.getpid(), child.pid, flush=True)\n"


@pytest.mark.parametrize("ending", ["import time; time.sleep(60)", "return 1"])
async def test_grandchildren_end_with_the_code(ending: str, ctx: FakeContext) -> None:
    if ending == "return 1":
        assert await boxed(SPAWNS + ending, ctx=ctx) == 1
    else:
        with pytest.raises(NodeTimeoutError):
            await boxed(SPAWNS + ending, ctx=ctx, time_limit=1)
    pids = [int(pid) for pid in ctx.logs[0][1].split()]
    await asyncio.sleep(0.2)
    assert [pid for pid in pids if alive(pid)] == []


def test_cancelling_the_engines_thread_ends_the_process(ctx: FakeContext) -> None:
    """The engine cancels a thread by raising in it."""

    class Cancelled(BaseException):
        pass

    ended: list[str] = []
    declared = Registry().get("action.code.python")
    config = declared.config.model_validate({"code": SPAWNS + "import time; time.sleep(60)", "where": "subprocess"})

    def work() -> None:
        try:
            declared.function(config, ctx=ctx)
        except Cancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 10
    while not ctx.logs and time.monotonic() < deadline:
        time.sleep(0.02)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Cancelled))
    thread.join(timeout=5)
    assert ended == ["cancelled"]
    time.sleep(0.2)
    assert [pid for pid in map(int, ctx.logs[0][1].split()) if alive(pid)] == []


async def test_double_braces_in_code_are_python_and_no_expression() -> None:
    declared = Registry().get("action.code.python")
    node = Node(id="n", type=declared.type, config={"code": 'return f"{{{item}}} of {{nodes.x}}"'})

    assert "code" in declared.verbatim
    assert node_references(node, declared) == frozenset()
    assert list(config_problems(node, declared)) == []
    assert await run_node(declared, dict(node.config), 3) == "{3} of {nodes.x}"
