"""The picture of a flow as one SVG text: cards with states, joined by edges.

It is shown inside an `<img>`, because notebooks drop inline SVG from outputs that are not trusted. There the page's CSS does not
reach it; `prefers-color-scheme` does, and browsers take it from the page around the image.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING

from nbflow.core.scopes import node_references
from nbflow.display.layout import CARDS, DOTS, Box, Placement, place
from nbflow.display.look import GROUP_COLOURS, LOOKS, look_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbflow.core.flow import Edge, Flow, Node
    from nbflow.display.layout import Point

MAX_CARDS = 150  # more nodes are drawn as small boxes without text
MAX_DOTS = 1500  # more nodes are only counted
_MARGIN = 10
_COUNTED = (800, 46)  # size of the card that stands for too many nodes
_FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_STYLE = (
    f"text{{{_FONT}}}"
    ".c{fill:#fff;stroke:#d3d9e2}.i{fill:#1f2733;font-size:13px;font-weight:600}.t{fill:#6b7686;font-size:10.5px}"
    ".e{fill:none;stroke:#98a2b1;stroke-width:1.5}.a{fill:#98a2b1}.x{stroke-dasharray:3 4}.o{opacity:.4}"
    ".l{fill:#f4f6f9;stroke:#c9d1dc;stroke-dasharray:5 4}.p{fill:#5b6575;font-size:10px;font-weight:600}.b{fill:#fff;stroke:#d3d9e2}"
    "@media (prefers-color-scheme:dark){"
    ".c{fill:#262b33;stroke:#434b57}.i{fill:#e8ecf2}.t{fill:#9aa5b5}.e{stroke:#6d7786}.a{fill:#6d7786}"
    ".l{fill:#1d2128;stroke:#434b57}.p{fill:#b3bdcb}.b{fill:#262b33;stroke:#434b57}}"
)
_ICONS = {  # in a square of 16, drawn with a white line
    "trigger": "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z",
    "action": "M4 2.5v11l9-5.5z",
    "ai": "M8 1.5 9.6 6.4 14.5 8 9.6 9.6 8 14.5 6.4 9.6 1.5 8 6.4 6.4z",
    "logic": "M2 8h4l4-4.5h4M6 8l4 4.5h4",
    "data": "M2.5 3.5h11v9h-11zM2.5 7h11M6.5 3.5v9",
    "communication": "M2 3.5h12v9H2zM2 4l6 5 6-5",
    "integration": "M5.5 2v4M10.5 2v4M3.5 6h9v2.5a4.5 4.5 0 0 1-9 0zM8 13v2",
    "python": "M5.5 4 2 8l3.5 4M10.5 4 14 8l-3.5 4",
}
_OTHER_ICON = "M3 3h10v10H3z"


def svg(
    flow: Flow,
    statuses: Mapping[str, str] | None = None,
    details: Mapping[str, str] | None = None,
    *,
    placement: Placement | None = None,
) -> str:
    """The drawing of a flow. `statuses` by node id (see core/states.py); `details` are short texts on the cards: "1.2 s", "12/40".

    A `placement` from an earlier `place_of(flow)` saves the layout's time.
    """
    if len(flow.nodes) > MAX_DOTS:
        return _counted(describe(flow, statuses or {}))
    placement = placement or place_of(flow)
    condensed = len(flow.nodes) > MAX_CARDS
    ports = _Ports(flow, placement)
    states = statuses or {}
    parts = [*_loops(flow, placement, states, details or {}, condensed=condensed), *_edges(flow, placement, ports, states, condensed=condensed)]
    for node in flow.nodes:
        box = placement.boxes[node.id]
        if not box.container:
            draw = _dot if condensed else _card
            parts.append(draw(node, box, states.get(node.id, ""), (details or {}).get(node.id, "")))
    if not condensed:
        parts += _port_labels(ports)
    width, height = size_of(placement)
    title = escape(describe(flow, states))
    icons = "".join(_symbol(group) for group in sorted({_group(node) for node in flow.nodes}))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="{-_MARGIN} {-_MARGIN} {width} {height}" '
        f'role="img" aria-label="{title}"><title>{title}</title><style>{_STYLE}</style><defs>{icons}'
        '<marker id="m" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="a" d="M0 .8 7.2 4 0 7.2z"/></marker></defs>'
        f"{''.join(parts)}</svg>"
    )


def img(
    flow: Flow,
    statuses: Mapping[str, str] | None = None,
    details: Mapping[str, str] | None = None,
    *,
    placement: Placement | None = None,
) -> str:
    """The drawing as an `<img>` with a data URI, for `_repr_html_`; it shrinks to the page's width."""
    placement = placement or place_of(flow)
    width, height = size_of(placement)
    data = base64.b64encode(svg(flow, statuses, details, placement=placement).encode()).decode()
    alt = escape(describe(flow, statuses or {}))
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{alt}" width="{width}" height="{height}" style="max-width:100%;height:auto;margin:0">'


