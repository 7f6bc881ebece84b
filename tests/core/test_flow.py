"""The flow document."""

import json
import string
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.core.errors import DocumentError
from nbflow.core.flow import Edge, Flow, FlowSettings, Node, NodeSettings, Output, Retry

NAMES = st.text(string.ascii_letters + "_", min_size=1, max_size=5)
DURATIONS = st.timedeltas(timedelta(microseconds=1), timedelta(days=400))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=3)
PATHS = st.lists(st.text(max_size=3) | st.integers(0, 9), max_size=3).map(tuple)
SETTINGS = st.builds(
    NodeSettings,
    retry=st.none()
    | st.builds(Retry, max_tries=st.integers(1, 9), wait=DURATIONS, max_wait=DURATIONS, backoff=st.floats(1, 9), jitter=st.floats(0, 1)),
    timeout=st.none() | DURATIONS,
    on_error=st.sampled_from(["stop", "continue", "output"]),
    each=st.booleans(),
    concurrency=st.none() | st.integers(1, 9),
    disabled=st.booleans(),
    notes=st.text(max_size=9),
)
FLOWS = st.builds(
    Flow,
    name=NAMES,
    description=st.text(max_size=9),
    parameters=OBJECTS,
    nodes=st.lists(st.builds(Node, id=NAMES, type=NAMES, config=OBJECTS, parent=st.none() | NAMES, settings=SETTINGS), max_size=4).map(tuple),
    edges=st.lists(st.builds(Edge, source=NAMES, source_port=NAMES, target=NAMES, target_port=NAMES, path=PATHS), max_size=4).map(tuple),
    outputs=st.dictionaries(NAMES, st.builds(Output, node=NAMES, port=NAMES, path=PATHS), max_size=2),
    settings=st.builds(
        FlowSettings, concurrency=st.integers(1, 99), timeout=st.none() | DURATIONS, timezone=NAMES, keep_outputs=st.booleans(), vars=OBJECTS
    ),
    layout=st.dictionaries(NAMES, st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=3),
)


@given(FLOWS)
def test_a_flow_survives_its_text(flow):
    assert Flow.from_json(flow.to_json()) == flow


@given(FLOWS)
def test_the_text_is_canonical(flow):
    text = flow.to_json()
    assert Flow.from_json(text).to_json() == text
    assert text.endswith("}\n")


@given(FLOWS, st.dictionaries(NAMES, st.tuples(st.floats(-9, 9), st.floats(-9, 9)), max_size=3))
def test_the_hash_ignores_layout_and_key_order(flow, layout):
    assert replace(flow, layout=layout).hash == flow.hash
    shuffled = json.loads(json.dumps(flow.to_dict(), sort_keys=True))
    assert Flow.from_dict(shuffled).hash == flow.hash


def test_the_hash_notices_meaning():
    flow = Flow(name="a", nodes=(Node(id="x", type="t", config={"n": 1}),))
    assert flow.hash != Flow(name="a", nodes=(Node(id="x", type="t", config={"n": 2}),)).hash


def test_defaults_are_left_out():
    document = Flow(name="a", nodes=(Node(id="x", type="t"),), edges=(Edge(source="x", target="y"),)).to_dict()
    assert document == {"nbflow": 1, "name": "a", "nodes": [{"id": "x", "type": "t"}], "edges": [{"source": "x", "target": "y"}]}


def test_durations_are_iso_8601():
    flow = Flow(name="a", settings=FlowSettings(timeout=timedelta(minutes=1, milliseconds=500)))
    assert flow.to_dict()["settings"] == {"timeout": "PT60.5S"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"nbflow": 1,\n "name": }', "line 2 column 10"),
        ("[]", "JSON object, this is list"),
        ('{"name": "a"}', "no known document version"),
        ('{"nbflow": 2, "name": "a"}', "no known document version"),
        ('{"nbflow": 1}', "field 'name'"),
        ('{"nbflow": 1, "name": "a", "nods": []}', "field 'nods'"),
        ('{"nbflow": 1, "name": "a", "nodes": [{"id": "x"}]}', "node 'x', field 'type'"),
        (
            '{"nbflow": 1, "name": "a", "nodes": [{"id": "x", "type": "t", "settings": {"retry": {"max_tries": "no"}}}]}',
            "node 'x', field 'settings.retry.max_tries'",
        ),
        ('{"nbflow": 1, "name": "a", "nodes": [3]}', "node '0'"),
        ("\xff", "not JSON"),
    ],
)
def test_a_corrupt_document_says_where(text, message):
    with pytest.raises(DocumentError) as caught:
        Flow.from_json(text.encode("latin-1"), source="a.flow.json")
    assert message in str(caught.value)
    assert "a.flow.json" in str(caught.value)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_document_or_a_document_error(data):
    with pytest.raises(DocumentError):
        Flow.from_json(data)


@given(FLOWS, st.data())
def test_a_cut_document_is_a_document_error(flow, data):
    text = flow.to_json().rstrip()
    with pytest.raises(DocumentError):
        Flow.from_json(text[: data.draw(st.integers(0, len(text) - 1))])


def test_a_file_is_written_whole_and_read_back(tmp_path):
    flow = Flow(name="a", nodes=(Node(id="x", type="t"),))
    path = flow.save(tmp_path / "a.flow.json")
    assert Flow.load(path) == flow
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.flow.json"]
    with pytest.raises(DocumentError, match="cannot read"):
        Flow.load(tmp_path / "b.flow.json")


def test_the_schema_takes_what_is_written():
    import jsonschema

    flow = Flow(
        name="a",
        nodes=(Node(id="x", type="t", settings=NodeSettings(retry=Retry(max_tries=5))),),
        edges=(Edge(source="x", target="x", path=("a", 0)),),
    )
    jsonschema.validate(json.loads(flow.to_json()), Flow.json_schema())


def test_numbers_in_a_retry_are_seconds():
    retry = Retry(wait=0.5, max_wait=3)
    assert (retry.wait, retry.max_wait) == (timedelta(seconds=0.5), timedelta(seconds=3))
    flow = Flow(name="f", nodes=(Node(id="a", type="trigger.manual", settings=NodeSettings(retry=retry)),))
    assert Flow.from_dict(flow.to_dict()) == flow
