"""The trial in a fresh process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nbflow.core.errors import PublishError
from nbflow.workflows.trial import try_out

from .notebooks import CLEAN, DAILY, HEAD, collected


def test_what_stands_alone_passes_and_leaves_nothing_behind(main, project, capfd):
    try_out(collected(main, HEAD, "LIMIT = [3][0]; print('loud')", CLEAN, DAILY, folder=project), project)
    assert "loud" in capfd.readouterr().out  # the cell itself, not the trial
    assert not list(project.glob("**/*.py"))


def test_its_folder_is_the_notebooks(main, project):
    (project / "limit.txt").write_text("3")
    try_out(collected(main, HEAD, "from pathlib import Path", "LIMIT = int(Path('limit.txt').read_text())", CLEAN, DAILY, folder=project), project)


def test_a_failure_shows_the_users_lines(main, project):
    (project / "limit.txt").write_text("3")
    found = collected(main, HEAD + "\nfrom pathlib import Path", "\nLIMIT = int(Path('limit.txt').read_text())", CLEAN, DAILY, folder=project)
    (project / "limit.txt").unlink()
    with pytest.raises(PublishError, match="cannot be imported in a fresh process") as raised:
        try_out(found, project)
    message = str(raised.value)
    assert "Cell In[2], line 2" in message
    assert "LIMIT = int(Path('limit.txt').read_text())" in message
    assert "FileNotFoundError" in message
    assert "nbflow_published_" not in message


def test_a_module_that_only_this_process_has_is_refused(main, project, monkeypatch):
    import sys
    from types import ModuleType

    ghost = ModuleType("ghost")
    ghost.LIMIT = 3
    monkeypatch.setitem(sys.modules, "ghost", ghost)
    with pytest.raises(PublishError, match="ModuleNotFoundError: No module named 'ghost'"):
        try_out(collected(main, HEAD, "from ghost import LIMIT", CLEAN, DAILY, folder=project), project)


def test_the_environment_is_the_one_that_the_process_began_with(main, project, monkeypatch):
    monkeypatch.setenv("SET_SINCE", "3")
    with pytest.raises(PublishError, match="KeyError: 'SET_SINCE'"):
        try_out(collected(main, HEAD, "import os", "LIMIT = int(os.environ['SET_SINCE'])", CLEAN, DAILY, folder=project), project)
    try_out(
        collected(main, HEAD, "import os\nos.environ['SET_SINCE'] = '3'", "LIMIT = int(os.environ['SET_SINCE'])", CLEAN, DAILY, folder=project),
        project,
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("exit_now('bye')", r"it ends the program with sys.exit\('bye'\)"),
        ("kill_now()", "ends a fresh process that imports it:\nexit code 3"),
        ("sleep_now()", "take longer than 3 s to run in a fresh process; move the slow work into nodes"),
    ],
)
def test_code_that_does_not_come_to_an_end_is_explained(main, project, source, message):
    """`HERE` is known in this process only, so that it is not this one that ends."""
    helpers = (
        "import os, sys, time, builtins\n"
        "def exit_now(text): return 1 if hasattr(builtins, 'HERE') else sys.exit(text)\n"
        "def kill_now(): return 1 if hasattr(builtins, 'HERE') else os._exit(3)\n"
        "def sleep_now(): return 1 if hasattr(builtins, 'HERE') else time.sleep(60)\n"
    )
    import builtins

    builtins.HERE = True
    try:
        found = collected(main, HEAD, helpers, f"LIMIT = {source}", CLEAN, DAILY, folder=project)
    finally:
        del builtins.HERE
    with pytest.raises(PublishError, match=message):
        try_out(found, project, time_s=3 if "sleep" in source else 60)


def test_a_folder_that_is_gone_is_explained(main, project):
    found = collected(main, HEAD, "LIMIT = 1", CLEAN, DAILY, folder=project)
    found = replace(found, module=replace(found.module, folder="gone"))
    with pytest.raises(PublishError, match=r"no fresh process can be started in .*gone"):
        try_out(found, project)
