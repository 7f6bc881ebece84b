"""`python -m nbflow.jupyter.served`: the project's server as a child of Jupyter. Its token comes on stdin, and it ends when stdin does.

So it ends with Jupyter, however that ends, and the token is in no list of processes and no environment that its own children inherit.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from nbflow.core.errors import NbflowError

REFUSED = 3  # exit status: the reason is the last thing on stderr


def main() -> int:
    """0 when it was told to stop, REFUSED when it could not start."""
    token = sys.stdin.readline().strip()
    threading.Thread(target=_end_with_parent, name="nbflow-parent", daemon=True).start()
    try:
        from nbflow.server.serve import serve
        from nbflow.server.settings import ServerSettings

        chosen = ServerSettings.load()
        given = {"host": "127.0.0.1", "base_url": "/", "auth": "token", "token": token}  # for this machine alone, whatever a file says
        unless = {"port": 0, "shutdown_grace_s": 5}  # whoever ends Jupyter sits before it
        serve(ServerSettings.load(given | {name: value for name, value in unless.items() if name not in chosen.model_fields_set}))
    except ModuleNotFoundError as error:
        sys.stderr.write(f'the server needs packages that are not installed ({error.name}): pip install "nbflow[server]"\n')
        return REFUSED
    except NbflowError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    return 0


def _end_with_parent() -> None:
    while sys.stdin.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
