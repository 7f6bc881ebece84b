import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from nbflow.catalogue import registry as registry_module
from nbflow.catalogue.registry import Registry
from nbflow.core.errors import DefinitionError, UnknownNodeTypeError
from nbflow.core.flow import Node
from nbflow.core.node import PYTHON_FUNCTION

PACKAGE = Path(__file__).parents[1] / "example_package"


def test_a_type_is_found_by_its_name() -> None:
    assert Registry().get("logic.loop.for").type == "logic.loop.for"
    assert Registry().resolve(Node(id="a", type="logic.if")).type == "logic.if"


def test_groups_come_in_the_order_of_the_palette() -> None:
    groups = Registry().groups()
    assert groups[:2] == ("trigger", "action")
    assert groups.index("logic") < groups.index("data")


@pytest.mark.parametrize(("wrong", "right"), [("action.htpp", "action.http"), ("data.loop.foreach", "logic.loop.foreach")])
def test_a_misspelt_type_gets_a_suggestion(wrong: str, right: str) -> None:
    with pytest.raises(UnknownNodeTypeError) as caught:
        Registry().get(wrong)
    assert right in caught.value.suggestions
    assert right in str(caught.value)


def test_a_function_is_not_the_registrys_business() -> None:
    with pytest.raises(DefinitionError, match=r"clean.*my_module:clean"):
        Registry().resolve(Node(id="clean", type=PYTHON_FUNCTION, config={"function": "my_module:clean"}))


def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **modules: str) -> Registry:
    """A registry that sees one entry point for each module."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, text in modules.items():
        (tmp_path / f"{name}.py").write_text(text)
    entries = [EntryPoint(name=name, value=name, group="nbflow.nodes") for name in modules]
    monkeypatch.setattr(registry_module, "entry_points", lambda **_: entries)
    for name in modules:
        monkeypatch.delitem(sys.modules, name, raising=False)
    return Registry()


NODE = """
from typing import Any
from nbflow.core.config import NodeConfig
from nbflow.core.node import Context, node_type
@node_type("{type}")
async def node(config: NodeConfig, input: Any = None, *, ctx: Context) -> str:
    "Answer {type}."
"""


def test_a_broken_plugin_is_listed_with_its_error_and_harms_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = plugin(
        tmp_path,
        monkeypatch,
        plugin_broken="import no_such_module",
        plugin_ending="raise SystemExit(3)",
        plugin_empty="",
        plugin_good=NODE.format(type="good.node"),
    )
    assert registry.get("good.node").summary == "Answer good.node."
    assert registry.get("action.http").type == "action.http"
    errors = {info.name: info.error for info in registry.plugins()}
    assert "No module named 'no_such_module'" in errors["plugin_broken"]
    assert "SystemExit(3)" in errors["plugin_ending"]
    assert "holds no node type" in errors["plugin_empty"]
    assert errors["plugin_good"] is None
    assert "good.node" in registry.types()


def test_a_builtin_type_wins_over_a_plugin_and_the_first_plugin_over_the_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = plugin(
        tmp_path,
        monkeypatch,
        plugin_a=NODE.format(type="action.http"),
        plugin_b=NODE.format(type="twice.node"),
        plugin_c=NODE.format(type="twice.node"),
    )
    assert registry.get("action.http").function.__module__ == "nbflow.catalogue.action.http"
    assert registry.get("twice.node").function.__module__ == "plugin_b"
    errors = {info.name: info.error for info in registry.plugins()}
    assert "'action.http' of nbflow" in errors["plugin_a"]
    assert errors["plugin_b"] is None
    assert "'twice.node'" in errors["plugin_c"]


def test_an_installed_package_brings_its_types(tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    install = [str(uv), "pip", "install", "--quiet", "--offline", "--no-build-isolation", "--no-deps", "--python", sys.executable]
    subprocess.run([*install, "--target", str(tmp_path), "--cache-dir", str(tmp_path / "cache"), str(PACKAGE)], check=True, timeout=60)
    code = """
import asyncio
from nbflow.catalogue.registry import Registry
from nbflow.testing import run_node
registry = Registry()
info = next(info for info in registry.plugins() if info.name == "example")
print(info.package, info.version, info.types, info.error)
print(asyncio.run(run_node("example.greet", {"name": "Ada"})))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30, env={"PYTHONPATH": str(tmp_path)})
    assert done.stdout.splitlines() == ["nbflow-example 1.2.3 ('example.greet',) None", "hello Ada"]
