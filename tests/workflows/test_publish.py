"""Publishing, in this process and in a real kernel; what was published runs in a process that never saw the notebook."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from nbflow.authoring.trace import Definition
from nbflow.core.errors import CheckError, PublishError, WebhookClashError
from nbflow.core.flow import Edge, Flow, Node
from nbflow.workflows.collect import Source
from nbflow.workflows.publish import publish

from .notebooks import CLEAN, DAILY, HEAD, definition, run
from .small import flow, step, webhook

ELSEWHERE = """
import json, os, sys, tempfile
from pathlib import Path
from nbflow.authoring.trace import Definition
from nbflow.runtime.runtime import prepare, runtime
from nbflow.workflows.binding import bind
from nbflow.workflows.library import Workflows
from nbflow.workflows.loading import load_module

workflow = Workflows(runtime().store).by_name(sys.argv[1])
os.chdir(Path(os.environ["NBFLOW_PROJECT"], workflow.module.folder))
with tempfile.TemporaryDirectory() as folder:
    functions = load_module(workflow.module, folder)
    request = json.loads(sys.argv[2])
    params = bind(workflow.flow, request)
    execution = runtime().start(prepare(Definition(flow=workflow.flow, functions=functions)), params, input=request)
    print(json.dumps(dict(execution.result(60))))
