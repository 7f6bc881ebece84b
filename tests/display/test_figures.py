from __future__ import annotations

import subprocess
import sys
import threading

import matplotlib.pyplot as plt
import pytest

from nbflow.display import capture

pytestmark = pytest.mark.usefixtures("captured")


def test_nodes_in_threads_never_draw_into_each_others_figures(record, inside):
    nodes, titles, both = [record(), record()], [[], []], threading.Barrier(2)

    def draw(number):
        with inside(nodes[number]):
            plt.figure()
            both.wait(timeout=10)
            plt.title(f"node {number}")
            both.wait(timeout=10)
            titles[number] = [axes.get_title() for axes in plt.gcf().axes]
            capture.finish(nodes[number])

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert titles == [["node 0"], ["node 1"]]
    assert [len(node.displays) for node in nodes] == [1, 1]
    assert plt.get_fignums() == []


def test_show_puts_a_nodes_figures_into_its_record_and_closes_them(record, inside):
    node, outside = record(), plt.figure()
    capture.install()

    with inside(node):
        plt.plot([1, 2])
        plt.show()
        assert plt.get_fignums() == []
    capture.finish(node)

    assert [sorted(data) for data, _ in node.displays] == [["image/png", "text/plain"]]
    assert plt.get_fignums() == [outside.number]
    plt.close(outside)


def test_a_figure_that_a_node_returns_is_not_shown_twice(record, inside):
    node = record()

    with inside(node):
        figure, axes = plt.subplots()
        plt.figure()
        capture.finish(node, (figure, axes))

    assert len(node.displays) == 1
    assert node.figures is None


def test_figures_are_kept_apart_when_matplotlib_is_imported_later():
    code = (
        "import sys\n"
        "from nbflow.core.current import current_node\n"
        "from nbflow.display import capture\n"
        "class Node:\n"
        "    figures = None; shown = []\n"
        "    def display(self, data, metadata): self.shown.append(data)\n"
        "    def write(self, stream, text): raise AssertionError(text)\n"
        "capture.install()\n"
        "assert 'matplotlib' not in sys.modules\n"
        "node = Node(); token = current_node.set(node)\n"
        "import matplotlib.pyplot as plt\n"
        "plt.plot([1]); capture.finish(node); current_node.reset(token)\n"
        "print(len(node.shown), plt.get_fignums())\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "1 []\n"
