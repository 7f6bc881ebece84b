from __future__ import annotations

import io

from story import orders_events, orders_flow

from nbflow.display.terminal import TerminalView


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_pipe_each_node_is_a_line_and_a_summary_ends_it():
    out = io.StringIO()

    with TerminalView(orders_flow(), file=out) as view:
        for event in orders_events():
            view(event)

    lines = out.getvalue().splitlines()
    assert "fetch_orders | page 1" in lines
    assert "fetch_orders | warn rate limit: 12 calls left" in lines
    assert "✓ fetch_orders completed in 1.24 s" in lines
    assert "✕ daily-orders failed in 3.91 s: 11 of 11 nodes" in lines
    assert "\x1b" not in out.getvalue()


def test_in_a_terminal_a_table_follows_and_the_whole_table_stays(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()

    with TerminalView(orders_flow(), file=out) as view:
        for event in orders_events():
            view(event)

    end = out.getvalue()[-4000:]
    assert "nothing_to_do" in end
    assert "fetch_orders | page 1" in out.getvalue()
    assert "\x1b[?25h" in out.getvalue()  # the cursor is back


def test_what_the_view_writes_is_no_output_of_a_node(capsys, captured, record, inside):
    node = record()
    with inside(node):
        view = TerminalView(orders_flow())
        for event in orders_events():
            view(event)

    assert node.texts == []
    assert "fetch_orders | page 1" in capsys.readouterr().err
