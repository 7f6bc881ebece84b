"""A flow and the events of one execution of it, as the engine would tell them."""

from __future__ import annotations

from typing import Any

from nbflow.core import events
from nbflow.core.flow import Edge, Flow, Node
from nbflow.display.bundle import mime_bundle

EXECUTION = "019b7a00-0000-7000-8000-000000000000"
MS = 1_000_000
START = 1_795_000_000_000 * MS


def orders_flow() -> Flow:
    return Flow(
        name="daily-orders",
        nodes=(
            Node(id="every_morning", type="trigger.schedule"),
            Node(id="fetch_orders", type="action.http"),
            Node(id="customers", type="python.function"),
            Node(id="clean", type="python.function"),
            Node(id="enough", type="logic.if"),
            Node(id="each_order", type="logic.loop.foreach"),
            Node(id="enrich", type="action.http", parent="each_order"),
            Node(id="summarise", type="ai.chat", parent="each_order"),
            Node(id="plot", type="python.function"),
            Node(id="send", type="communication.email"),
            Node(id="nothing_to_do", type="integration.slack"),
        ),
        edges=(
            Edge(source="every_morning", target="fetch_orders"),
            Edge(source="every_morning", target="customers"),
            Edge(source="fetch_orders", target="clean", target_port="orders"),
            Edge(source="customers", target="clean", target_port="customers"),
            Edge(source="clean", target="enough"),
            Edge(source="enough", source_port="true", target="each_order"),
            Edge(source="enough", source_port="false", target="nothing_to_do"),
            Edge(source="each_order", source_port="item", target="enrich"),
            Edge(source="enrich", target="summarise"),
            Edge(source="summarise", target="each_order", target_port="result"),
            Edge(source="clean", target="plot"),
            Edge(source="each_order", target="send"),
        ),
    )


def finished(node: str, kind: str, status: str = "completed", *, path: tuple[int, ...] = (), ms: float = 12, **more: Any) -> events.NodeFinished:
    return events.NodeFinished(EXECUTION, node, kind, path, status, 1, START, int(ms * MS), **more)


def orders_events() -> list[Any]:
    """Everything a view has to show: logs, a table, a picture, a branch not taken, a loop, a failure."""
    import pandas as pd
    from matplotlib.figure import Figure

    frame = pd.DataFrame(
        {
            "order": range(1001, 1043),
            "customer": ["Ada Lovelace", "Grace <b>Hopper</b>", "Alan & Co"] * 14,
            "total": [round(19.99 * number, 2) for number in range(42)],
        }
    )
    figure = Figure(figsize=(5, 2.4))
    axes = figure.subplots()
    axes.bar(range(12), [3, 5, 4, 8, 6, 9, 12, 10, 11, 14, 13, 17])
    axes.set_title("Orders a month")
    error = events.ErrorRecord(
        "RemoteError",
        "mail server answered 451: greylisted, try again later",
        "Cell In[4], line 3, in send\n      2     message = render(rows)\n->    3     server.send(message)\nRemoteError: mail server answered 451",
    )
    log = lambda node, stream, level, text, path=(): events.NodeLogged(EXECUTION, node, path, START, stream, level, text)  # noqa: E731
    told: list[Any] = [
        events.ExecutionStarted(EXECUTION, "daily-orders", START),
        finished("every_morning", "trigger.schedule", ms=0.2),
        events.NodeStarted(EXECUTION, "fetch_orders", (), START),
        log("fetch_orders", "stdout", "info", "page 1\npage 2\n"),
        log("fetch_orders", "log", "warn", "rate limit: 12 calls left"),
        finished("fetch_orders", "action.http", ms=1240, preview=[{"order": 1001}, "..."]),
        finished("customers", "python.function", ms=118, preview={"rows": 3}),
        finished("clean", "python.function", bundle=mime_bundle(frame), preview="DataFrame (42, 3)"),
        finished("enough", "logic.if", ms=0.1),
        finished("nothing_to_do", "integration.slack", "skipped", ms=0),
        events.NodeStarted(EXECUTION, "each_order", (), START),
    ]
    for number in range(3):
        told += [
            finished("enrich", "action.http", path=(number,), ms=80),
            log("summarise", "stdout", "info", f"order {1001 + number} summarised\n", (number,)),
            finished("summarise", "ai.chat", path=(number,), ms=700, usage=events.Usage("small", 812, 44, 0.0021)),
        ]
    told += [
        finished("each_order", "logic.loop.foreach", ms=2340, iterations=3, preview=["a", "b", "c"]),
        events.NodeStarted(EXECUTION, "plot", (), START),
        events.NodeDisplayed(EXECUTION, "plot", (), mime_bundle(figure) or {}, {}),
        finished("plot", "python.function", ms=310),
        events.NodeStarted(EXECUTION, "send", (), START),
        log("send", "stderr", "warn", "retrying once\n"),
        finished("send", "communication.email", "failed", ms=95, error=error),
        events.ExecutionFinished(EXECUTION, "daily-orders", "failed", START, 3_912 * MS, None, error, "send"),
    ]
    return told
