"""Worker kernels: flows with Python functions run out of the server's process."""

from __future__ import annotations

import os
import time

from test_executor import until

import nbflow as nf
from nbflow.workflows.collect import Source
from nbflow.workflows.notebook import read_cell
from nbflow.workflows.publish import publish

CELL = """
import os, signal, time
import nbflow as nf

FACTOR = 2

@nf.node
def double(amount: float) -> float:
    return amount * FACTOR

@nf.node
def where(amount: float) -> int:
    return os.getpid()

@nf.node
def dies(amount: float) -> float:
    os.kill(os.getpid(), signal.SIGKILL)
    return amount

@nf.node
def burns(amount: float) -> float:
    while True:
        amount += 1
"""


def published(server, node, name):
    """A workflow of one function, published as from a kernel that ran CELL."""
    import sys

    main = sys.modules["__main__"]
    names = {"__name__": "__main__"}
    exec(compile(CELL, "Cell In[1]", "exec"), names)
    before = {key: vars(main).get(key) for key in names if key in vars(main)}
    vars(main).update({key: value for key, value in names.items() if not key.startswith("__")})
    try:

        @nf.flow(name=name)
        def drawn(amount: float):
            return {"result": names[node](amount)}

        made = publish(
            drawn.definition(),
            store=server.state.store,
            project=server.project,
            source=Source(folder=server.project, cells=[read_cell("Cell In[1]", CELL)]),
        )
    finally:
        for key in names:
            if not key.startswith("__"):
                vars(main).pop(key, None)
        vars(main).update(before)
    return made.workflow.id


def run(server, workflow_id, mode="wait", **params):
    return server.client.post("/executions/execute", json={"workflow_id": str(workflow_id), "params": params, "mode": mode})


def test_functions_run_in_another_process_and_their_values_come_back(server):
    answer = run(server, published(server, "double", "doubling"), amount=21)
    assert answer.status_code == 200, answer.text
    assert answer.json()["outputs"] == {"result": 42.0}
    elsewhere = run(server, published(server, "where", "whereabouts"), amount=1).json()["outputs"]["result"]
    assert elsewhere != os.getpid()


def test_a_warm_kernel_is_used_again(server):
    workflow = published(server, "where", "warm")
    pids = {run(server, workflow, amount=1).json()["outputs"]["result"] for _ in range(3)}
    assert len(pids) == 1


def test_a_kernel_that_dies_fails_its_execution_and_the_next_one_works(server):
    dead = run(server, published(server, "dies", "dying"), amount=1)
    found = until(server.client, dead.json()["execution_id"], "failed") if "execution_id" in dead.json() else dead.json()
    assert "signal 9" in str(found) or "SIGKILL" in str(found), found
    assert run(server, published(server, "double", "alive"), amount=2).json()["outputs"] == {"result": 4.0}


def test_a_function_that_burns_the_processor_is_stopped_by_cancel(server):
    answer = run(server, published(server, "burns", "burning"), mode="queue", amount=1)
    id_ = answer.json()["execution_id"]
    until(server.client, id_, "running")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not any(worker.execution_id == id_ for worker in server.state.executor.status().workers):
        time.sleep(0.05)
    assert server.client.post(f"/executions/{id_}/cancel").status_code in {200, 202}
    assert until(server.client, id_, "cancelled", "failed")["status"] == "cancelled"
    assert run(server, published(server, "double", "after"), amount=3).json()["outputs"] == {"result": 6.0}


def test_a_server_without_worker_kernels_says_that_it_cannot_run_functions(fresh_server):
    server = fresh_server(worker_kernels=0)
    refused = run(server, published(server, "double", "refused"), amount=1)
    assert refused.status_code >= 400
    assert "worker_kernels" in refused.json()["error"]["message"]
