"""Values too large for a journal line: files named by their content, removed with the last execution that needs them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import StoreError
from nbflow.core.redaction import redactor
from nbflow.store.project import storage_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

LINE_BYTES = 64 * 1024  # a record longer than this sheds its largest fields
KEY = "$artifact"
_FIELDS = ("payload", "outputs", "input", "request")
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Fields of a record that are no user's text: a password that is a common word must not eat them.
_FACTS = frozenset(
    {
        "k", "execution_id", "flow", "flow_hash", "hash", "name", "workflow_id", "version_id", "organization_id", "parent_execution_id",
        "idempotency_key", "trigger", "mode", "user", "host", "pid", "ts", "seq", "node_id", "node_type", "path", "status", "level",
        "started", "duration", "attempt", "error_type", "error_node", "model", "iterations", "digest", "size_bytes",
    }
)  # fmt: skip


class Artifacts:
    """The content-addressed files under `folder`. Names are SHA-256 in hex, as `hashlib` and `sha256sum` give it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, data: bytes) -> str:
        """Keep `data`, without the secrets in it; its digest. Durable on return; the same content is kept once."""
        if redactor.active:
            data = redactor.data(data)
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        try:
            os.utime(path)  # a prune going on leaves what is young
        except FileNotFoundError:
            pass
        else:
            return digest
        hidden = path.with_name(f"{digest}.{secrets.token_hex(4)}.tmp")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as target:
                target.write(data)
                target.flush()
                os.fsync(target.fileno())
            hidden.replace(path)
        except OSError as error:
            hidden.unlink(missing_ok=True)
            raise storage_error(error, self._folder) from error
        return digest

    def open(self, digest: str) -> bytes:
        """The content. Raises StoreError when it was pruned or never existed."""
        try:
            return self._path(digest).read_bytes()
        except OSError as error:
            msg = f"artifact {digest[:12]} is gone: its execution was pruned"
            raise StoreError(msg) from error

    def delete(self, digest: str) -> None:
        """Remove the file if it is there."""
        self._path(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """All files there are."""
        for path in self._folder.glob("??/*"):
            if _DIGEST.fullmatch(path.name):
                yield path.name

    def age_s(self, digest: str, now_s: float) -> float:
        """Seconds since the file was made; 0 when it is gone."""
        try:
            return now_s - self._path(digest).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def total_bytes(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self._folder.glob("??/*"))

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            msg = f"{digest!r} is not the name of an artifact"
            raise StoreError(msg)
        return self._folder / digest[:2] / digest


def shed(record: Mapping[str, Any], artifacts: Artifacts) -> list[Mapping[str, Any]]:
    """A record that is too long, as records that are not: large fields become `{"$artifact": digest, "size_bytes": n}`, each with an
    `artifact` record that says who needs it. The fields are shed largest first, only as many as it takes.
    """
    import orjson

    def encoded(value: object) -> bytes:
        return orjson.dumps(value, default=repr, option=orjson.OPT_NON_STR_KEYS)

    fields = {name: encoded(record[name]) for name in _FIELDS if record.get(name) is not None}
    excess = len(encoded(record)) - LINE_BYTES
    lean = dict(record)
    owners: list[Mapping[str, Any]] = []
    for name, data in sorted(fields.items(), key=lambda item: -len(item[1])):
        if excess <= 0:
            break
        digest = artifacts.save(data)
        lean[name] = {KEY: digest, "size_bytes": len(data)}
        excess -= len(data)
        owners.append(
            {"k": "artifact", "execution_id": record.get("execution_id"), "digest": digest, "size_bytes": len(data), "ts": record.get("ts")}
        )
    return [*owners, lean]


def fetch(value: Any, artifacts: Artifacts) -> Any:
    """The value of a field that was maybe shed."""
    import orjson

    if isinstance(value, dict) and KEY in value:
        return orjson.loads(artifacts.open(value[KEY]))
    return value


def journal_lines(records: Sequence[Mapping[str, Any]], artifacts: Artifacts) -> bytes:
    """Records as journal lines, without secrets, the long ones shed."""
    from nbflow.store.journal import encode

    data = encode(records)
    if redactor.active and redactor.suspects(data.decode("latin-1")):
        records = [_redacted(line) for line in data.splitlines()]
        data = encode(records)
    if len(data) <= LINE_BYTES:  # almost always, and then no line can be too long
        return data
    kept: list[Mapping[str, Any]] = []
    for record, line in zip(records, data.splitlines(), strict=False):
        kept.extend(shed(record, artifacts) if len(line) > LINE_BYTES else [record])
    return encode(kept)


def _redacted(line: bytes) -> Mapping[str, Any]:
    """A record without secrets: read again from its line, so that what its strange objects say of themselves is seen too."""
    record: dict[str, Any] = json.loads(line)
    clean = redactor.definition if record.get("k") == "flow" else redactor.value
    return {name: value if name in _FACTS else clean(value) for name, value in record.items()}
