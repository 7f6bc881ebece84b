"""A project of its own, and a session that tells a recorder."""

import pytest
from ipywidgets.widgets.widget import _instances

from nbflow.canvas.session import CanvasSession
from nbflow.canvas.widget import Canvas
from nbflow.runtime.runtime import reset_runtime

from .recorder import Recorder


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_PROJECT", str(tmp_path))
    monkeypatch.setenv("NBFLOW_STORE", "memory")
    reset_runtime()
    yield tmp_path
    for widget in list(_instances.values()):
        if isinstance(widget, Canvas):
            widget.close()
    reset_runtime()


@pytest.fixture
def opened(project):
    """Opens a flow (or its JSON); gives the session and what it tells."""
    sessions = []

    def open_(flow, functions=None, **options):
        link = Recorder()
        sessions.append(CanvasSession(flow, link, functions=lambda: functions or {}, **options))
        link.until(lambda: "samples" in link.traits)
        return sessions[-1], link

    yield open_
    for session in sessions:
        session.close(wait=True)
