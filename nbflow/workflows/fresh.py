"""The fresh process of `trial.py`: `python -m nbflow.workflows.fresh FOLDER ANSWER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nbflow.display.error import user_traceback
from nbflow.workflows.loading import load_module
from nbflow.workflows.module import Module


def main() -> None:
    """Loads the module whose JSON is on stdin into the folder of the first argument; writes how it went to the file of the second, as JSON."""
    folder, answer = sys.argv[1:]
    failure = None
    module = Module.from_dict(json.load(sys.stdin))
    if any("get_ipython" in source for source in module.files.values()):
        from IPython.core.interactiveshell import InteractiveShell

        InteractiveShell.instance()
    try:
        load_module(module, folder)
    except SystemExit as error:
        failure = f"it ends the program with sys.exit({error.code!r})"
    except BaseException as error:  # noqa: BLE001 -- whatever a user's module raises
        failure = user_traceback(error)
    Path(answer).write_text(json.dumps({"error": failure}), encoding="utf-8")


if __name__ == "__main__":
    main()
