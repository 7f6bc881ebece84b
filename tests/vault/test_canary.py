"""A secret is used in every way flows can use one; afterwards it is nowhere."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import nbformat
import pytest
from nbclient import NotebookClient

from .echo import echoing
from .traces import traces

CANARY = "cnry-7Kq/+\"<&>'-Zx9wQ2mV_pL4"
NBFLOW = Path(sys.executable).with_name("nbflow")

SETUP = """
import asyncio, logging, os, sys, warnings
import ipywidgets
import pandas as pd
from IPython.display import HTML, display
import nbflow as nf
from nbflow import Context, flow, node

URL = os.environ["ECHO_URL"]
logging.basicConfig(filename="user.log", level=logging.DEBUG)
log = logging.getLogger("mine")


class Holder:
    def __init__(self, text): self.text = text
    def __repr__(self): return f"Holder({self.text!r})"
    def _repr_html_(self): return f"<b>{self.text}</b>"


@node
def everywhere(echoed, ctx: Context) -> dict:
    secret = ctx.credential("crm").reveal("value")
    print("printed", secret)
    for character in secret:
        sys.stdout.write(character)
    print("x" * 100, secret, file=sys.stderr)
    log.warning("logged %s", secret)
    ctx.log(f"told {secret}")
    ctx.progress(0.5, f"half of {secret}")
    warnings.warn(f"warned of {secret}")
    display(HTML(f"<p>{secret}</p>" * 5000))
    display(Holder(secret))
    return {"echoed": echoed, "secret": secret, secret: 1, "bytes": secret.encode(), "long": "y" * 245 + secret + "z" * 50, "holder": Holder(secret),
            "nested": [[{"deep": secret}]], "large": [secret] * 20_000}


@node
def table(value: dict) -> pd.DataFrame:
    secret = value["secret"]
    return pd.DataFrame({"a": [secret, "q" * 70 + secret], secret: [1, 2], "json": [repr({"k": secret})] * 2})


@node(where="process")
def elsewhere(value: dict, ctx: Context) -> str:
    import ctypes, logging, sys
    secret = ctx.credential("crm").reveal("value")
    print("from a process", secret)
    logging.getLogger("other").error("from a process %s", secret)
    return "returned " + secret


@node(where="thread")
def holder(value: dict) -> object:
    return Holder(value["secret"])


@node
def each_one(item, ctx: Context) -> str:
    return ctx.credential("crm").reveal("value") + str(item)


@node
def breaks(echoed, ctx: Context):
    secret = ctx.credential("crm").reveal("value")
    try:
        raise KeyError(secret)
    except KeyError as error:
        raise RuntimeError(f"it broke with {secret} and {'z' * 200}{secret}") from error


@node(where="process")
def breaks_elsewhere(echoed, ctx: Context):
    raise RuntimeError("broke in a process with " + ctx.credential("crm").reveal("value"))


@node
def numbers() -> list: return [1, 2, 3]


@flow
def succeeds():
    echoed = nf.nodes.action.http(url=URL + "/echo?q=1", auth={"credential": "crm"}, full_response=True)
    value = everywhere(echoed)
    return {"table": table(value), "value": value, "elsewhere": elsewhere(value), "holder": holder(value),
            "each": each_one.options(each=True)(numbers()),
            "transformed": nf.nodes.action.transform(value, mode="expression", expression="{{ input.secret }}")}


@flow
def fails():
    return breaks(nf.nodes.action.http(url=URL + "/echo", auth={"credential": "crm"}))


@flow
def fails_elsewhere():
    return breaks_elsewhere(nf.nodes.action.http(url=URL + "/echo", auth={"credential": "crm"}))


@flow
def refused():
    return nf.nodes.action.http(url=URL + "/refused", auth={"credential": "crm"})
