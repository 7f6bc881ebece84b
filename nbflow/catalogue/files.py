"""Where nodes may read and write: inside the project's folder, unless a node says otherwise."""

import contextlib
import mimetypes
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from nbflow.core.errors import InputError, NodeError


def resolve(path: str | Path, root: Path, *, allow_outside: bool = False) -> Path:
    """The real path, symbolic links followed; relative ones start at `root`.

    Raises InputError for a path that leaves `root`, by its text or through a link. It is a guard against mistakes and
    hostile file names, not against someone who swaps links while the node runs.
    """
    home = root.resolve()
    target = (home / Path(path).expanduser()).resolve() if allow_outside else (home / path).resolve()
    if not allow_outside and not target.is_relative_to(home):
        msg = f"{path} is outside {home}; set allow_outside=True when that is meant"
        raise InputError(msg)
    return target


def describe(path: Path, root: Path) -> dict[str, Any]:
    """A reference to a file, small enough to travel: `path` is relative to `root` where it can be."""
    facts = path.stat()
    home = root.resolve()
    return {
        "path": str(path.relative_to(home)) if path.is_relative_to(home) else str(path),
        "name": path.name,
        "kind": "folder" if path.is_dir() else "file",
        "size_bytes": facts.st_size,
        "modified": datetime.fromtimestamp(facts.st_mtime, UTC),
        "mime": mimetypes.guess_type(path.name)[0],
    }


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when the block ends well, and never existed when it does not."""
    with translated(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~mask)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns the operating system's errors into NodeErrors that name the file."""
    try:
        yield
    except OSError as error:
        named = error.filename or path
        msg = f"{named}: {error.strerror or error}"
        raise (InputError(msg) if isinstance(error, _WRONG_INPUT) else NodeError(msg, retryable=not isinstance(error, PermissionError))) from error


_WRONG_INPUT = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError)
