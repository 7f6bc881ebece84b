"""An execution as HTML and as text.

The HTML must survive JupyterLab's sanitizer in an untrusted notebook: no <style>, <svg> or script, inline styles only, of its list of
properties, colours as numbers (`var(...)`, `gap` and `flex` are dropped). So the page's own text colour is inherited, and lines and
backgrounds are translucent grey: that suits light and dark pages alike.
"""

from __future__ import annotations

import base64
import json
from html import escape
from typing import TYPE_CHECKING, Any

from nbflow.core.scopes import node_references
from nbflow.display.graph import img, place_of
from nbflow.display.look import GROUP_COLOURS, duration, look_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nbflow.core.events import ErrorRecord
    from nbflow.display.layout import Placement
    from nbflow.display.state import ExecutionState, NodeState
    from nbflow.display.transcript import Transcript

MAX_SECTIONS = 40  # nodes with a section of their own
MAX_RICH_BYTES = 1_500_000  # of pictures and tables in one page
_PREVIEW_CHARS = 1500
_LINE = "rgba(128,128,128,0.25)"
_SOFT = "rgba(128,128,128,0.08)"
_MUTED = "color:rgb(128,134,145)"
_TEXT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-size:13px;line-height:1.45"
_CODE = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:12px;line-height:1.45"
_BLOCK = (
    f"{_CODE};white-space:pre-wrap;word-break:break-word;overflow:auto;max-height:320px;margin:6px 0 0 0;padding:8px 10px;"
    f"background:{_SOFT};border:none;border-radius:6px"
)
_LEVELS = {"warn": "#c27803", "error": "#e5484d", "debug": "rgb(128,134,145)"}


def html(state: ExecutionState, *, placement: Placement | None = None) -> str:
    """The whole view: header, progress, graph, one section a node with something to show."""
    picture = img(state.flow, state.statuses, state.details, placement=placement or place_of(state.flow)) if state.flow.nodes else ""
    return (
        f'<div style="{_TEXT};border:1px solid {_LINE};border-radius:10px;padding:12px 14px;margin:4px 0;max-width:1280px">'
        f"{_header(state)}{_bar(state)}"
        f'<div style="overflow-x:auto;margin:10px 0 6px 0;text-align:left">{picture}</div>'
        f"{_flow_error(state)}{_sections(state)}</div>"
    )


def text(state: ExecutionState) -> str:
    """A line for the execution and one for each node that did something."""
    look = look_of(state.status)
    lines = [f"{look.symbol} {state.flow.name} {look.word}{_after(state)}: {state.done} of {len(state.nodes)} nodes"]
    width = max((len(name) for name in state.nodes), default=0)
    for node in list(state.nodes.values())[:200]:
        told = " · ".join(filter(None, [node.status, node.detail, node.message]))
        lines.append(f"  {look_of(node.status).symbol} {node.id:<{width}}  {told}")
        if node.error is not None and node.status == "failed":
            lines.append(f"      {node.error.type}: {node.error.message.partition(chr(10))[0][:200]}")
    if state.error is not None and (state.error_node is None or state.error_node not in state.nodes):
        lines.append(f"  {state.error.type}: {state.error.message}")
    return "\n".join(lines)


# Header -----------------------------------------------------------------------------------------


def _after(state: ExecutionState) -> str:
    if state.started_ns is None:
        return ""
    return f" in {duration(state.elapsed_ns)}" if state.ended else f" for {duration(state.elapsed_ns)}"


def _header(state: ExecutionState) -> str:
    look = look_of(state.status)
    chip = (
        f'<span style="display:inline-block;background:{look.colour};color:#ffffff;border-radius:10px;padding:1px 10px;font-size:12px;'
        f'font-weight:600;margin:0 10px 0 0">{look.symbol}&nbsp;{look.word}</span>'
    )
    total = len(state.nodes)
    facts = [f"{state.done} of {total} node{'s' * (total != 1)}"]
    if state.started_ns is not None:
        facts.append(duration(state.elapsed_ns))
    failed = sum(node.status == "failed" for node in state.nodes.values())
    if failed:
        facts.append(f"{failed} failed")
    facts += _usage(state)
    return (
        f'<div>{chip}<span style="font-weight:600;font-size:14px">{escape(state.flow.name)}</span>'
        f'<span style="{_MUTED};margin:0 0 0 12px">{escape(" · ".join(facts))}</span></div>'
    )


