"""Modules of the project."""

from __future__ import annotations

import sys

import pytest

from nbflow.workflows.local_modules import local_files


@pytest.fixture
def write(project, monkeypatch):
    monkeypatch.syspath_prepend(str(project))

    def write(name: str, text: str = "") -> None:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


def test_what_is_installed_stays_at_home(write):
    assert local_files("import json, pandas as pd, nbflow\nfrom os import path\nimport numpy.linalg, _thread, not_there") == {}


def test_modules_that_modules_import_come_along(write):
    write("first.py", "def f():\n    import second\n")
    write("second.py", "import json\n")
    write("unused.py")
    assert local_files("from first import f") == {"first.py": "def f():\n    import second\n", "second.py": "import json\n"}


def test_of_a_package_what_is_imported_comes_along(write):
    write("tools/__init__.py", "from .shapes import area\n")
    write("tools/shapes.py", "from . import units\nfrom .deep.more import x\n")
    write("tools/units.py")
    write("tools/deep/__init__.py")
    write("tools/deep/more.py", "from ..other import y\nx = 1\n")
    write("tools/other.py", "y = 1\n")
    write("tools/unused.py")
    found = local_files("import tools")
    assert sorted(found) == [
        "tools/__init__.py",
        "tools/deep/__init__.py",
        "tools/deep/more.py",
        "tools/other.py",
        "tools/shapes.py",
        "tools/units.py",
    ]


def test_a_folder_without_init_is_a_package_too(write):
    write("plain/part.py", "x = 1\n")
    assert local_files("import plain.part") == {"plain/part.py": "x = 1\n"}
    assert local_files("from plain import part") == {"plain/part.py": "x = 1\n"}


def test_modules_that_import_each_other_are_no_trouble(write):
    write("left.py", "import right\n")
    write("right.py", "import left\n")
    assert sorted(local_files("import left")) == ["left.py", "right.py"]


def test_nothing_is_imported(write):
    write("loud.py", "raise SystemExit('imported')\n")
    write("pack/__init__.py", "raise SystemExit('imported')\n")
    write("pack/part.py", "x = 1\n")
    assert sorted(local_files("import loud, pack.part")) == ["loud.py", "pack/__init__.py", "pack/part.py"]
    assert "loud" not in sys.modules


def test_a_module_that_was_changed_since_it_was_imported_is_taken_as_it_is_now(write):
    write("changing.py", "x = 1\n")
    __import__("changing")
    write("changing.py", "x = 2\n")
    assert local_files("import changing") == {"changing.py": "x = 2\n"}


def test_modules_can_be_named(write):
    write("jobs.py", "import json\n")
    assert local_files("", ["jobs"]) == {"jobs.py": "import json\n"}
