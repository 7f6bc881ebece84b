from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from nbflow.core.current import current_node
from nbflow.display import capture

pytestmark = pytest.mark.usefixtures("captured")


def test_a_print_outside_nodes_goes_where_it_went_before(capsys):
    capture.install()

    print("cell")

    assert capsys.readouterr().out == "cell\n"


def test_a_print_in_a_node_goes_to_its_record_only(capsys, record, inside):
    node = record()

    with inside(node):
        print("from the node")
        print("oh", file=sys.stderr)

    assert node.printed == "from the node\noh\n"
    assert {stream for stream, _ in node.texts} == {"stdout", "stderr"}
    assert capsys.readouterr() == ("", "")


def test_output_that_the_user_redirects_in_a_node_is_the_users(record, inside):
    node, buffer = record(), io.StringIO()

    with inside(node), contextlib.redirect_stdout(buffer):
        print("mine")

    assert buffer.getvalue() == "mine\n"
    assert node.texts == []


def test_threads_that_a_node_starts_belong_to_it(record, inside):
    node = record()

    with inside(node):
        thread = threading.Thread(target=print, args=("from a thread",))
        thread.start()
    thread.join()

    assert node.printed == "from a thread\n"


def test_a_shared_pool_prints_for_the_node_that_submitted_the_job(capsys, record, inside):
    first, second = record(), record()

    with ThreadPoolExecutor(1) as pool:
        with inside(first):
            pool.submit(print, "first").result()
        with inside(second):
            pool.submit(print, "second").result()
        pool.submit(print, "neither").result()

    assert (first.printed, second.printed) == ("first\n", "second\n")
    assert capsys.readouterr().out == "neither\n"


async def test_tasks_of_concurrent_nodes_keep_their_output_apart(record):
    capture.install()

    async def run(node, name):
        current_node.set(node)
        for number in range(3):
            print(name, number)
            await asyncio.sleep(0)
        await asyncio.to_thread(print, name, "thread")

    nodes = [record(), record()]

    await asyncio.gather(*(asyncio.create_task(run(node, name)) for node, name in zip(nodes, "ab", strict=True)))

    assert [node.printed for node in nodes] == ["a 0\na 1\na 2\na thread\n", "b 0\nb 1\nb 2\nb thread\n"]


def test_log_records_arrive_with_their_level_and_only_once(capsys, record, inside):
    node, root = record(), logging.getLogger()
    console = logging.StreamHandler(sys.stderr)
    root.addHandler(console)

    try:
        with inside(node):
            logging.getLogger("shop").warning("only %d left", 3)
            logging.getLogger("shop").info("the root's level hides this")
        logging.getLogger("shop").warning("outside")
    finally:
        root.removeHandler(console)

    assert node.logs == [("warn", "shop: only 3 left")]
    assert node.texts == []
    assert capsys.readouterr().err == "outside\n"


def test_a_users_log_file_still_gets_what_a_node_logs(tmp_path, record, inside):
    node, logger = record(), logging.getLogger("to-a-file")
    handler = logging.FileHandler(tmp_path / "app.log")
    logger.addHandler(handler)

    with inside(node):
        logger.error("disk full")
    logger.removeHandler(handler)
    handler.close()

    assert (tmp_path / "app.log").read_text() == "disk full\n"
    assert node.logs == [("error", "to-a-file: disk full")]


def test_a_logged_exception_brings_its_traceback(record, inside):
    node = record()

    with inside(node):
        try:
            raise KeyError("customer")
        except KeyError:
            logging.getLogger("shop").exception("lookup failed")

    [(level, text)] = node.logs
    assert level == "error"
    assert "KeyError: 'customer'" in text