def _usage(state: ExecutionState) -> list[str]:
    used = [node.usage for node in state.nodes.values() if node.usage is not None]
    if not used:
        return []
    tokens = sum(usage.tokens_in + usage.tokens_out for usage in used)
    costs = [usage.cost_usd for usage in used if usage.cost_usd is not None]
    return [f"{tokens:,} tokens", *([f"${sum(costs):.4g}"] if costs else [])]


def _bar(state: ExecutionState) -> str:
    total = max(1, len(state.nodes))
    counts = {status: sum(node.status == status for node in state.nodes.values()) for status in ("completed", "skipped", "failed", "cancelled")}
    running = sum(_share(node) for node in state.nodes.values() if node.status == "running")
    shares = [(look_of(status).colour, count) for status, count in counts.items()] + [(look_of("running").colour, running)]
    pieces = "".join(
        f'<div style="float:left;height:4px;width:{100 * share / total:.2f}%;background:{colour}"></div>' for colour, share in shares if share
    )
    return f'<div style="height:4px;border-radius:2px;overflow:hidden;background:{_LINE};margin:10px 0 0 0">{pieces}</div>'


def _share(node: NodeState) -> float:
    if node.total:
        return min(1.0, node.done / node.total)
    return node.fraction or 0.0


def _flow_error(state: ExecutionState) -> str:
    """The execution's error where no node's section tells it."""
    if state.error is None or (state.error_node in state.nodes and state.nodes[state.error_node or ""].error is not None):
        return ""
    return f'<div style="margin:6px 0">{_error(state.error)}</div>'


# Nodes ------------------------------------------------------------------------------------------


def _sections(state: ExecutionState) -> str:
    shown = [node for node in state.nodes.values() if node.has_something_to_show]
    if len(shown) > MAX_SECTIONS:  # what matters most stays, in the flow's order
        ranked = sorted(shown, key=lambda node: (node.error is None, not node.output, node.bundle is None and not node.displays))
        kept = {node.id for node in ranked[:MAX_SECTIONS]}
        hidden = len(shown) - MAX_SECTIONS
        shown = [node for node in shown if node.id in kept]
    else:
        hidden = 0
    room = _Room(MAX_RICH_BYTES)
    opened = {node.id for node in shown if node.status == "failed"} | (_results(state) if state.ended else set())
    parts = [_section(node, room, opened=node.id in opened) for node in shown]
    if hidden:
        parts.append(f'<div style="{_MUTED};margin:6px 0 0 0">{hidden} more nodes with output are not shown here</div>')
    return "".join(parts)


def _results(state: ExecutionState) -> set[str]:
    """What people ran the flow for: pictures and tables of nodes that nothing follows; without any, whatever ended last."""
    followed = {edge.source for edge in state.flow.edges} | {name for node in state.flow.nodes for name in node_references(node)}
    rich = {name for name, node in state.nodes.items() if name not in followed and node.bundle is not None}
    return rich or ({state.last_ended} if state.last_ended else set())


class _Room:
    """How much rich output still fits."""

    def __init__(self, left_bytes: int) -> None:
        self.left = left_bytes

    def take(self, size: int) -> bool:
        if size > self.left:
            return False
        self.left -= size
        return True


def _section(node: NodeState, room: _Room, *, opened: bool) -> str:
    look = look_of(node.status)
    colour = GROUP_COLOURS.get(node.type.partition(".")[0], "#64748b")
    facts = [("python" if node.type == "python.function" else node.type), node.detail]
    if node.attempt > 1:
        facts.append(f"{node.attempt} tries")
    if node.message:
        facts.append(node.message)
    summary = (
        f'<summary style="cursor:pointer;padding:6px 2px"><span style="color:{look.colour};font-weight:700">{look.symbol}</span> '
        f'<span style="font-weight:600;border-left:3px solid {colour};padding:0 0 0 7px;margin:0 0 0 5px">{escape(node.id)}</span>'
        f'<span style="{_MUTED};font-size:12px;margin:0 0 0 10px">{escape(" · ".join(filter(None, facts)))}</span></summary>'
    )
    inner = "".join([*_errors(node), _output(node.output), *_rich(node, room)])
    return (
        f'<details{" open" if opened else ""} style="border-top:1px solid {_LINE}">{summary}'
        f'<div style="padding:0 2px 10px 22px;overflow-x:auto">{inner}</div></details>'
    )


