from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
from story import orders_flow

from nbflow.core.flow import Edge, Flow, Node
from nbflow.display.graph import img, place_of, svg
from nbflow.display.layout import layout


def chain(count: int) -> Flow:
    nodes = tuple(Node(id=f"n{number}", type="python.function") for number in range(count))
    return Flow(name="chain", nodes=nodes, edges=tuple(Edge(source=f"n{number}", target=f"n{number + 1}") for number in range(count - 1)))


def overlaps(one, other) -> bool:
    return one.x < other.x + other.width and other.x < one.x + one.width and one.y < other.y + other.height and other.y < one.y + one.height


def test_boxes_overlap_only_with_the_loop_they_are_in():
    flow = orders_flow()
    boxes = place_of(flow).boxes
    parents = {node.id: node.parent for node in flow.nodes}

    for one, other in combinations(boxes, 2):
        if parents[one] != other and parents[other] != one:
            assert not overlaps(boxes[one], boxes[other]), (one, other)
    loop, body = boxes["each_order"], boxes["enrich"]
    assert loop.x < body.x < body.x + body.width < loop.x + loop.width


def test_every_node_stands_right_of_what_it_needs():
    flow = chain(4)
    places = layout(flow)

    assert [places[node.id][0] for node in flow.nodes] == sorted(places[node.id][0] for node in flow.nodes)


def test_a_long_chain_continues_below():
    placement = place_of(chain(20))

    assert placement.width < 1400
    assert len({box.y for box in placement.boxes.values()}) > 1


def test_positions_of_the_document_win():
    flow = chain(2)
    flow = Flow(name="placed", nodes=flow.nodes, edges=flow.edges, layout={"n0": (50.0, 400.0), "n1": (350.0, 100.0)})

    boxes = place_of(flow).boxes

    assert (boxes["n1"].x - boxes["n0"].x, boxes["n1"].y - boxes["n0"].y) == (300, -300)


@pytest.mark.parametrize("count", [0, 1, 149, 500, 3000])
def test_flows_of_every_size_are_well_formed_pictures(count):
    drawing = svg(chain(count), {"n0": "failed"})

    root = ET.fromstring(drawing)
    assert root.find("{http://www.w3.org/2000/svg}title").text.startswith(f"Flow chain: {count} node")


def test_a_cycle_is_drawn_too():
    nodes = tuple(Node(id=name, type="x.y") for name in "ab")
    flow = Flow(name="invalid", nodes=nodes, edges=(Edge(source="a", target="b"), Edge(source="b", target="a"), Edge(source="b", target="ghost")))

    assert ET.fromstring(svg(flow)) is not None


def test_names_are_escaped():
    flow = Flow(name="<script>", nodes=(Node(id="a<b>&\"'", type="<i>.x"),))

    assert "<script>" not in svg(flow)
    ET.fromstring(svg(flow))


def test_an_image_tells_its_content_to_those_who_cannot_see_it():
    tag = img(orders_flow(), {"clean": "completed", "send": "failed"})

    assert 'alt="Flow daily-orders: 11 nodes (1 completed, 1 failed)"' in tag
    coded = re.search(r"base64,([^\"]+)", tag)[1]
    assert base64.b64decode(coded).startswith(b"<svg")
