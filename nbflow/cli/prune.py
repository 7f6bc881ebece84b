"""`nbflow prune`."""

from __future__ import annotations

from typing import Annotated

import typer

from nbflow.cli.failure import UsageError
from nbflow.cli.output import console, print_json, size


def prune(
    *,
    older_than: Annotated[str | None, typer.Option(help="Remove executions older than this: 30d, 12h, 2w.")] = None,
    keep: Annotated[int | None, typer.Option(min=0, help="Keep the newest so many.")] = None,
    max_bytes: Annotated[str | None, typer.Option(help="Remove the oldest until the store fits: 500MB, 2GB.")] = None,
    compact: Annotated[
        bool | None, typer.Option("--compact/--no-compact", help="Give space back to the disk; by default when it is worth it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Remove old executions from the history. Whatever is still running stays."""
    from nbflow.cli.span import bytes_of, span
    from nbflow.runtime.runtime import runtime

    if older_than is None and keep is None and max_bytes is None and not compact:
        message = "say what may go: --older-than 30d, --keep 1000, --max-bytes 500MB, or only --compact"
        raise UsageError(message)
    age = None if older_than is None else span(older_than, "--older-than")
    most = None if max_bytes is None else bytes_of(max_bytes, "--max-bytes")
    done = runtime().store.prune(age, keep, most, compact=compact)
    if as_json:
        print_json(done)
        return
    what = f"removed {done.executions:,} executions, {done.nodes:,} node records, {done.artifacts:,} artifacts"
    console().print(f"{what}; {size(done.bytes_before)} before, {size(done.bytes_after)} now{' (compacted)' if done.compacted else ''}")
