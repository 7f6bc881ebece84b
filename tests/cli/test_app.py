"""The command as a whole: help, version, speed of start, completion, errors of its own."""

import subprocess
import sys

import pytest
from typer.main import get_command

from nbflow.cli.app import app

COMMANDS = sorted(get_command(app).commands)


def test_version_is_the_packages(project):
    from importlib.metadata import version

    assert project.nbflow("--version").out == f"nbflow {version('nbflow')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(project, command):
    done = project.nbflow(command, "--help")
    assert done.code == 0
    assert "Usage: nbflow " + command in done.out


def test_help_imports_nothing_heavy():
    script = "import sys; import nbflow.cli; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"duckdb", "pandas", "pyarrow", "pydantic", "IPython", "httpx", "rich", "nbflow.runtime.runtime"} & set(modules)


def test_an_unknown_command_is_a_usage_error(project):
    assert project.nbflow("rnu").code == 2


def test_debug_shows_the_traceback_wherever_it_stands(project):
    for arguments in (("--debug", "run", "nope.py"), ("run", "nope.py", "--debug")):
        done = subprocess.run(
            [sys.executable, "-m", "nbflow", *arguments], cwd=project.folder, env=project.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "Traceback (most recent call last)" in done.stderr


def test_a_reader_that_goes_away_is_no_error_of_ours(project):
    from cli_project import COMMAND

    script = f"{COMMAND} nodes action.http | head -1"
    done = subprocess.run(["bash", "-c", script], cwd=project.folder, env=project.environment, capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
