"""`data.file`."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from nbflow.catalogue.files import describe, replacing, resolve, translated
from nbflow.catalogue.operation import check_fields
from nbflow.core.config import NodeConfig
from nbflow.core.errors import InputError
from nbflow.core.node import Context, node_type

FIELDS = {
    "read": "path! format encoding",
    "write": "path! content format encoding append make_folders overwrite",
    "list": "path pattern recursive",
    "delete": "path! missing_ok recursive",
    "move": "path! to! make_folders overwrite",
    "copy": "path! to! make_folders overwrite",
    "exists": "path!",
    "stat": "path!",
}
_GLOB = ("*", "?", "[")


class FileConfig(NodeConfig):
    """What to do with which file."""

    operation: Literal["read", "write", "list", "delete", "move", "copy", "exists", "stat"] = Field(
        default="read", description="What to do with the file."
    )
    path: Path = Field(default=Path(), description="The file, relative to the root. read also takes a pattern such as data/*.json.")
    to: Path | None = Field(default=None, description="Where the file goes (move, copy).")
    root: Path | None = Field(default=None, description="Folder that paths start at and stay in; the project's folder when not given.")
    allow_outside: bool = Field(default=False, description="Allow paths that leave the root.")
    format: Literal["auto", "text", "json", "bytes"] = Field(
        default="auto", description="How content is read and written; auto: by the ending when reading, by the value when writing."
    )
    encoding: str = Field(default="utf-8", description="Encoding of text.")
    content: Any = Field(default=None, description="What is written; the input when not given.")
    append: bool = Field(default=False, description="Write at the end of the file instead of replacing it.")
    make_folders: bool = Field(default=False, description="Make missing folders on the way.")
    overwrite: bool = Field(default=True, description="Replace a file that is there; off, that is an error.")
    pattern: str = Field(default="*", min_length=1, description="Which names are listed, such as *.csv.")
    recursive: bool = Field(default=False, description="List folders inside too; delete a folder with all it holds.")
    missing_ok: bool = Field(default=False, description="Deleting what is not there is no error.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_fields(self, self.operation, FIELDS)
        if self.append and not self.overwrite:
            msg = "append and overwrite=False exclude each other"
            raise ValueError(msg)
        return self


@node_type("data.file")
def file(config: FileConfig, input: Any = None, *, ctx: Context) -> Any:  # noqa: A002 - the port's name
    """Read, write, list, move, copy or delete files.

    read gives the content (for a pattern: a list of descriptions with `content`); exists gives true or false; the others a description
    `{path, name, kind, size_bytes, modified, mime}`, delete whether something was deleted. A file is replaced whole or not at all.
    Raises InputError for paths outside the root (also through links) and files that are missing or in the way.
    """
    files = _Files(config, ctx)
    if config.operation == "write":
        return files.write(config.content if config.content is not None else input)
    operations: Mapping[str, Callable[[], Any]] = {
        "read": files.read,
        "list": files.list,
        "delete": files.delete,
        "move": lambda: files.transfer(_move),
        "copy": lambda: files.transfer(_copy),
        "exists": lambda: files.at(config.path).exists(),
        "stat": files.stat,
    }
    return operations[config.operation]()


def _move(source: Path, target: Path) -> None:
    shutil.move(source, target)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
        return
    with source.open("rb") as original, replacing(target) as copy:
        shutil.copyfileobj(original, copy)


class _Files:
    """The operations of one call."""

    def __init__(self, config: FileConfig, ctx: Context) -> None:
        self.config = config
        self.root = ctx.project if config.root is None else resolve(config.root, ctx.project, allow_outside=config.allow_outside)

    def at(self, path: Path) -> Path:
        return resolve(path, self.root, allow_outside=self.config.allow_outside)

    def there(self, path: Path) -> Path:
        found = self.at(path)
        if not found.exists():
            msg = f"there is no file {path} in {self.root}"
            raise InputError(msg)
        return found

    def read(self) -> Any:
        text = str(self.config.path)
        if any(sign in text for sign in _GLOB) and not self.at(self.config.path).exists():
            return [describe(path, self.root) | {"content": self._content(path)} for path in self._matching(text) if path.is_file()]
        return self._content(self.there(self.config.path))

    def _matching(self, pattern: str) -> list[Path]:
        """Every match is looked at: a link inside the root may lead out of it."""
        relative = Path(pattern)
        if relative.is_absolute():
            base = Path(relative.anchor)
            self.at(Path(*[part for part in relative.parts if not any(sign in part for sign in _GLOB)]))
            relative = relative.relative_to(base)
        else:
            base = self.root.resolve()
        return sorted(self.at(path) for path in base.glob(str(relative)))

    def _content(self, path: Path) -> Any:
        kind = self.config.format
        if kind == "auto":
            kind = "json" if path.suffix.lower() == ".json" else "text"
        with translated(path):
            content = path.read_bytes()
        if kind == "bytes":
            return content
        try:
            text = content.decode("utf-8-sig" if self.config.encoding.lower() in {"utf-8", "utf8"} else self.config.encoding)
            return json.loads(text) if kind == "json" else text
        except UnicodeDecodeError as error:
            msg = f"{path} is no {self.config.encoding} text (byte {error.start}); read it with another encoding, or with format='bytes'"
            raise InputError(msg) from None
        except ValueError as error:
            msg = f"{path} is no JSON: {error}"
            raise InputError(msg) from None

    def write(self, value: Any) -> dict[str, Any]:
        path = self._target(self.config.path)
        content = self._bytes(value)
        if self.config.append:
            with translated(path), path.open("ab") as file:
                file.write(content)
        else:
            with replacing(path) as file:
                file.write(content)
        return describe(path, self.root)

    def _bytes(self, value: Any) -> bytes:
        kind = self.config.format
        if isinstance(value, bytes | bytearray):
            return bytes(value)
        if isinstance(value, str) and kind != "json":
            return value.encode(self.config.encoding)
        if value is None or kind in {"text", "bytes"}:
            msg = f"there is nothing to write but a {type(value).__name__}; give text, bytes, or format='json'"
            raise InputError(msg)
        try:
            return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode(self.config.encoding)
        except (TypeError, ValueError) as error:
            msg = f"the value cannot be written as JSON: {error}"
            raise InputError(msg) from error

    def _target(self, path: Path) -> Path:
        target = self.at(path)
        if target.exists() and not self.config.overwrite:
            msg = f"{path} is there already and overwrite is off"
            raise InputError(msg)
        if self.config.make_folders:
            with translated(target):
                target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def list(self) -> list[dict[str, Any]]:
        folder = self.there(self.config.path)
        found = folder.rglob(self.config.pattern) if self.config.recursive else folder.glob(self.config.pattern)
        home = self.root.resolve()
        inside = (path for path in sorted(found) if self.config.allow_outside or path.resolve().is_relative_to(home))
        return [describe(path, self.root) for path in inside if path.exists()]

    def delete(self) -> bool:
        path = self.at(self.config.path)
        if path == self.root.resolve():
            msg = "the root itself is not deleted"
            raise InputError(msg)
        if self.config.missing_ok and not path.exists():
            return False
        self.there(self.config.path)
        with translated(path):
            if not path.is_dir():
                path.unlink()
            elif self.config.recursive:
                shutil.rmtree(path)
            else:
                path.rmdir()
        return True

    def transfer(self, how: Callable[[Path, Path], None]) -> dict[str, Any]:
        assert self.config.to is not None  # noqa: S101 - required for these operations
        source = self.there(self.config.path)
        target = self._target(self.config.to)
        if target.is_dir():
            target = self.at(target / source.name)
            if target.exists() and not self.config.overwrite:
                msg = f"{target} is there already and overwrite is off"
                raise InputError(msg)
        with translated(target):
            how(source, target)
        return describe(target, self.root)

    def stat(self) -> dict[str, Any]:
        return describe(self.there(self.config.path), self.root)
