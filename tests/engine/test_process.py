"""Functions in processes of their own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nbflow.authoring.function import node
from nbflow.core.errors import ConfigError, NodeError
from nbflow.core.events import NodeLogged, NodeProgressed, NodeRetried
from nbflow.engine.process import RemoteTracebackError
from nbflow.engine.services import Services
from nbflow.testing import FakeClock

from .harness import ran

if TYPE_CHECKING:
    from nbflow.core.node import Inputs


@node(where="inline")
def given(n=1):
    return n


@node(where="inline")
def together(xs: Inputs):
    return list(xs)


class Odd(Exception):
    """Can be pickled, but not unpickled."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


async def test_closures_and_functions_of_the_session_run_elsewhere():
    factor = 3

    def helper(x):
        return x * factor

    @node(where="process")
    def work(x):
        return helper(x), os.getpid()

    def flow():
        return work(given(5))

    value, pid = (await ran(flow)).output
    assert value == 15
    assert pid != os.getpid()


async def test_a_warm_process_is_used_again():
    @node(where="process")
    def pid(x):
        return os.getpid(), x

    def flow():
        return together([pid.options(id="b")(pid.options(id="a")(0))])

    ((second, (first, _)),) = (await ran(flow)).output
    assert first == second


async def test_big_values_make_the_way():
    @node(where="process")
    def grow(data):
        return data * 4

    def flow():
        return grow(given.options(id="data")("x" * 1_000_000))

    assert len((await ran(flow)).output) == 4_000_000


async def test_an_async_function_may_run_in_a_process():
    @node(where="process")
    async def work(x):
        import asyncio

        await asyncio.sleep(0)
        return os.getpid()

    def flow():
        return work(given())

    assert isinstance((await ran(flow)).output, int)


async def test_an_error_comes_back_with_its_traceback():
    @node(where="process")
    def fails():
        raise KeyError("no")

    def flow():
        fails()

    error = (await ran(flow)).outcome.error.__cause__
    assert isinstance(error, KeyError)
    assert isinstance(error.__cause__, RemoteTracebackError)
    assert "in fails" in str(error.__cause__)


async def test_nbflows_own_errors_come_back_whole():
    @node(where="process")
    def fails():
        raise ConfigError("no", field="url")

    def flow():
        fails()

    error = (await ran(flow)).outcome.error.__cause__
    assert isinstance(error, ConfigError)
    assert error.field == "url"


async def test_an_error_that_cannot_be_sent_is_told_and_stays_retryable():
    @node(where="process", retry=2)
    def fails():
        raise Odd(1, 2)

    def flow():
        fails()

    result = await ran(flow, services=Services(clock=FakeClock()))
    assert "Odd: 1 and 2" in str(result.outcome.error)
    assert len(result.of(NodeRetried)) == 1


async def test_arguments_that_cannot_be_sent_are_an_error():
    @node(where="inline")
    def lock():
        return threading.Lock()

    @node(where="process")
    def work(x):
        return x

    def flow():
        work(lock())

    result = await ran(flow)
    assert "cannot be sent there" in str(result.outcome.error)


async def test_a_value_that_cannot_be_sent_back_is_an_error_and_the_process_lives():
    @node(where="process", on_error="continue")
    def lock():
        return threading.Lock(), os.getpid()

    @node(where="process")
    def work(failure):
        return 5

    def flow():
        return work(lock())

    result = await ran(flow)
    assert result.output == 5
    assert "cannot be sent back" in result.finished("lock")[0].error.message


@pytest.mark.parametrize(("how", "said"), [("exit", "exit code 3"), ("kill", "killed by signal 9")])
async def test_a_process_that_dies_is_an_error(how, said):
    @node(where="process", on_error="continue")
    def dies():
        if how == "exit":
            os._exit(3)
        os.kill(os.getpid(), signal.SIGKILL)

    @node(where="process")
    def works(failure):
        return 5

    def flow():
        return works(dies())

    result = await ran(flow)
    assert said in result.finished("dies")[0].error.message
    assert result.output == 5  # the next call gets another process


@pytest.mark.parametrize("error", ["SystemExit(3)", "KeyboardInterrupt()"])
async def test_leaving_the_function_does_not_end_its_process(error):
    @node(where="process")
    def leaves():
        raise eval(error)

    def flow():
        leaves()

    result = await ran(flow)
    assert isinstance(result.outcome.error.__cause__, NodeError)
    assert "died" not in str(result.outcome.error)


async def test_prints_logs_and_progress_are_forwarded():
    @node(where="process")
    def talks(x, ctx):
        import logging

        print("to stdout")
        print("to stderr", file=sys.stderr)
        logging.getLogger("mine").warning("a %s", "warning")
        ctx.log("a line", "error")
        ctx.progress(0.5, "half")
        os.write(1, b"")
        return ctx.node, ctx.flow, ctx.path, dict(ctx.params), ctx.input

    def flow(n):
        return talks(given())

    result = await ran(flow, {"n": 1})
    assert result.output == ("talks", "flow", (), {"n": 1}, {"n": 1})
    told = [(event.stream, event.level, event.text.strip()) for event in result.of(NodeLogged) if event.text.strip()]
    assert told == [
        ("stdout", "info", "to stdout"),
        ("stderr", "warn", "to stderr"),
        ("log", "warn", "a warning"),
        ("log", "error", "a line"),
    ]
    assert result.of(NodeProgressed)[0].fraction == 0.5


async def test_neither_input_nor_forks_disturb_the_pipes():
    @node(where="process")
    def work():
        try:
            text = input()
        except EOFError:
            text = "nothing to read"
        pid = os.fork()
        if pid == 0:
            print("from the child")
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(pid, 0)
        os.write(1, b"\n")
        return text

    def flow():
        return work()

    assert (await ran(flow)).output == "nothing to read"


async def test_a_process_outlives_an_interrupt_key():
    @node(where="process")
    def work():
        os.kill(os.getpid(), signal.SIGINT)
        return "alive"

    def flow():
        return work()

    assert (await ran(flow)).output == "alive"


async def test_a_process_starts_where_its_parent_is():
    @node(where="process")
    def work():
        return os.getcwd(), sys.path

    def flow():
        return work()

    folder, paths = (await ran(flow)).output
    assert folder == str(Path.cwd())
    assert paths == sys.path
