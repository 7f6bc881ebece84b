"""A case in a process of its own: no warm caches, no grown heap from the one before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from .table import Row

REPOSITORY = Path(__file__).parents[2]


def measure(case: str, scale: float, *, timeout_s: float = 120) -> list[Row]:
    """The rows of `module.case`. One that fails gives a row that says so."""
    command = [sys.executable, "-m", "tests.bench", "--case", case, "--scale", str(scale)]
    try:
        done = subprocess.run(command, cwd=REPOSITORY, env=environment(), capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return [Row(name=case, value=timeout_s, unit="s", note="took longer than that")]
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return [Row(name=case, value=0, unit="", note=f"failed: {reason}")]
    return [Row(**row) for row in json.loads(done.stdout.strip().splitlines()[-1])]


def tell(rows: list[Row]) -> None:
    """The child's answer: the last line of its output."""
    print(json.dumps([asdict(row) for row in rows]))


def environment() -> dict[str, str]:
    """Ours, without what would lead the child to a user's own project."""
    return {name: value for name, value in os.environ.items() if name not in {"NBFLOW_PROJECT", "NBFLOW_STORE", "NBFLOW_STORE_URL"}}
