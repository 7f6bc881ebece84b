"""A folder with flows in every form, and the installed `nbflow` command run in it as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("nbflow")

JOBS = '''
import time

import nbflow as nf
from nbflow import flow, node


@node
def add(a: int, b: int = 1) -> int:
    print("adding", a, b)
    return a + b


@node
def divide(a: int) -> float:
    divisor = 0
    return a / divisor


@node
def burn(a: int) -> int:
    while True:
        a += 1


@node(where="inline")
def burn_inline(a: int) -> int:
    while True:
        a += 1


@node
def echo(value) -> object:
    return value


@flow
def total(first: int, second: int = 1):
    """Adds two numbers."""
    return add(first, second)


@flow
def failing(first: int = 1):
    return divide(add(first))


@flow
def endless(first: int = 1):
    return burn(first)


@flow
def endless_inline(first: int = 1):
    return burn_inline(first)


@flow
def wrong():
    return nf.nodes.action.http(method="FETCH", url="http://example.org")


@flow
def undrawable():
    return missing_function()


@flow
def triggered():
    return echo(nf.nodes.trigger.manual())
'''

NOTEBOOK = (
    "%load_ext autoreload\nimport pandas as pd\nfrom nbflow import flow, node",
    "FACTOR = 10\nraise_if_run = print\nprint('this cell only shows something')\npd.DataFrame({'a': [1]}).head()",
    "@node\ndef rows(count: int) -> pd.DataFrame:\n    print('making', count)\n    return pd.DataFrame({'n': [FACTOR * i for i in range(count)]})",
    "@flow\ndef table(count: int = 3):\n    return rows(count)",
    "run = await table(count=1)\nresult = run.outputs['rows']",
    "raise RuntimeError('an example of an error')",
)


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout, which must be one JSON document."""
        return json.loads(self.out)


class Project:
    """A folder; `nbflow(...)` runs the command there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("NBFLOW_", "COLUMNS", "PYTHONWARNINGS"))}
        self.environment["NBFLOW_STORE"] = "inline"

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def notebook(self, name: str, *cells: str | tuple[str, list[str]]) -> Path:
        """Cells are code, or code and tags."""
        made = []
        for number, cell in enumerate(cells):
            source, tags = cell if isinstance(cell, tuple) else (cell, [])
            made.append(
                {"cell_type": "code", "id": str(number), "metadata": {"tags": tags}, "source": source, "outputs": [], "execution_count": None}
            )
        return self.write(name, json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}))

    def nbflow(self, *arguments: str, stdin: str = "", timeout_s: float = 120) -> Result:
        done = subprocess.run(
            [COMMAND, *arguments], cwd=self.folder, env=self.environment, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False
        )
        assert "Traceback (most recent call last)" not in done.stderr
        return Result(done.returncode, done.stdout, done.stderr)