"""

CELLS = (
    SETUP,
    "run = await succeeds()",
    "run.outputs",
    "print(run.outputs['value']['secret']); run.outputs['value']['secret']",
    "run.outputs['table']",
    "print(run.outputs['value']['secret'].encode(), file=sys.stderr); run.nodes['everywhere'].logs",
    "ipywidgets.Text(value=run.outputs['value']['secret'])",
    "await fails()",
    "await fails_elsewhere()",
    "await refused()",
    "log.error('outside of nodes: %s', run.outputs['value']['secret'])",
    "raise ValueError(run.outputs['value']['secret'])",
    "%xmode Verbose\nsecret = run.outputs['value']['secret']\nlen(secret) / 0",
    "nf.execution(run.id)",
    "pd.set_option('display.max_colwidth', None); nf.sql('select * from execution_logs')",
    "nf.executions()",
    "nf.credentials",
    "succeeds.document if hasattr(succeeds, 'document') else succeeds",
    "import shutil; shutil.copytree(os.path.join(os.environ['NBFLOW_PROJECT'], '.nbflow', 'journal'), 'journals')",  # the owner removes them
)


@pytest.fixture(scope="module")
def echo_server():
    with echoing() as server:
        server.answers["/refused"] = (401, {"refused": CANARY, "again": "p" * 180 + CANARY})
        yield server


@pytest.fixture(scope="module")
def used(tmp_path_factory, echo_server):
    """The folder in which everything has happened, with its processes gone."""
    folder = tmp_path_factory.mktemp("canary")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NBFLOW_")}
    environment |= {
        "NBFLOW_PROJECT": str(folder),
        "NBFLOW_OWNER_IDLE_S": "60",
        "ECHO_URL": f"http://127.0.0.1:{echo_server.server_port}",
        "IPYTHONDIR": str(folder / "ipython"),
    }
    command([NBFLOW, "credentials", "add", "crm", "--kind", "http_header", "--field", "name=X-Api-Key"], folder, environment, stdin=CANARY)
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": ["raises-exception"]}) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute(env=environment)
    nbformat.write(notebook, folder / "saved.ipynb")
    (folder / "jobs.py").write_text(SETUP)
    for name in ("succeeds", "fails", "fails_elsewhere", "refused"):
        command([NBFLOW, "run", f"jobs.py:{name}"], folder, environment)
        command([NBFLOW, "--debug", "run", f"jobs.py:{name}", "--json"], folder, environment)
    for words in (["executions"], ["sql", "select * from execution_logs", "--json"], ["credentials", "list"], ["credentials", "test", "crm"]):
        command([NBFLOW, *words], folder, environment)
    script = SETUP + "\nrun = succeeds(); run.result(60); print(run.outputs); print(repr(run.outputs), file=sys.stderr)\nfails().result(60)\n"
    (folder / "script.py").write_text(script)
    command([sys.executable, "script.py"], folder, environment)
    end_owner(folder, environment)
    return folder


def end_owner(folder, environment):
    """The database as it is while it's open, with its log, is kept beside the one that was closed."""
    home = folder / ".nbflow"
    command([NBFLOW, "sql", "select 1"], folder, environment)  # now there is an owner
    command([NBFLOW, "credentials", "rotate"], folder, environment)  # and something in its log
    pid = json.loads((home / "owner.json").read_text())["pid"]
    for path in home.glob("store.duckdb*"):
        shutil.copy(path, folder / f"open-{path.name}")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not alive(pid))


def command(words, folder, environment, stdin=""):
    done = subprocess.run(words, cwd=folder, env=environment, input=stdin, capture_output=True, text=True, timeout=180, check=False)
    with (folder / "commands.txt").open("a") as file:
        file.write(f"$ {' '.join(map(str, words[1:]))}\n{done.stdout}\n{done.stderr}\n")
    return done


def alive(pid):
    try:
        return b"nbflow.store.daemon" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def wait_until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_flows_did_what_they_were_made_for(used, echo_server):
    assert sum(headers.get("X-Api-Key") == CANARY for _, _, headers, _ in echo_server.seen) >= 8
    notebook = json.loads((used / "saved.ipynb").read_text())
    assert "completed" in json.dumps(notebook["cells"][1]["outputs"])
    assert "RuntimeError" in json.dumps(notebook["cells"][7]["outputs"])
    assert "[redacted crm]" in json.dumps(notebook["cells"][2]["outputs"])
    assert "[redacted crm]" in (used / "user.log").read_text()
    assert "ZeroDivisionError" in json.dumps(notebook["cells"][12]["outputs"])
    assert (used / "commands.txt").read_text().count("[redacted crm]") > 20


def test_no_file_holds_the_secret_in_any_encoding(used):
    files = [path for path in used.rglob("*") if path.is_file()]
    assert {".ipynb", ".duckdb", ".wal", ".ndjson", ".log"} <= {path.suffix for path in files}
    assert any("artifacts" in path.parts for path in files)
    assert {str(path.relative_to(used)): found for path in files if (found := traces(CANARY, path.read_bytes()))} == {}


def test_no_table_holds_the_secret_compressed_or_not(used):
    with duckdb.connect(used / ".nbflow" / "store.duckdb", read_only=True) as database:
        tables = [name for (name,) in database.execute("select table_name from duckdb_tables() where not internal").fetchall()]
        content = {name: database.execute(f'select * from "{name}"').fetchall() for name in tables}
    assert len(content["workflow_executions"]) >= 12
    found = {}
    for name, rows in content.items():
        told = json.dumps(rows, default=lambda value: value.decode("latin-1") if isinstance(value, bytes) else str(value), ensure_ascii=False)
        unescaped = "\n".join(str(cell) for row in rows for cell in row)
        if hits := traces(CANARY, told.encode()) + traces(CANARY, unescaped.encode()):
            found[name] = hits
    assert found == {}
