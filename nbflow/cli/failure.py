"""Errors as a user of the command line sees them: one message on stderr and an exit code."""

from __future__ import annotations

import sys

from nbflow.core import errors
from nbflow.core.redaction import redactor

OK = 0
FLOW_FAILED = 1
WRONG = 2  # usage, definition, document, check, parameter, query, unknown id
STORE = 3
INTERNAL = 70  # EX_SOFTWARE of sysexits.h: a mistake of nbflow's own
INTERRUPTED = 130  # 128 + SIGINT, as shells do

_USERS_OWN = (errors.QueryError, errors.UnknownExecutionError)  # store errors that a better command line avoids


class UsageError(errors.NbflowError):
    """The command line asks for something that cannot be."""


def exit_code(error: BaseException) -> int:
    """What a shell script can tell errors apart by."""
    if isinstance(error, errors.ExecutionCancelledError) and not isinstance(error, errors.FlowTimeoutError):
        return INTERRUPTED
    if isinstance(error, errors.ExecutionError):
        return FLOW_FAILED
    if isinstance(error, errors.StoreError) and not isinstance(error, _USERS_OWN):
        return STORE
    return WRONG if isinstance(error, errors.NbflowError) else INTERNAL


def report(error: Exception, *, debug: bool, as_json: bool) -> int:
    """Prints the error and gives the exit code. With `as_json`, stdout gets `{"error": {...}}`, stderr the message all the same."""
    if debug:
        import traceback

        print(redactor.text("".join(traceback.format_exception(error))), file=sys.stderr, end="")  # noqa: T201 -- as below
    code = exit_code(error)
    message = redactor.text(str(error)) or type(error).__name__
    if code == INTERNAL:
        message = f"{type(error).__name__}: {message} (this is a mistake in nbflow; `nbflow --debug ...` shows where)"
    print(f"nbflow: {message}", file=sys.stderr)  # noqa: T201 -- the command's error output
    if as_json:
        from nbflow.cli.output import print_json

        print_json({"error": {"type": type(error).__name__, "message": message}})
    return code