def test_installing_leaves_basic_config_working():
    code = (
        "import logging\n"
        "from nbflow.display import capture\n"
        "capture.install()\n"
        "logging.basicConfig(level='INFO', format='%(message)s')\n"
        "logging.info('configured')\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stderr == "configured\n"


def test_a_warning_names_the_users_line(record, inside):
    node = record()

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        capture.install()
        with inside(node):
            warnings.warn("old name", DeprecationWarning, stacklevel=1)

    [(level, text)] = node.logs
    assert level == "warn"
    assert "test_capture.py:" in text
    assert text.endswith("DeprecationWarning: old name")


def test_uninstalling_restores_everything():
    capture.uninstall()
    before = (sys.stdout, threading.Thread.start, ThreadPoolExecutor.submit, logging.Logger.callHandlers, warnings.showwarning)

    capture.install()
    capture.install()
    capture.uninstall()

    assert before == (sys.stdout, threading.Thread.start, ThreadPoolExecutor.submit, logging.Logger.callHandlers, warnings.showwarning)


def test_a_child_process_does_not_write_into_a_copy_of_the_record():
    code = (
        "import multiprocessing\n"
        "from nbflow.core.current import current_node\n"
        "from nbflow.display import capture\n"
        "class Node:\n"
        "    figures = None\n"
        "    def write(self, stream, text): raise AssertionError(text)\n"
        "capture.install()\n"
        "current_node.set(Node())\n"
        "child = multiprocessing.get_context('fork').Process(target=print, args=('child',), kwargs={'flush': True})\n"
        "child.start(); child.join()\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "child\n"


KERNEL_SETUP = """
import asyncio, contextvars, json, logging, threading, time, warnings
from conftest import Record
from nbflow.core.current import current_node
from nbflow.display import capture
capture.install()

def as_node(record, function):
    def run():
        current_node.set(record)
        try:
            function()
        finally:
            capture.finish(record)
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,))
    thread.start()
    return thread

def summary(*records):
    print(json.dumps([[node.printed, node.logs, [sorted(data) for data, _ in node.displays]] for node in records]))
"""


def test_in_a_kernel_output_of_nodes_running_at_the_same_time_lands_in_their_own_records(kernel):
    kernel.run(KERNEL_SETUP)

    cell = kernel.run("""
records = [Record() for _ in range(3)]

def sync():
    import matplotlib.pyplot as plt
    from IPython.display import display, HTML
    for number in range(20):
        print("sync", number)
        time.sleep(0.01)
    logging.warning("sync logged")
    plt.plot([1, 2]); plt.show()
    display(HTML("<b>sync</b>"))

def threaded():
    def work():
        import matplotlib.pyplot as plt
        from IPython.display import display, HTML
        for number in range(20):
            print("user thread", number)
            time.sleep(0.01)
        warnings.warn("thread warned")
        plt.plot([2, 1])            # left open
        display(HTML("<b>thread</b>"))
    inner = threading.Thread(target=work); inner.start(); inner.join()

def in_a_loop():
    async def main():
        from IPython.display import display
        async def step(number):
            print("task", number)
            await asyncio.sleep(0.01)
        await asyncio.gather(*(asyncio.create_task(step(n)) for n in range(20)))
        handle = display("v1", display_id="d1")
        handle.update("v2")
    asyncio.run(main())

threads = [as_node(node, run) for node, run in zip(records, (sync, threaded, in_a_loop))]
import matplotlib.pyplot as plt
plt.plot([3, 3])
for number in range(20):
    print("cell", number)
    time.sleep(0.01)
for thread in threads: thread.join()
""")

    assert cell.text == "".join(f"cell {number}\n" for number in range(20))
    assert [sorted(data) for data in cell.displays] == [["image/png", "text/plain"]]
    shown = json.loads(kernel.run("summary(*records)").text)
    assert shown[0] == [
        "".join(f"sync {number}\n" for number in range(20)),
        [["warn", "sync logged"]],
        [["image/png", "text/plain"], ["text/html", "text/plain"]],
    ]
    assert shown[1][0] == "".join(f"user thread {number}\n" for number in range(20))
    assert shown[1][1][0][1].startswith("Cell In[2]:")
    assert shown[1][2] == [["text/html", "text/plain"], ["image/png", "text/plain"]]
    assert shown[2][0] == "".join(f"task {number}\n" for number in range(20))
    assert shown[2][2] == [["text/plain"], ["text/plain"]]


def test_in_a_kernel_a_cells_own_figures_and_displays_are_as_ever(kernel):
    kernel.run(KERNEL_SETUP)
    kernel.run("node = Record(); as_node(node, lambda: __import__('matplotlib.pyplot').pyplot.figure()).join()")

    cell = kernel.run("import matplotlib.pyplot as plt; plt.plot([1]); print(plt.get_fignums()); logging.warning('hello')")

    assert "[1]\n" in cell.text
    assert "hello" in cell.text
    assert any("image/png" in data for data in cell.displays)


def test_a_node_may_update_a_display_that_was_made_in_a_cell(kernel):
    kernel.run(KERNEL_SETUP)

    cell = kernel.run("""
handle = display("from the cell", display_id=True)
node = Record()
as_node(node, lambda: handle.update("from the node")).join()
assert node.displays == []
""")

    assert [data["text/plain"] for data in cell.updates] == ["'from the node'"]


def test_clearing_output_in_a_node_leaves_the_cell_alone(kernel):
    kernel.run(KERNEL_SETUP)

    cell = kernel.run("""
from IPython.display import clear_output
print("kept")
node = Record()
as_node(node, clear_output).join()
print(node.displays)
""")

    assert cell.text == "kept\n[({}, {'nbflow': {'clear': True}})]\n"
