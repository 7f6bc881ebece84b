"""Where the boxes of a flow go: layers from left to right, loops as boxes around their body, long flows wrapped into bands.

Sugiyama's steps, kept small: longest-path layers, a stand-in for an edge in each layer that it passes, a few barycentre
sweeps against crossings, and heights by isotonic regression (nearest to the neighbours' mean without overlap).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from nbflow.core.scopes import node_references

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbflow.core.flow import Flow

_TURN = 24.0  # room left and right of bands for edges that go back

Point = tuple[float, float]
Link = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measures:
    """Sizes in pixels."""

    card: tuple[float, float] = (200, 54)
    gap_x: float = 40
    gap_y: float = 18
    lane: float = 14  # height kept free for an edge that passes a layer
    band_width: float = 1180  # wider flows continue below
    band_gap: float = 40
    loop_padding: tuple[float, float, float, float] = (46, 34, 18, 34)  # top, right, bottom, left


CARDS = Measures()
DOTS = Measures(card=(24, 14), gap_x=20, gap_y=6, lane=4, band_gap=24, loop_padding=(8, 8, 8, 8))


@dataclass(kw_only=True, slots=True)
class Box:
    """One node's place; `container` when it holds other boxes. Pixels from the drawing's top left corner."""

    x: float
    y: float
    width: float
    height: float
    container: bool = False
    depth: int = 0


@dataclass(kw_only=True, slots=True)
class Placement:
    """All boxes by node id, in drawing order (outer before inner), and the points that long edges pass."""

    boxes: dict[str, Box] = field(default_factory=dict)
    routes: dict[Link, list[Point]] = field(default_factory=dict)
    gutters: list[float] = field(default_factory=list)  # heights between bands, where edges go back to the left
    width: float = 0
    height: float = 0


_Neighbours = defaultdict[object, list[object]]


def layout(flow: Flow) -> dict[str, Point]:
    """Top left corners by node id, as `flow.layout` holds them: nodes inside a loop relative to the loop."""
    placed = place(flow, use_layout=False)
    parents = {node.id: node.parent for node in flow.nodes}
    result = {}
    for name, box in placed.boxes.items():
        outer = placed.boxes.get(parents[name] or "")
        result[name] = (round(box.x - (outer.x if outer else 0), 1), round(box.y - (outer.y if outer else 0), 1))
    return result


def place(flow: Flow, measures: Measures = CARDS, *, use_layout: bool = True) -> Placement:
    """Computes the drawing. Positions from `flow.layout` win where all nodes side by side have one and do not overlap."""
    ids = {node.id for node in flow.nodes}
    children: dict[str | None, list[str]] = defaultdict(list)
    parent: dict[str, str | None] = {}
    for node in flow.nodes:
        parent[node.id] = node.parent if node.parent in ids and node.parent != node.id else None
        children[parent[node.id]].append(node.id)
    links = _links_by_level(flow, parent)
    given = flow.layout if use_layout else {}
    sizes: dict[str, tuple[float, float]] = {}
    levels: dict[str | None, _Level] = {}

    for level in _innermost_first(children):  # a loop's size is known once its body is arranged
        arranged = _Level(children[level], sizes, links[level], measures, wrap=level is None)
        arranged.run(given)
        levels[level] = arranged
        if level is not None:
            top, right, bottom, left = measures.loop_padding
            sizes[level] = (max(arranged.width + left + right, measures.card[0]), arranged.height + top + bottom)

    placement = Placement()
    _collect(placement, levels, sizes, measures)
    return placement


def _innermost_first(children: Mapping[str | None, list[str]]) -> list[str | None]:
    order: list[str | None] = []
    stack: list[str | None] = [None]
    while stack:
        level = stack.pop()
        order.append(level)
        stack.extend(name for name in children[level] if name in children)
    return order[::-1]


def _links_by_level(flow: Flow, parent: Mapping[str, str | None]) -> dict[str | None, list[Link]]:
    """Each edge, and each node named in an expression, as a link between two boxes that lie side by side.

    These are the ends' nearest ancestors with a common parent.
    """
    links: dict[str | None, dict[Link, None]] = defaultdict(dict)
    named = ((source, node.id) for node in flow.nodes for source in sorted(node_references(node)))
    for start, end in (*((edge.source, edge.target) for edge in flow.edges), *named):
        if start not in parent or end not in parent:
            continue
        sources, targets = _ancestors(start, parent), _ancestors(end, parent)
        if start in targets or end in sources:
            continue  # between a loop and its own body
        common = next((item for item in sources if parent[item] in {parent[other] for other in targets}), None)
        if common is not None:
            other = next(item for item in targets if parent[item] == parent[common])
            links[parent[common]][common, other] = None
    return defaultdict(list, {level: list(found) for level, found in links.items()})


def _ancestors(name: str, parent: Mapping[str, str | None]) -> list[str]:
    chain: list[str] = []
    current: str | None = name
    while current is not None and current not in chain:
        chain.append(current)
        current = parent[current]
    return chain


def _collect(placement: Placement, levels: Mapping[str | None, _Level], sizes: Mapping[str, tuple[float, float]], measures: Measures) -> None:
    stack: list[tuple[str | None, float, float, int]] = [(None, 0, 0, 0)]
    while stack:
        level, left, top, depth = stack.pop()
        arranged = levels[level]
        for name, (x, y) in arranged.positions.items():
            width, height = sizes.get(name, measures.card)
            container = name in levels
            placement.boxes[name] = Box(x=left + x, y=top + y, width=width, height=height, container=container, depth=depth)
            if container:
                stack.append((name, left + x + measures.loop_padding[3], top + y + measures.loop_padding[0], depth + 1))
        for link, points in arranged.routes.items():
            placement.routes[link] = [(left + x, top + y) for x, y in points]
    placement.gutters = levels[None].gutters
    placement.width = max((box.x + box.width for box in placement.boxes.values()), default=0) + (2 * _TURN if placement.gutters else 0)
    placement.height = max((box.y + box.height for box in placement.boxes.values()), default=0)


class _Level:
    """Arranges boxes that lie side by side. Stand-ins of passing edges are tuples (source, target, layer)."""

    def __init__(self, names: Sequence[str], sizes: Mapping[str, tuple[float, float]], links: list[Link], measures: Measures, *, wrap: bool) -> None:
        self.names, self.sizes, self.links, self.measures, self.wrap = names, sizes, links, measures, wrap
        self.positions: dict[str, Point] = {}
        self.routes: dict[Link, list[Point]] = {}
        self.gutters: list[float] = []
        self.width = self.height = 0.0

    def size(self, item: object) -> tuple[float, float]:
        if isinstance(item, tuple):
            return 0, self.measures.lane
        return self.sizes.get(str(item), self.measures.card)

    def run(self, given: Mapping[str, Point]) -> None:
        if not self._take(given):
            layers, forward = self._layers()
            rows, before, after = self._with_lanes(layers, forward)
            _reduce_crossings(rows, before, after)
            self._set_positions(rows, before, after)
        self.width = max((x + self.size(name)[0] for name, (x, _) in self.positions.items()), default=0)
        self.height = max((y + self.size(name)[1] for name, (_, y) in self.positions.items()), default=0)

    def _take(self, given: Mapping[str, Point]) -> bool:
        if not self.names or any(name not in given for name in self.names):
            return False
        left, top = min(given[name][0] for name in self.names), min(given[name][1] for name in self.names)
        self.positions = {name: (given[name][0] - left, given[name][1] - top) for name in self.names}
        placed = sorted((x, y, *self.size(name)) for name, (x, y) in self.positions.items())
        for number, (x, y, width, height) in enumerate(placed):
            for x2, y2, _, height2 in placed[number + 1 :]:
                if x2 >= x + width:
                    break
                if y2 < y + height and y < y2 + height2:
                    self.positions = {}
                    return False
        return True

    def _layers(self) -> tuple[dict[str, int], list[Link]]:
        """Longest path from a source. In a cycle (an invalid flow is drawn too) the link that closes it is left out."""
        targets: dict[str, list[str]] = defaultdict(list)
        missing = dict.fromkeys(self.names, 0)
        for source, target in self.links:
            targets[source].append(target)
            missing[target] += 1
        layer = dict.fromkeys(self.names, 0)
        ready = [name for name in self.names if not missing[name]]
        waiting = dict.fromkeys(name for name in self.names if missing[name])
        done: set[str] = set()
        forward: list[Link] = []
        while ready or waiting:
            if not ready:
                ready.append(next(iter(waiting)))
                waiting.pop(ready[0])
            source = ready.pop()
            done.add(source)
            for target in targets[source]:
                if target in done:
                    continue
                forward.append((source, target))
                layer[target] = max(layer[target], layer[source] + 1)
                missing[target] -= 1
                if not missing[target] and target in waiting:
                    waiting.pop(target)
                    ready.append(target)
        has_before = {target for _, target in forward}
        for name in self.names:
            if name not in has_before and (near := [layer[target] for target in targets[name] if layer[target] > layer[name]]):
                layer[name] = max(0, min(near) - 1)  # beside the first one that needs it
        return layer, forward

    def _with_lanes(self, layers: Mapping[str, int], forward: Sequence[Link]) -> tuple[list[list[object]], _Neighbours, _Neighbours]:
        rows: list[list[object]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
        for name in self.names:
            rows[layers[name]].append(name)
        before, after = defaultdict[object, list[object]](list), defaultdict[object, list[object]](list)
        lanes = sum(layers[target] - layers[source] - 1 for source, target in forward) <= 4 * len(self.names) + 200
        for source, target in forward:
            chain: list[object] = [source]
            for number in range(layers[source] + 1, layers[target]) if lanes else ():
                chain.append((source, target, number))
                rows[number].append(chain[-1])
            chain.append(target)
            for one, other in pairwise(chain):
                after[one].append(other)
                before[other].append(one)
        return rows, before, after

    def _set_positions(self, rows: Sequence[list[object]], before: _Neighbours, after: _Neighbours) -> None:
        measures = self.measures
        bands: list[list[list[object]]] = [[]]
        width = 0.0
        for row in rows:
            step = max(self.size(item)[0] for item in row) + measures.gap_x
            if self.wrap and bands[-1] and width + step - measures.gap_x > measures.band_width:
                bands.append([])
                width = 0.0
            bands[-1].append(row)
            width += step
        top = 0.0
        left = _TURN if len(bands) > 1 else 0.0
        for band in bands:
            if top:
                self.gutters.append(top - measures.band_gap / 2)
            centres = self._heights(band, before, after)
            lowest = min((centres[item] - self.size(item)[1] / 2 for row in band for item in row), default=0)
            x = left
            for row in band:
                step = max(self.size(item)[0] for item in row)
                for item in row:
                    y = centres[item] - lowest + top
                    if isinstance(item, tuple):
                        self.routes.setdefault((item[0], item[1]), []).extend([(x, y), (x + step, y)])
                    else:
                        self.positions[str(item)] = (x, y - self.size(item)[1] / 2)
                x += step + measures.gap_x
            top += max((centres[item] - lowest + self.size(item)[1] / 2 for row in band for item in row), default=0) + measures.band_gap

    def _heights(self, band: Sequence[list[object]], before: _Neighbours, after: _Neighbours) -> dict[object, float]:
        """Centres, by a few sweeps that draw each box to the mean of its neighbours."""
        members = {item for row in band for item in row}
        centres: dict[object, float] = {}
        for row in band:
            y = 0.0
            for item in row:
                height = self.size(item)[1]
                centres[item] = y + height / 2
                y += height + self.measures.gap_y
            for item in row:
                centres[item] -= (y - self.measures.gap_y) / 2
        for sweep in range(8):
            forwards = sweep % 2 == 0
            for row in band if forwards else reversed(band):
                wished = []
                for item in row:
                    near = [centres[other] for other in (before if forwards else after)[item] if other in members]
                    wished.append(sum(near) / len(near) if near else centres[item])
                halves = [self.size(item)[1] / 2 for item in row]
                centres.update(zip(row, _apart(wished, halves, self.measures.gap_y), strict=True))
        return centres


def _reduce_crossings(rows: list[list[object]], before: _Neighbours, after: _Neighbours) -> None:
    place_of = {item: number for row in rows for number, item in enumerate(row)}
    for sweep in range(6):
        near = before if sweep % 2 == 0 else after
        for row in rows if sweep % 2 == 0 else reversed(rows):
            weight = {item: sum(place_of[other] for other in near[item]) / len(near[item]) if near[item] else place_of[item] for item in row}
            row.sort(key=weight.__getitem__)
            place_of.update((item, number) for number, item in enumerate(row))


def _apart(wished: Sequence[float], halves: Sequence[float], gap: float) -> list[float]:
    """Centres in the given order, `gap` apart, nearest to the wished ones (least squares: pool adjacent violators)."""
    offsets = [0.0]
    for one, other in pairwise(halves):
        offsets.append(offsets[-1] + one + gap + other)
    blocks: list[tuple[float, int]] = []  # mean of (wished - offset), members
    for wish, offset in zip(wished, offsets, strict=True):
        blocks.append((wish - offset, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (mean, count), (mean2, count2) = blocks[-2:]
            blocks[-2:] = [((mean * count + mean2 * count2) / (count + count2), count + count2)]
    means = [mean for mean, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
