"""The extension of the Jupyter server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Unicode

from nbflow.jupyter.cancel import CancelHandler
from nbflow.jupyter.canvas import CanvasSocket
from nbflow.jupyter.pages import PageHandler, PageSocket
from nbflow.jupyter.place import PlaceHandler
from nbflow.jupyter.project_server import ProjectServer
from nbflow.jupyter.proxy import ApiHandler
from nbflow.jupyter.sessions import Sessions
from nbflow.jupyter.started import StartedHere
from nbflow.jupyter.static import StaticHandler
from nbflow.store.project import find_project

if TYPE_CHECKING:
    from collections.abc import Sequence

STATIC = Path(__file__).parent.parent / "static"


class NbflowExtension(ExtensionApp):
    """Its handlers; what they share waits in the server's settings under `nbflow`, which is this object."""

    name = "nbflow"
    app_name = "nbflow in Jupyter"
    description = "Flows in JupyterLab: the canvas, and the project's workflows, executions and webhooks."
    extension_url = "/lab"
    load_other_extensions = True

    project = Unicode("", help="The folder that holds `.nbflow/`; empty: NBFLOW_PROJECT, or found from the server's root folder upward.").tag(
        config=True
    )

    runtime: StartedHere
    server: ProjectServer
    sessions: Sessions

    def initialize_settings(self) -> None:
        """Nothing is started and no folder made before somebody uses it."""
        assert self.serverapp is not None  # noqa: S101 -- linked before
        project = Path(self.project).expanduser().resolve() if self.project else find_project(Path(self.serverapp.root_dir))
        self.runtime = StartedHere(project)
        self.server = ProjectServer(project, log=self.log)
        self.sessions = Sessions(self.runtime)

    def initialize_handlers(self) -> None:
        """All below {base_url}nbflow/."""
        handlers: Sequence[tuple[Any, ...]] = (
            (r"/nbflow/static/(.*)", StaticHandler, {"path": str(STATIC)}),
            (r"/nbflow/canvas", CanvasSocket),
            (r"/nbflow/server", PlaceHandler),
            (r"/nbflow/api/v1/executions/([0-9a-f-]{36})/cancel", CancelHandler),
            (r"/nbflow/api/(.*)", ApiHandler),
            (r"/nbflow/pages/(.*/ws)", PageSocket),
            (r"/nbflow/pages/?(.*)", PageHandler),
        )
        self.handlers.extend(handlers)

    async def stop_extension(self) -> None:
        """The project's server, if it was started from here, ends with Jupyter."""
        self.sessions.close()
        await self.server.stop()
        self.runtime.close()
