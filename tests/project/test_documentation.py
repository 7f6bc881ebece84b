"""README and the code say the same."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from nbflow.cli.app import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("command", sorted(get_command(app).commands))
def test_readme_names_every_command(command):
    assert f"`nbflow {command}" in README


def test_readme_names_no_command_that_does_not_exist():
    assert set(re.findall(r"`nbflow ([a-z]+)", README)) <= set(get_command(app).commands)


def test_readme_and_makefile_have_the_same_targets():
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", README)) <= targets
    assert {"demo", "test", "check", "lab", "bench"} <= targets


def test_files_that_the_documents_link_to_exist():
    for document in (ROOT / "README.md", ROOT / "nbflow" / "README.md"):
        if document.exists():
            for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
                assert (document.parent / link).exists(), f"{document.name} links to {link}"