def place_of(flow: Flow) -> Placement:
    """The layout that `svg` and `img` use for this flow."""
    if len(flow.nodes) > MAX_DOTS:
        return Placement(width=_COUNTED[0], height=_COUNTED[1])
    return place(flow, DOTS if len(flow.nodes) > MAX_CARDS else CARDS)


def size_of(placement: Placement) -> tuple[int, int]:
    """Width and height of the drawing in pixels."""
    return round(placement.width) + 2 * _MARGIN, round(placement.height) + 2 * _MARGIN


def describe(flow: Flow, statuses: Mapping[str, str]) -> str:
    """The drawing in one sentence, for those who cannot see it."""
    counts: dict[str, int] = defaultdict(int)
    for node in flow.nodes:
        if node.id in statuses:
            counts[look_of(statuses[node.id]).word] += 1
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    return f"Flow {flow.name}: {len(flow.nodes)} node{'s' * (len(flow.nodes) != 1)}" + (f" ({told})" if told else "")


def _counted(text: str) -> str:
    width, height = _COUNTED[0] + 2 * _MARGIN, _COUNTED[1] + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><title>{escape(text)}</title><style>{_STYLE}</style>'
        f'<rect class="c" x="10" y="10" width="{_COUNTED[0]}" height="{_COUNTED[1]}" rx="10"/>'
        f'<text class="i" x="26" y="38">{escape(_shorter(text, 110))}</text></svg>'
    )


# Nodes ------------------------------------------------------------------------------------------


def _group(node: Node) -> str:
    return node.type.partition(".")[0]


def _colour(node: Node) -> str:
    return GROUP_COLOURS.get(_group(node), "#64748b")


def _symbol(group: str) -> str:
    path = _ICONS.get(group, _OTHER_ICON)
    return (
        f'<symbol id="g-{escape(group)}" viewBox="0 0 16 16"><path d="{path}" fill="none" stroke="#fff" stroke-width="1.5" '
        'stroke-linejoin="round" stroke-linecap="round"/></symbol>'
    )


def _shorter(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _type_text(node: Node) -> str:
    return "python" if node.type == "python.function" else node.type


def _card(node: Node, box: Box, status: str, detail: str) -> str:
    x, y, width, height = box.x, box.y, box.width, box.height
    look = look_of(status)
    shown = bool(status) and status != "pending"
    faded = ' opacity=".5"' if status == "skipped" or node.settings.disabled else ""
    edge = f' style="stroke:{look.colour};stroke-width:1.6"' if shown and status != "skipped" else ""
    dash = ' stroke-dasharray="4 3"' if status == "skipped" else ""
    kind = _shorter(_type_text(node), 22 - len(detail) if detail else 24)
    parts = [
        f"<g{faded}><title>{escape(_tooltip(node, status, detail))}</title>",
        f'<rect class="c" x="{x:.1f}" y="{y:.1f}" width="{width:.0f}" height="{height:.0f}" rx="10"{dash}{edge}/>',
    ]
    if shown and status != "skipped":
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.0f}" height="{height:.0f}" rx="10" fill="{look.colour}" opacity=".07"/>')
    parts += [
        f'<rect x="{x + 10:.1f}" y="{y + 12:.1f}" width="30" height="30" rx="8" fill="{_colour(node)}"/>',
        f'<use href="#g-{escape(_group(node))}" x="{x + 17:.1f}" y="{y + 19:.1f}" width="16" height="16"/>',
        f'<text class="i" x="{x + 49:.1f}" y="{y + 24:.1f}">{escape(_shorter(node.id, 14 if shown else 18))}</text>',
        f'<text class="t" x="{x + 49:.1f}" y="{y + 41:.1f}">{escape(kind)}</text>',
    ]
    if detail:
        parts.append(f'<text class="t" x="{x + width - 11:.1f}" y="{y + 41:.1f}" text-anchor="end">{escape(_shorter(detail, 14))}</text>')
    if shown:
        parts.append(_badge(x + width - 18, y + 19, status))
    return "".join(parts) + "</g>"