runtime().close()
"""


def run_elsewhere(name, request):
    done = subprocess.run([sys.executable, "-c", ELSEWHERE, name, json.dumps(request)], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def published(store, project):
    def published(definition, **options):
        if isinstance(definition, Flow):
            definition = Definition(flow=definition)
        return publish(definition, store=store, project=project, **{"source": Source(folder=project), **options})

    return published


def test_a_webhook_is_added_to_a_flow_that_has_none(published, library):
    found = published(flow(), webhook="/orders")
    stored = library.get(found.workflow.id)
    assert [(hook.method, hook.path, hook.node_id, hook.active) for hook in library.webhooks()] == [("POST", "/orders", "webhook", True)]
    assert stored.flow.outputs.keys() == {"step"}  # the request is no result
    assert stored.name == "daily"


def test_a_webhook_takes_all_fields_of_its_trigger(published, library):
    published(flow(), webhook={"path": "/orders/:id", "methods": ["GET", "PUT"], "response_mode": "last_node"})
    assert [hook.method for hook in library.webhooks()] == ["GET", "PUT"]
    assert library.webhooks()[0].config["response_mode"] == "last_node"


def test_a_flow_with_a_trigger_of_its_own_keeps_it(published, library):
    published(flow(webhook("/mine"), step()))
    assert [hook.path for hook in library.webhooks()] == ["/mine"]
    with pytest.raises(PublishError, match=r"has the node 'hook' \(trigger.webhook\) already; set its path there"):
        published(flow(webhook("/mine"), step()), webhook="/other")


def test_an_added_node_takes_a_free_id(published):
    found = published(flow(step("webhook")), webhook="/a")
    assert [node.id for node in found.workflow.flow.nodes] == ["webhook_2", "webhook"]


def test_publishing_again_makes_a_version_only_when_something_changed(published, library):
    first = published(flow(), webhook="/a")
    again = published(flow(), webhook="/a")
    changed = published(flow(step(output=2)), webhook="/a", comment="two")
    assert (first.is_new, again.is_new, changed.is_new) == (True, False, True)
    assert again.workflow == first.workflow
    assert (changed.workflow.id, changed.workflow.version) == (first.workflow.id, 2)
    assert library.versions(first.workflow.id)[0].comment == "two"


def test_what_no_longer_starts_it_is_told(published):
    published(flow(), webhook="/a")
    found = published(flow(), schedule="0 7 * * *")
    assert found.dropped == ("POST /webhooks/a",)
    assert "no more: POST /webhooks/a" in repr(found)


def test_another_name_makes_another_workflow(published):
    first, second = published(flow()), published(flow(), name="second")
    assert first.workflow.id != second.workflow.id
    assert second.workflow.name == "second"


def test_what_is_shown_says_what_starts_it_and_what_is_missing(published):
    found = published(flow(), webhook="/a")
    assert repr(found).splitlines() == [
        "workflow 'daily', version 1: published",
        "  POST /webhooks/a",
        "  active as soon as a server of this project runs: `nbflow serve` starts one",
    ]
    assert "http://here:1/webhooks/a" in repr(published(flow(), webhook="/a", server="http://here:1/"))
    assert "not active" in repr(published(flow(), webhook="/a", active=False))
    assert "nothing starts it by itself" in repr(published(flow()))


def test_the_card_is_inline_and_escaped(published):
    html = published(flow(), name="<b>x</b>", webhook="/a")._repr_html_()
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "POST /webhooks/a" in html
    assert "<style" not in html
    assert "<script" not in html


def test_problems_are_refused_and_nothing_is_stored(published, library):
    broken = Flow(name="broken", nodes=(step(),), edges=(Edge(source="step", target="nowhere"),))
    for wrong, options, message in (
        (broken, {"webhook": "/a"}, "nowhere"),
        (flow(), {"webhook": "/a b"}, "no path segment"),
        (flow(), {"schedule": "0 7 * *"}, "no cron expression"),
        (flow(), {"webhook": {"path": "/a", "methodes": ["GET"]}}, "methodes"),
        (flow(), {"webhook": {"path": "{{ vars.a }}"}}, "write the value itself"),
    ):
        with pytest.raises(CheckError, match=message):
            published(wrong, **options)
    assert library.list() == []


def test_a_clash_is_refused_before_any_code_is_tried(published, main, project):
    published(flow(), name="first", webhook="/orders/:id")
    source = run(main, HEAD, "LIMIT = 1", CLEAN, DAILY, folder=project / "not there")
    with pytest.raises(WebhookClashError, match="'first'"):
        published(definition(main), source=source, webhook="/orders/:number")
    published(flow(), name="second", webhook="/orders/:number", active=False)


def test_a_catalogue_flow_comes_back_from_a_file_and_is_published(published, tmp_path):
    import nbflow as nf

    path = flow(Node(id="start", type="trigger.manual"), step()).save(tmp_path / "a.flow.json")
    found = published(nf.load(path).definition())
    assert found.workflow.module is None


def test_code_that_publishes_itself_is_refused(project, monkeypatch):
    monkeypatch.syspath_prepend(str(project))
    (project / "selfish.py").write_text(
        f"{HEAD}\n@node\ndef one() -> int:\n    return 1\n@flow\ndef selfish():\n    return one()\nselfish.publish()\n"
    )
    with pytest.raises(PublishError, match="'selfish' is published by its own code, which runs wherever the flow runs"):
        __import__("selfish")


# In a kernel --------------------------------------------------------------------------------------

HELPERS = 'import pandas as pd\nfrom prices import vat\n\nLIMIT = 10\nRATES = {"monday": 1}\nRATES["tuesday"] = 2'
NODES = '''
def weight(day):
    """How much a day counts."""
    return RATES.get(day, 0)

@node
def load(day: str, least: float) -> pd.DataFrame:
    frame = pd.DataFrame({"amount": [5.0, 20.0]})
    return frame[frame.amount >= least] * weight(day)

@node(retry=2)
async def total(orders: pd.DataFrame) -> dict:
    big = orders[orders.amount > LIMIT]  # those that count
    return {"sum": float(big.amount.map(vat).sum()), "from_file": open_rate()}
'''
LATE = 'from pathlib import Path\ndef open_rate():\n    return Path("rate.txt").read_text()'
ORDERS = "@flow\ndef orders(day: str, least: float = 0):\n    return total(load(day, least))"


def test_a_flow_of_a_notebook_runs_where_nobody_knows_the_notebook(kernel, project):
    (project / "nb" / "prices.py").write_text("from rates import VAT\ndef vat(amount):\n    return amount * (1 + VAT)\n")
    (project / "nb" / "rates.py").write_text("VAT = 0.5\n")
    (project / "nb" / "rate.txt").write_text("from the notebook's folder")
    for cell in (HELPERS, "def weight(day): return RATTES[day]", NODES, LATE, ORDERS):
        kernel.run(cell)
    assert "RATTES" not in kernel.run("run = await orders(day='tuesday')\nrun.output['sum']").stderr
    shown = kernel.run("LIMIT = 30\norders.publish(webhook='/orders/:day')")
    assert shown.result.splitlines()[:2] == ["workflow 'orders', version 1: published", "  POST /webhooks/orders/:day"]
    assert "nothing has changed" in kernel.run("orders.publish(webhook='/orders/:day')").result
    kernel.close()
    request = {"method": "POST", "path": "/orders/tuesday", "headers": {}, "params": {"day": "tuesday"}, "query": {"least": "6"}, "body": None}
    assert run_elsewhere("orders", request) == {"total": {"sum": 60.0, "from_file": "from the notebook's folder"}}


def test_what_cannot_be_published_is_refused_in_the_cell(kernel):
    one = "@node\ndef one() -> int:\n    return 1\n@flow\ndef first():\n    return one()"
    kernel.run(one)
    kernel.run("run = await first()\nglobals()['STATE'] = 3\n%env ONLY_HERE=3")
    flow_of = "@node\ndef use() -> object:\n    return {name}\n@flow\ndef second():\n    return use()\nsecond.publish()"
    for setup, name, message in (
        ("", "STATE", "line 3: 'STATE' is used, but no cell that was run defines it"),
        ("VALUE = run.output", "VALUE", "makes it by running a flow"),
        ("import os\nFROM_ENV = os.environ['ONLY_HERE']", "FROM_ENV", "KeyError: 'ONLY_HERE'"),
    ):
        kernel.run(setup)
        cell = kernel.tell(flow_of.format(name=name), 60)
        assert cell.ename == "PublishError"
        assert message in cell.traceback
        assert "Cell In[" in cell.traceback
        assert 'File "' not in cell.traceback  # the message alone
