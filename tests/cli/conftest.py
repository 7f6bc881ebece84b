"""Projects to run commands in."""

import pytest
from cli_project import JOBS, Project


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path)
    made.write("jobs.py", JOBS)
    return made


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A project in which `total` completed and `failing` failed; tests only read it. Gives (project, id of total, id of failing)."""
    made = Project(tmp_path_factory.mktemp("history"))
    made.write("jobs.py", JOBS)
    completed = made.nbflow("run", "jobs.py:total", "-p", "first=1", "--json").json
    failed = made.nbflow("run", "jobs.py:failing", "--json").json
    return made, completed["execution_id"], failed["execution_id"]
