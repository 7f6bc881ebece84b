"""A server under load. `python -m tests.bench.webhook_child WHAT FOLDER` prints its port; the end of its input ends it.

`nbflow`: as `nbflow serve` starts it, with the workflows of `webhooks.py` published. `starlette`: an endpoint on bare Starlette and uvicorn
that appends the same accepted record to the same kind of journal, durably, before it answers.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.core.flow import Edge, Flow, Node
from nbflow.core.ids import new_id
from nbflow.store.client import SharedStore

if TYPE_CHECKING:
    from starlette.requests import Request

TOKEN = "the-token-of-the-bench"


def three_nodes(path: str, mode: str) -> Flow:
    """The trigger, an expression over the body, a choice."""
    nodes = (
        Node(id="hook", type="trigger.webhook", config={"path": path, "response_mode": mode}),
        Node(
            id="shape",
            type="action.transform",
            config={"include": "none", "assignments": [{"name": "total", "value": "{{ input.body.total * 2 }}"}, {"name": "order", "value": "{{ input.body.order }}"}]},  # noqa: E501
        ),
        Node(id="if", type="logic.if", config={"conditions": [{"left": "{{ input.total }}", "operator": "gt", "right": 100}]}),
    )  # fmt: skip
    return Flow(name=f"bench-{path}", nodes=nodes, edges=(Edge(source="hook", target="shape"), Edge(source="shape", target="if")))


def nbflow_server(folder: Path, port: int) -> None:
    """The real one, with the default settings but the port."""
    from nbflow.server.serve import serve
    from nbflow.server.settings import ServerSettings
    from nbflow.workflows.library import Workflows

    store = SharedStore(folder)
    workflows = Workflows(store)
    for mode in ("at_once", "last_node"):
        workflows.create(three_nodes(mode, mode), active=True)
    store.close()
    serve(ServerSettings(port=port, token=TOKEN), project=folder)


def starlette_server(folder: Path, port: int) -> None:
    """What the same guarantee costs at least: the record is what nbflow's acceptance is."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    store = SharedStore(folder)
    store.query("select 1")

    async def endpoint(request: Request) -> JSONResponse:
        body = await request.json()
        execution_id = str(new_id())
        await asyncio.wrap_future(store.submit([_accepted(execution_id, request, body)]))
        return JSONResponse({"execution_id": execution_id, "status": "accepted"}, status_code=202)

    app = Starlette(routes=[Route("/webhooks/{path:path}", endpoint, methods=["POST"])])
    uvicorn.run(app, port=port, http="httptools", loop="uvloop", log_config=None, access_log=False)


def _accepted(execution_id: str, request: Any, body: Any) -> dict[str, Any]:
    value = {
        "method": request.method, "path": request.url.path, "headers": dict(request.headers), "params": {}, "query": {}, "body": body, "files": {},
    }  # fmt: skip
    return {
        "k": "accepted", "execution_id": execution_id, "flow": "bench", "flow_hash": "0" * 64, "workflow_id": None, "version_id": None,
        "trigger": "webhook", "mode": "queue", "source": "POST /bench", "user": "bench", "host": "bench", "pid": os.getpid(),
        "parent_execution_id": None, "input": value, "request": {"input": value, "params": {}}, "ts": time.time_ns(),
    }  # fmt: skip


def _end_with_input() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_input, daemon=True).start()
    {"nbflow": nbflow_server, "starlette": starlette_server}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