def _errors(node: NodeState) -> Iterable[str]:
    for attempt, error in node.retries:
        first = error.message.partition("\n")[0][:300]
        yield f'<div style="{_MUTED};font-size:12px">Try {attempt} failed: {escape(error.type)}: {escape(first)}</div>'
    if node.error is not None:
        where = f" in round {'.'.join(map(str, node.error_path))}" if node.error_path else ""
        yield _error(node.error, where)


def _error(error: ErrorRecord, where: str = "") -> str:
    red = look_of("failed").colour
    trace = f'<pre style="{_BLOCK};border-left:3px solid {red}">{escape(error.traceback.rstrip())}</pre>' if error.traceback else ""
    return (
        f'<div style="white-space:pre-wrap"><span style="color:{red};font-weight:600">{escape(error.type)}</span>{escape(where)}: '
        f"{escape(error.message)}</div>{trace}"
    )


def _output(output: Transcript) -> str:
    if not output:
        return ""
    lines = []
    if output.dropped:
        lines.append(f'<span style="{_MUTED}">… {output.dropped:,} earlier line{"s" * (output.dropped != 1)} not shown</span>')
    for line in output:
        tag = f"{line.level} " if line.stream == "log" and line.level != "info" else ""
        colour = _LEVELS.get(line.level)
        body = escape(tag + line.text)
        lines.append(f'<span style="color:{colour}">{body}</span>' if colour else body)
    return f'<pre style="{_BLOCK}">{chr(10).join(lines)}</pre>'


def _rich(node: NodeState, room: _Room) -> Iterable[str]:
    for shown in node.displays:
        yield _bundle(shown.data, room)
    if node.bundle is not None:
        yield _bundle(node.bundle, room)
    elif node.preview is not None:
        yield f'<pre style="{_BLOCK}">{escape(_preview(node.preview))}</pre>'


def _preview(value: Any) -> str:
    try:
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        if len(told) > 100 and not isinstance(value, str):  # noqa: PLR2004  what fits a line stays on one
            told = json.dumps(value, ensure_ascii=False, default=str, indent=2)
    except (TypeError, ValueError, RecursionError):
        told = str(value)
    return told if len(told) <= _PREVIEW_CHARS else told[: _PREVIEW_CHARS - 1] + "…"


def _bundle(data: Mapping[str, Any], room: _Room) -> str:
    """The best form that a static page can show. SVG goes into an `<img>`, where scripts in it do not run."""
    for mime in ("image/png", "image/jpeg", "image/gif", "image/svg+xml", "text/html", "text/markdown", "text/latex", "text/plain"):
        content = data.get(mime)
        if not isinstance(content, str) or not content:
            continue
        if not room.take(len(content)):
            return f'<div style="{_MUTED};margin:6px 0 0 0">[{escape(mime)} of {len(content) // 1024:,} KB not shown]</div>'
        if mime == "text/html":
            return f'<div style="margin:8px 0 0 0;overflow-x:auto">{content}</div>'
        if mime.startswith("image/"):
            coded = base64.b64encode(content.encode()).decode() if mime == "image/svg+xml" else "".join(content.split())
            alt = escape(str(data.get("text/plain", "picture"))[:120])
            paper = "background:#ffffff;border-radius:6px" if mime != "image/jpeg" else "border-radius:6px"
            return f'<img src="data:{mime};base64,{coded}" alt="{alt}" style="max-width:100%;height:auto;margin:8px 0 0 0;{paper}">'
        return f'<pre style="{_BLOCK}">{escape(content)}</pre>'
    return "".join(f'<div style="{_MUTED}">[{escape(mime)} is shown only where it was made]</div>' for mime in list(data)[:1])
