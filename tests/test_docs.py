"""The documents say what is: links lead somewhere, code runs, nothing that users can set or type is missing."""

import ast
import json
import re
from pathlib import Path

import pytest

from nbflow.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
GUIDES = sorted((ROOT / "notebooks").glob("*.ipynb"))
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")


def python_blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def outputs(path: Path) -> str:
    notebook = json.loads(path.read_text("utf-8"))
    return json.dumps([cell.get("outputs", []) for cell in notebook["cells"]], ensure_ascii=False)


@pytest.mark.parametrize("document", ["README.md", "nbflow/README.md"])
def test_every_link_of_a_readme_leads_to_a_file(document: str):
    path = ROOT / document
    links = LINK.findall(path.read_text("utf-8"))
    assert links
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_link_of_a_guide_leads_to_a_file(guide: Path):
    cells = json.loads(guide.read_text("utf-8"))["cells"]
    links = [link for cell in cells if cell["cell_type"] == "markdown" for link in LINK.findall("".join(cell["source"]))]
    assert [link for link in links if not (guide.parent / link).exists()] == []


def test_the_readme_lists_every_guide():
    assert [guide.name for guide in GUIDES if f"notebooks/{guide.name}" not in README] == []


def test_the_readme_lists_every_command():
    names = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert len(names) > 5
    assert [name for name in names if f"`nbflow {name}" not in README] == []


def test_the_readme_lists_every_environment_variable():
    read = {
        name
        for path in (ROOT / "nbflow").rglob("*.py")
        for name in re.findall(r"""environ(?:\.get\(|\[|\.setdefault\()["'](NBFLOW_\w+)["']""", path.read_text("utf-8"))
    }
    assert "NBFLOW_STORE" in read
    assert {name for name in read if f"`{name}`" not in README} == set()


def test_the_readmes_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NBFLOW_PROJECT", str(tmp_path))
    monkeypatch.setenv("NBFLOW_STORE", "memory")
    from nbflow.runtime.runtime import reset_runtime

    (tmp_path / "orders.csv").write_text("order,amount\n1,5\n2,20\n3,30.5\n")
    definition, use = python_blocks(README)
    names: dict[str, object] = {"__name__": "readme"}
    reset_runtime()
    try:
        exec(compile(definition, "README.md", "exec"), names)
        exec(compile(use.replace("await daily_orders", "_start"), "README.md", "exec"), names | {"_start": started(names)})
    finally:
        reset_runtime()


def started(names: dict[str, object]):
    def start(**params: object):
        run = names["daily_orders"](**params)  # type: ignore[operator]
        assert run.result(30) == {"report": "2 orders, 50.50 in all"}
        return run

    return start


@pytest.mark.parametrize("number", range(len(python_blocks(README))))
def test_python_in_the_readme_compiles(number: int):
    compile(python_blocks(README)[number], "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_what_a_guide_shows_names_no_machine(guide: Path):
    assert re.findall(r".{0,30}(?:/root\b|/home/|/tmp/|/Users/|root@|\bpid \d).{0,30}", outputs(guide)) == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_a_guide_is_small_and_was_run(guide: Path):
    assert guide.stat().st_size < 320_000
    assert len(outputs(guide)) > 1000