def _badge(x: float, y: float, status: str) -> str:
    """A disc with a drawn symbol: fonts differ, lines do not."""
    lines = {
        "completed": "M-3.2 .2-1 2.6 3.4-2.4",
        "failed": "M-2.6-2.6 2.6 2.6M2.6-2.6-2.6 2.6",
        "running": "M-1.6-3 3 0-1.6 3z",
        "waiting": "M0-3V.4L2.2 2",
        "cancelled": "M-3 0H3",
        "skipped": "M-3.4-2.4-.8 0-3.4 2.4M.6-2.4 3.2 0 .6 2.4",
    }
    path = lines.get(status, "")
    return (
        f'<g transform="translate({x:.1f} {y:.1f})"><circle r="7.5" fill="{look_of(status).colour}"/>'
        f'<path d="{path}" fill="{"#fff" if status == "running" else "none"}" stroke="#fff" stroke-width="1.7" '
        'stroke-linecap="round" stroke-linejoin="round"/></g>'
    )


def _dot(node: Node, box: Box, status: str, detail: str) -> str:
    look = look_of(status)
    fill = look.colour if status and status != "pending" else _colour(node)
    opacity = ".35" if status in {"", "pending", "skipped"} else "1"
    failed = ' stroke="#fff" stroke-width="2"' if status == "failed" else ""
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.0f}" height="{box.height:.0f}" rx="4" fill="{fill}" opacity="{opacity}"{failed}>'
        f"<title>{escape(_tooltip(node, status, detail))}</title></rect>"
    )


def _tooltip(node: Node, status: str, detail: str) -> str:
    return " · ".join(filter(None, [node.id, _type_text(node), look_of(status).word if status else "", detail, node.settings.notes[:200]]))


def _loops(flow: Flow, placement: Placement, statuses: Mapping[str, str], details: Mapping[str, str], *, condensed: bool) -> Iterator[str]:
    nodes = {node.id: node for node in flow.nodes}
    for name, box in placement.boxes.items():
        if not box.container:
            continue
        node, status = nodes[name], statuses.get(name, "")
        shown = bool(status) and status not in {"pending", "skipped"}
        edge = f' style="stroke:{look_of(status).colour}"' if shown else ""
        faded = ' opacity=".55"' if status == "skipped" else ""
        yield f"<g{faded}><title>{escape(_tooltip(node, status, details.get(name, '')))}</title>"
        yield f'<rect class="l" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="12"{edge}/>'
        if not condensed:
            text = _type_text(node) + (f" · {details[name]}" if details.get(name) else "")
            yield f'<rect x="{box.x + 10:.1f}" y="{box.y + 10:.1f}" width="24" height="24" rx="7" fill="{_colour(node)}"/>'
            yield f'<use href="#g-{escape(_group(node))}" x="{box.x + 15:.1f}" y="{box.y + 15:.1f}" width="14" height="14"/>'
            room = max(10, int((box.width - 70) / 7.2))
            yield f'<text class="i" x="{box.x + 42:.1f}" y="{box.y + 20:.1f}">{escape(_shorter(name, room))}</text>'
            yield f'<text class="t" x="{box.x + 42:.1f}" y="{box.y + 33:.1f}">{escape(_shorter(text, room + 4))}</text>'
            if status and status != "pending":
                yield _badge(box.x + box.width - 19, box.y + 19, status)
        yield "</g>"


# Edges ------------------------------------------------------------------------------------------


class _Ports:
    """Where edges leave and enter: the ports of a node side by side down its edge; a loop's inner ports on its inner walls."""

    def __init__(self, flow: Flow, placement: Placement) -> None:
        self.boxes = placement.boxes
        self.parents = {node.id: node.parent for node in flow.nodes}
        self.outs: dict[str, list[str]] = defaultdict(list)
        self.ins: dict[str, list[str]] = defaultdict(list)
        for edge in flow.edges:
            if not self.is_inside(edge.source, edge.target) and edge.source_port not in self.outs[edge.source]:
                self.outs[edge.source].append(edge.source_port)
            if not self.is_inside(edge.target, edge.source) and edge.target_port not in self.ins[edge.target]:
                self.ins[edge.target].append(edge.target_port)
        for ports in self.outs.values():
            ports.sort(key=lambda port: {"true": 0, "false": 1}.get(port, 0))

    def is_inside(self, loop: str, node: str) -> bool:
        return self.parents.get(node) == loop

    def leave(self, edge: Edge) -> Point:
        box = self.boxes[edge.source]
        if self.is_inside(edge.source, edge.target):
            return box.x, self._clamped(box, self.boxes[edge.target])
        return box.x + box.width, self._along(box, self.outs[edge.source], edge.source_port)

    def enter(self, edge: Edge) -> Point:
        box = self.boxes[edge.target]
        if self.is_inside(edge.target, edge.source):
            return box.x + box.width, self._clamped(box, self.boxes[edge.source])
        return box.x, self._along(box, self.ins[edge.target], edge.target_port)

    @staticmethod
    def _along(box: Box, ports: Sequence[str], port: str) -> float:
        if len(ports) < 2 or port not in ports:  # noqa: PLR2004
            return box.y + box.height / 2
        step = min(20.0, box.height / (len(ports) + (0 if len(ports) == 2 else 1)))  # noqa: PLR2004
        return box.y + box.height / 2 + (ports.index(port) - (len(ports) - 1) / 2) * step

    @staticmethod
    def _clamped(outer: Box, inner: Box) -> float:
        return min(max(inner.y + inner.height / 2, outer.y + 10), outer.y + outer.height - 10)


