"""A flow as a cell shows it: its graph and, where there are any, its problems."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from nbflow.display.graph import describe, img

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbflow.core.flow import Flow
    from nbflow.core.problem import Problem

_PROBLEMS = "margin:6px 0;padding:6px 10px;border-left:4px solid #d1434b;font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px"


def flow_bundle(flow: Flow, problems: Sequence[Problem]) -> dict[str, str]:
    """The MIME bundle of a flow; it stays readable in an untrusted notebook."""
    drawn = "" if any(problem.code in {"dangling-edge", "duplicate-id"} for problem in problems) else img(flow)
    listed = "".join(f"<div>{escape(str(problem))}</div>" for problem in problems)
    html = f'<div style="{_PROBLEMS}"><b>This flow cannot run yet</b>{listed}</div>' if problems else ""
    text = "\n".join([describe(flow, {}), *map(str, problems)])
    return {"text/html": f"<div>{drawn}{html}</div>", "text/plain": text}
