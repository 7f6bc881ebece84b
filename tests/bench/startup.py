"""How long until nbflow is there, and until a first recorded result, in processes that have done nothing before."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from . import fresh
from .table import Row

if TYPE_CHECKING:
    from collections.abc import Callable

HEAVY = (
    "duckdb",
    "pandas",
    "pyarrow",
    "numpy",
    "pydantic",
    "jinja2",
    "httpx",
    "IPython",
    "ipywidgets",
    "matplotlib",
    "openai",
    "anthropic",
    "boto3",
    "sqlalchemy",
)
MUST_NOT = ("duckdb", "pandas", "pyarrow", "openai", "anthropic", "boto3", "sqlalchemy")

_IMPORT = """
import json, sys, time
before = set(sys.modules)
began, cpu = time.perf_counter(), time.process_time()
import nbflow
{also}
ended, cpu = time.perf_counter() - began, time.process_time() - cpu
found = [name for name in {heavy} if name in sys.modules]
print(json.dumps([ended, cpu, found, len(set(sys.modules) - before)]))
"""

_FIRST = """
import json, sys, time
began = time.perf_counter()
import nbflow as nf

@nf.node
def one() -> int:
    return 1

@nf.node
def more(x: int) -> int:
    return x + 1

@nf.flow
def first():
    return more(one())

execution = first()
execution.result()
recorded = time.perf_counter() - began
found = [name for name in {heavy} if name in sys.modules]
rows = 0
if {query}:
    from nbflow.runtime.runtime import runtime
    rows = len(runtime().store.query("select * from execution_logs"))
print(json.dumps([recorded, time.perf_counter() - began, found, rows]))
sys.stdout.flush()
"""


def _child(code: str, **places: Any) -> tuple[float, list[Any]]:
    """Wall seconds of the whole process, and what it printed."""
    with tempfile.TemporaryDirectory(prefix="nbflow-bench-", ignore_cleanup_errors=True) as folder:
        environment = fresh.environment() | {"NBFLOW_PROJECT": folder, "NBFLOW_OWNER_IDLE_S": "2"}
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code.format(heavy=HEAVY, **places)],
            cwd=fresh.REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1])
    return seconds, json.loads(done.stdout.strip().splitlines()[-1])


def imports(scale: float) -> list[Row]:
    """`import nbflow`, and what it pulls in."""
    times = max(1, int(5 * scale))
    rows = []
    for name, also, goal in (
        ("import nbflow", "", 150),
        ("import nbflow; flow, node, nodes", "nbflow.flow, nbflow.node, nbflow.foreach", None),
        ("... and the runtime", "import nbflow.runtime.runtime", None),
    ):
        answers = [_child(_IMPORT, also=also)[1] for _ in range(times)]
        found = answers[0][2]
        refused = [module for module in found if module in MUST_NOT]
        note = (
            f"{answers[0][3]} modules"
            + (f"; imports {', '.join(found)}" if found else "")
            + (f" -- MUST NOT: {', '.join(refused)}" if refused else "")
        )
        rows.append(Row(name=name, value=median(answer[0] for answer in answers) * 1e3, unit="ms", goal=goal, note=note))
    return rows


def first_result(scale: float) -> list[Row]:
    """A two-node flow in a new process and a new project, durable in the journal; then also read back by SQL from a new owner."""
    times = max(1, int(3 * scale))
    plain = [_child(_FIRST, query=False) for _ in range(times)]
    asked = [_child(_FIRST, query=True) for _ in range(times)]
    found = plain[0][1][2]
    imported = f"imports {', '.join(found) or 'none of the heavy'}"
    return [
        Row(name="first recorded result, cold process, whole", value=median(wall for wall, _ in plain), unit="s", goal=0.5, note=imported),
        Row(name="... from the first line of the script", value=median(answer[0] for _, answer in plain), unit="s"),
        Row(
            name="... and read back by SQL (starts the owner)",
            value=median(answer[1] for _, answer in asked),
            unit="s",
            note=f"{asked[0][1][3]} rows",
        ),
    ]


CASES: dict[str, Callable[[float], list[Row]]] = {case.__name__: case for case in (imports, first_result)}
