"""Completion answers from files and declarations, and never fails."""

import subprocess

import pytest
from cli_project import COMMAND, JOBS, NOTEBOOK

from nbflow.cli import complete


def test_files_that_can_hold_flows_are_offered(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    project.notebook("guide.ipynb", *NOTEBOOK)
    project.write("notes.txt", "")
    project.write("deep/more.py", JOBS)
    assert complete.targets("") == ["deep/", "guide.ipynb", "jobs.py"]
    assert complete.targets("gui") == ["guide.ipynb"]
    assert complete.targets("deep/") == ["deep/more.py"]


def test_flows_are_offered_after_the_colon(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    project.notebook("guide.ipynb", *NOTEBOOK)
    assert complete.targets("guide.ipynb:") == ["guide.ipynb:table"]
    assert complete.targets("jobs.py:tot") == ["jobs.py:total"]


def test_types_and_statuses_are_offered():
    assert "action.http" in complete.node_types("action.")
    assert complete.statuses("comp") == ["completed"]


def test_executions_are_offered_without_making_a_store(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    monkeypatch.delenv("NBFLOW_PROJECT", raising=False)
    assert complete.execution_ids("") == []
    assert not (project.folder / ".nbflow").exists()


def test_trouble_is_silence(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    project.write("broken.py", "def")
    assert complete.targets("broken.py:") == []
    assert complete.targets("nowhere/at/all") == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("nbflow nodes action.h", "action.http"),
        ("nbflow run jo", "jobs.py"),
        ("nbflow run jobs.py:tot", "jobs.py:total"),
        ("nbflow executions --status fai", "failed"),
        ("nbflow exec", "executions"),
        ("nbflow show 0", ""),
    ],
)
def test_the_shell_gets_the_answers(project, words, expected):
    asked = {"_NBFLOW_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run([COMMAND], cwd=project.folder, env={**project.environment, **asked}, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == expected
    assert done.stderr == ""