def _edges(flow: Flow, placement: Placement, ports: _Ports, statuses: Mapping[str, str], *, condensed: bool) -> Iterator[str]:
    drawn: set[tuple[str, str]] = set()
    levels = _routes(flow, placement)
    for edge in flow.edges:
        if edge.source not in placement.boxes or edge.target not in placement.boxes:
            continue
        drawn.add((edge.source, edge.target))
        dead = statuses.get(edge.source) == "skipped" or (statuses.get(edge.target) == "skipped")
        marker = "" if condensed else ' marker-end="url(#m)"'
        points = [ports.leave(edge), *levels.get((edge.source, edge.target), ()), ports.enter(edge)]
        yield f'<path class="e{" x o" if dead else ""}" d="{_path(points, placement)}"{marker}/>'
    if condensed:
        return
    for source, target in _references(flow):
        if (source, target) not in drawn and source in placement.boxes:
            start, end = placement.boxes[source], placement.boxes[target]
            passed = levels.get((source, target), ())
            points = [(start.x + start.width, start.y + start.height / 2), *passed, (end.x, end.y + end.height / 2)]
            yield f'<path class="e x o" d="{_path(points, placement)}"><title>{escape(target)} reads {escape(source)}</title></path>'


def _routes(flow: Flow, placement: Placement) -> dict[tuple[str, str], list[Point]]:
    """Points that an edge passes, for edges whose ends lie side by side (others go straight)."""
    parents = {node.id: node.parent for node in flow.nodes}
    return {link: points for link, points in placement.routes.items() if parents.get(link[0]) == parents.get(link[1])}


def _path(points: Sequence[Point], placement: Placement) -> str:
    x, y = points[0]
    commands = [f"M{x:.1f} {y:.1f}"]
    for x2, y2 in points[1:]:
        if x2 > x + 2:
            bend = max(14.0, (x2 - x) / 2)
            straight = abs(y2 - y) < 0.5  # noqa: PLR2004
            commands.append(f"H{x2:.1f}" if straight else f"C{x + bend:.1f} {y:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}")
        elif abs(x2 - x) > 2:  # noqa: PLR2004
            commands.append(_back(y, x2, y2, placement))
        x, y = x2, y2
    return "".join(commands)


def _back(y: float, x2: float, y2: float, placement: Placement) -> str:
    """From the end of one band to the start of the next: out, down between the bands, back to the left, in."""
    middle = next((gutter for gutter in placement.gutters if gutter > y), (y + y2) / 2)
    r = min(10.0, abs(middle - y) / 2, abs(y2 - middle) / 2)
    down, up = (1 if middle > y else -1), (1 if y2 > middle else -1)
    return (
        f"h6q{r:.1f} 0 {r:.1f} {down * r:.1f}V{middle - down * r:.1f}q0 {down * r:.1f} {-r:.1f} {down * r:.1f}"
        f"H{x2 - 20 + r:.1f}q{-r:.1f} 0 {-r:.1f} {up * r:.1f}V{y2 - up * r:.1f}q0 {up * r:.1f} {r:.1f} {up * r:.1f}H{x2:.1f}"
    )


def _references(flow: Flow) -> Iterator[tuple[str, str]]:
    """Pairs (node named in an expression, node whose config has the expression)."""
    for node in flow.nodes:
        yield from ((name, node.id) for name in sorted(node_references(node)) if name != node.id)


def _port_labels(ports: _Ports) -> Iterator[str]:
    """Names of ports where there is a choice."""
    for name, names in ports.outs.items():
        box = ports.boxes.get(name)
        if box is None or names in ([], ["output"]):
            continue
        for port in names:
            colour = {"true": LOOKS["completed"].colour, "false": LOOKS["failed"].colour, "error": LOOKS["failed"].colour}.get(port)
            y = ports._along(box, names, port)  # noqa: SLF001  the same file
            text = _shorter(port, 7)
            width = 6.1 * len(text) + 10
            x = box.x + box.width + 3
            style = f' style="fill:{colour}"' if colour else ""
            yield f'<rect class="b" x="{x:.1f}" y="{y - 7.5:.1f}" width="{width:.1f}" height="15" rx="7.5"/>'
            yield f'<text class="p" x="{x + width / 2:.1f}" y="{y + 3.5:.1f}" text-anchor="middle"{style}>{escape(text)}</text>'
