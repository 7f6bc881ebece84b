"""nbflow inside a Jupyter server: the canvas's sessions, and the way to the project's own server."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where Jupyter finds the extension (etc/jupyter/jupyter_server_config.d/nbflow.json names this package)."""
    from nbflow.jupyter.extension import NbflowExtension

    return [{"module": "nbflow.jupyter", "app": NbflowExtension}]
