"""`python -m tests.bench`: measure everything, print one table. The exit code is 0 whatever was measured."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from . import fresh
from .table import Row, text

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS = ("workloads", "durable", "memory", "startup", "analytics", "webhooks")


def cases() -> dict[str, Callable[[float], list[Row]]]:
    """All of them, by `part.case`."""
    return {f"{part}.{name}": case for part in PARTS for name, case in import_module(f".{part}", __package__).CASES.items()}


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="NAME", help="cases whose name contains this, commas between several: w1,durable")
    parser.add_argument(
        "--peers", default="", metavar="NAMES", help='engines to compare with: "langgraph dask prefect node-red" (installed on first use)'
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="log rows for the analytics")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the workloads")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the rows, also as JSON")
    parser.add_argument("--case", help=argparse.SUPPRESS)  # in the child
    options = parser.parse_args()
    os.environ["NBFLOW_BENCH_ROWS"] = os.environ.get("NBFLOW_BENCH_ROWS", str(options.rows)) if options.case else str(options.rows)
    if options.case:
        part, name = options.case.split(".")
        fresh.tell(import_module(f".{part}", __package__).CASES[name](options.scale))
        return
    began = time.perf_counter()
    wanted = [word for word in options.only.split(",") if word]
    rows: list[Row] = []
    for name in cases():
        if not wanted or any(word in name for word in wanted):
            print(f"{time.perf_counter() - began:5.0f} s  {name}", file=sys.stderr, flush=True)
            rows += fresh.measure(name, options.scale)
    if options.peers:
        from .peers import measure

        rows += measure(options.peers.replace(",", " ").split())
    print(text(rows))
    print(f"\n{time.perf_counter() - began:.0f} s, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores. Ratios are medians of interleaved pairs.")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) | {"verdict": row.verdict} for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
