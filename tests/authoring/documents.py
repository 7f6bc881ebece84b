"""Flow documents made by hypothesis: all node types, loops in loops, settings, nasty names and texts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from nbflow.catalogue.registry import Registry
from nbflow.core.flow import Edge, Flow, FlowSettings, Node, NodeSettings, Output, Retry

REGISTRY = Registry()
NASTY_IDS = ["class", "print", "nf", "flow", "node", "item", "index", "f", "number", "a_", "_", "é", "my node", "2x", "id", "step", "step_2", "merge"]
NASTY_TEXTS = ['"""', "'''", '"', "\\", "\\N{DASH}", '" + evil() + "', "a\nb\nc", 'x"""\ny\n', "\r\n", "\u202e", "\x00", "{", "}"]
SYMBOLS = ["{{ params.count }}", "{{ params.count['a'][0] }}", "to {{ params.count }}: {{ item }}", "{{ item['x'] }}", "{{ index }}", "{{ nodes.a }}"]
PORTS = ["small", "not paid", "source", "port", "_x", "a_", "in", "é", "item"]

ids = st.one_of(st.sampled_from(NASTY_IDS), st.from_regex(r"[a-z][a-z0-9_]{0,7}", fullmatch=True))
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(NASTY_TEXTS),
    st.lists(st.sampled_from([*NASTY_TEXTS, "word", " "]), max_size=40).map("".join),
    st.sampled_from(
        ["{{ params.count }}", "{{ params.count['a'][0] }}", "to {{ params.count }}: {{ item }}", "{{ item['x'] }}", "{{ index }}", "{{ nodes.a }}"]
    ),
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
durations = st.one_of(
    st.integers(1, 1000).map(lambda seconds: timedelta(seconds=seconds)), st.integers(1, 10**15).map(lambda micro: timedelta(microseconds=micro))
)
retries = st.builds(
    Retry,
    max_tries=st.integers(1, 9),
    wait=durations,
    backoff=st.floats(0.1, 9),
    max_wait=st.just(timedelta(minutes=1)) | durations,
    jitter=st.just(0.1) | st.floats(0, 1),
)
settings = st.one_of(
    st.just(NodeSettings()),
    st.builds(
        NodeSettings,
        retry=st.none() | retries | st.integers(1, 9).map(lambda tries: Retry(max_tries=tries)),
        timeout=st.none() | durations,
        on_error=st.sampled_from(["stop", "continue", "output"]),
        each=st.booleans(),
        concurrency=st.none() | st.integers(1, 9),
        disabled=st.booleans(),
        notes=texts,
    ),
)

FUNCTIONS = {  # parameters, outputs
    "f": (("x", "y"), ("output",)),
    "step": (("value", "other", "class_"), ("output",)),
    "split": (("value",), ("left", "right")),
    "print": (("a",), ("output",)),
}

PARAMETERS: list[dict[str, Any]] = [
    {},
    {"additionalProperties": False, "properties": {"count": {"default": 3, "title": "count", "type": "integer"}}, "type": "object"},
    {
        "type": "object",
        "properties": {"count": {"type": "integer", "minimum": 1, "x-unit": "rows"}, "not a name": {}, "class": {}},
        "required": ["count"],
    },
    {
        "additionalProperties": False,
        "properties": {
            "mode": {"enum": ["a", 'b"'], "title": "mode", "type": "string", "default": "a"},
            "count": {"title": "count", "type": "integer", "minimum": 1, "description": "How\nmany."},
            "nf": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}], "default": None, "title": "nf"},
            "f": {"title": "f", "format": "date", "type": "string"},
        },
        "required": ["count", "f"],
        "type": "object",
    },
]


@st.composite
def configs(draw: Any, type_: str) -> dict[str, Any]:
    """Fields of the type with values of their JSON Schema, or anything at all."""
    model = REGISTRY.get(type_).config
    assert model is not None
    schema = model.model_json_schema()
    config: dict[str, Any] = {}
    for name, part in schema.get("properties", {}).items():
        if draw(st.booleans()):
            config[name] = draw(_of_schema(part, schema))
    if type_ == "logic.switch":
        config["rules"] = [{"output": draw(st.sampled_from(PORTS)), "condition": "input"}]
        config.pop("outputs", None)
    if draw(st.integers(0, 9)) == 0:
        config[draw(st.sampled_from(["self", "no such", "class", "x", "é"]))] = draw(values)
    return config


def _of_schema(part: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in part or "anyOf" in part or "default" not in part:
        return values
    if "enum" in part:
        return st.sampled_from(part["enum"])
    by_type: dict[str, st.SearchStrategy[Any]] = {"integer": st.integers(0, 9), "boolean": st.booleans(), "string": texts}
    return st.one_of(st.just(part["default"]), by_type.get(part.get("type", ""), values))


@st.composite
def flows(draw: Any) -> Flow:  # noqa: C901 -- what it makes is a tree
    """In the order in which code draws: each node after what it needs, bodies behind their loops, edges by target and port."""
    nodes: list[Node] = []
    edges: list[Edge] = []
    taken: set[str] = set()

    def fresh() -> str:
        id_ = draw(ids.filter(lambda id_: id_ not in taken))
        taken.add(id_)
        return str(id_)

    def outputs(node: Node) -> list[str]:
        error = ["error"] if node.settings.on_error == "output" else []
        if node.type == "python.function":
            return [*FUNCTIONS[node.config["function"].partition(":")[2]][1], *error]
        return [*REGISTRY.get(node.type).outputs_of(node.config), *error]

    def sources(visible: list[Node], loops: list[str]) -> list[tuple[str, str]]:
        return [(node.id, port) for node in visible for port in outputs(node)] + [(loop, port) for loop in loops for port in ("item", "index")]

    def edge(visible: list[Node], loops: list[str], target: str, port: str) -> bool:
        found = sources(visible, loops)
        if not found or draw(st.integers(0, 3)) == 0:
            return False
        source, source_port = draw(st.sampled_from(found))
        path = draw(st.just(()) | st.lists(texts | st.integers(-2, 9), max_size=2).map(tuple))
        edges.append(Edge(source=source, source_port=source_port, target=target, target_port=port, path=path))
        return True

    def scope(parent: str | None, visible: list[Node], loops: list[str], most: int) -> None:
        own: list[Node] = []
        for _ in range(draw(st.integers(1, most))):
            type_ = draw(st.sampled_from(["python.function", "python.function", "logic.loop.foreach", *REGISTRY.types()]))
            id_ = fresh()
            if type_ == "python.function":
                name = draw(st.sampled_from(sorted(FUNCTIONS)))
                linked = {port for port in FUNCTIONS[name][0] if edge([*visible, *own], loops, id_, port)}
                args = {port: draw(values) for port in FUNCTIONS[name][0] if port not in linked and draw(st.booleans())}
                config = {"function": f"__main__:{name}", **({"args": args} if args else {})}
                node = Node(id=id_, type=type_, config=config, parent=parent, settings=draw(settings))
            else:
                declared = REGISTRY.get(type_)
                config = draw(configs(type_))
                for port in declared.inputs:
                    for _ in range(draw(st.integers(1, 3)) if port.many else 1):
                        edge([*visible, *own], loops, id_, port.name)
                node = Node(id=id_, type=type_, config=config, parent=parent, settings=draw(settings))
            nodes.append(node)
            if type_ != "python.function" and REGISTRY.get(type_).container and len(loops) < 3:
                before = len(nodes)
                scope(id_, [*visible, *own], [*loops, id_], 3)
                inside = [item for item in nodes[before:] if item.parent == id_]
                choices = [(item.id, port) for item in inside for port in outputs(item)]
                if choices and draw(st.booleans()):
                    source, port = draw(st.sampled_from(choices))
                    edges.append(Edge(source=source, source_port=port, target=id_, target_port="result", path=draw(st.just(()) | st.just(("a", 0)))))
            own.append(node)

    scope(None, [], [], 5)
    top = sources([node for node in nodes if node.parent is None], [])
    chosen = draw(st.dictionaries(texts, st.sampled_from(top), max_size=3)) if top else {}
    return Flow(
        name=draw(st.sampled_from(["f", "orders", "my flow", "class", "", 'x"""', "nf", "count", "Any"])),
        description=draw(texts | st.just("First.\n\n    Indented.\nLast.")),
        parameters=draw(st.sampled_from(PARAMETERS)),
        nodes=tuple(nodes),
        edges=tuple(edges),
        outputs={name: Output(node=node, port=port) for name, (node, port) in chosen.items()},
        settings=draw(
            st.just(FlowSettings())
            | st.builds(FlowSettings, concurrency=st.integers(1, 99), timeout=st.none() | durations, vars=st.dictionaries(texts, values, max_size=2))
        ),
    )
