"""What every node type promises, whatever it does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nbflow.catalogue.registry import Registry, module_of
from nbflow.core.node import NodeType

TESTS = Path(__file__).parent
REGISTRY = Registry()
BUILTIN = [type_ for type_ in REGISTRY.types() if type_.partition(".")[0] in {"trigger", "action", "logic", "data"}]


@pytest.fixture(params=BUILTIN)
def declared(request: pytest.FixtureRequest) -> NodeType:
    return REGISTRY.get(request.param)


def test_the_file_is_named_after_the_type(declared: NodeType) -> None:
    assert declared.function.__module__ == module_of(declared.type)


def test_the_module_declares_one_type(declared: NodeType) -> None:
    module = sys.modules[module_of(declared.type)]
    assert [value for value in vars(module).values() if isinstance(value, NodeType)] == [declared]


def test_it_has_a_test_file(declared: NodeType) -> None:
    group, _, rest = declared.type.partition(".")
    assert (TESTS / group / f"test_{rest.replace('.', '_')}.py").is_file()


def test_the_palette_text_is_one_short_sentence(declared: NodeType) -> None:
    assert 10 <= len(declared.summary) <= 72
    assert declared.summary.endswith(".")
    assert declared.summary[0].isupper()


def test_every_field_is_described(declared: NodeType) -> None:
    schema = declared.config.model_json_schema()
    for model in (schema, *schema.get("$defs", {}).values()):
        for name, field in model.get("properties", {}).items():
            assert field.get("description", "").endswith("."), f"{model['title']}.{name}"


def test_the_config_is_frozen_and_refuses_unknown_keys(declared: NodeType) -> None:
    assert declared.config.model_config["frozen"] is True
    assert declared.config.model_config["extra"] == "forbid"


def test_the_config_has_a_json_schema_that_is_json(declared: NodeType) -> None:
    schema = json.loads(json.dumps(declared.config.model_json_schema()))
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False


def test_no_field_hides_a_method_of_the_model(declared: NodeType) -> None:
    from pydantic import BaseModel

    assert not [name for name in declared.config.model_fields if hasattr(BaseModel, name)]


def test_ports_and_joins_are_found_for_any_config(declared: NodeType) -> None:
    """The checker asks before it knows whether the config is right."""
    for config in ({}, {"rules": 3, "outputs": "x", "wait": []}, {"rules": [None, {"output": 4}]}):
        assert all(isinstance(port, str) for port in declared.outputs_of(config))
        assert declared.join_of(config) in {"all", "live", "any"}


def test_containers_and_triggers_are_known_by_their_names(declared: NodeType) -> None:
    assert declared.container == declared.type.startswith("logic.loop.")
    assert declared.trigger == declared.type.startswith("trigger.")


def test_every_file_of_a_group_declares_a_type() -> None:
    import nbflow.catalogue

    root = Path(nbflow.catalogue.__file__).parent
    files = {f"nbflow.catalogue.{path.parent.name}.{path.stem}" for path in root.glob("*/*.py") if not path.name.startswith("_")}
    assert files == {module_of(type_) for type_ in REGISTRY.types() if module_of(type_) in files}


def test_importing_every_type_imports_nothing_heavy() -> None:
    code = f"""
import sys
from nbflow.catalogue.registry import Registry
registry = Registry()
for type_ in {BUILTIN!r}:
    registry.get(type_)
heavy = ["duckdb", "pandas", "pyarrow", "numpy", "httpx", "httpcore", "openpyxl", "jmespath", "jinja2", "cronsim"]
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"


def test_listing_the_types_imports_none_of_them() -> None:
    code = """
import sys
from nbflow.catalogue.registry import Registry
Registry().types()
print([name for name in sys.modules if name.startswith("nbflow.catalogue.")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "['nbflow.catalogue.registry']"
