"""The other side of `subprocess_code`: run by path in a bare interpreter, so it imports nothing of nbflow.

Leaves `result.json` or `error.json` in the job's folder.
"""

import ast
import base64
import json
import math
import pickle
import resource
import sys
import traceback
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

FILE = "<user code>"


def main(folder: Path) -> None:
    """Runs the job described in the folder."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    values = pickle.loads((folder / "values.pickle").read_bytes())  # noqa: S301 - written by the process that started this one
    _limit(job["limits"])
    phase = "run"
    try:
        result = _call(job["code"], job["names"], values)
        phase = "result"
        text = json.dumps(encode(result, folder, []), ensure_ascii=False)
        (folder / "result.json").write_text(text, encoding="utf-8")
    except BaseException as error:  # noqa: BLE001 - also SystemExit and KeyboardInterrupt are the user's to know
        (folder / "result.json").unlink(missing_ok=True)
        (folder / "error.json").write_text(json.dumps(_facts(error, phase, job["code"])), encoding="utf-8")


def encode(value: Any, folder: Path, frames: list[int]) -> Any:
    """JSON values as they are; others as `{"$nbflow": kind, "value": ...}`. Raises TypeError for what has no form."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$nbflow": "float", "value": str(value)}
    if isinstance(value, dict):
        if "$nbflow" in value or not all(isinstance(name, str) for name in value):
            pairs = [[encode(name, folder, frames), encode(item, folder, frames)] for name, item in value.items()]
            return {"$nbflow": "mapping", "value": pairs}
        return {name: encode(item, folder, frames) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(item, folder, frames) for item in value]
    kind, content = _special(value, folder, frames)
    return content if kind is None else {"$nbflow": kind, "value": content}


def _special(value: Any, folder: Path, frames: list[int]) -> tuple[str | None, Any]:
    if isinstance(value, datetime):
        return "datetime", value.isoformat()
    if isinstance(value, date):
        return "date", value.isoformat()
    if isinstance(value, Decimal):
        return "decimal", str(value)
    if isinstance(value, bytes):
        return "bytes", base64.b64encode(value).decode()
    if type(value).__name__ == "DataFrame" and type(value).__module__.partition(".")[0] == "pandas":
        import pyarrow as pa

        table = pa.Table.from_pandas(value)
        frames.append(len(frames))
        with pa.OSFile(str(folder / f"frame-{frames[-1]}.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        return "frame", frames[-1]
    if hasattr(value, "tolist"):  # numpy numbers and arrays, pandas Series
        return None, encode(value.tolist(), folder, frames)
    message = f"the result holds a {type(value).__name__}, which cannot leave the subprocess; return JSON values, dates, bytes or DataFrames"
    raise TypeError(message)


def _limit(limits: dict[str, Any]) -> None:
    """RLIMIT_DATA, not RLIMIT_AS: Arrow and BLAS reserve address space that they never use."""
    wanted = {
        resource.RLIMIT_CPU: limits["cpu_seconds"],
        resource.RLIMIT_DATA: limits["memory_bytes"],
        resource.RLIMIT_FSIZE: limits["output_bytes"],
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        resource.setrlimit(kind, (most, most + 1 if kind == resource.RLIMIT_CPU else most))


def _call(code: str, names: list[str], values: dict[str, Any]) -> Any:
    module = ast.parse(f"def user({', '.join(names)}): pass", filename=FILE)
    module.body[0].body = ast.parse(code, filename=FILE).body or [ast.Pass()]  # type: ignore[attr-defined]
    scope: dict[str, Any] = {"__name__": "__nbflow__"}
    exec(compile(ast.fix_missing_locations(module), FILE, "exec"), scope)  # noqa: S102 - that is the job
    try:
        return scope["user"](**{**dict.fromkeys(names), **values})
    finally:
        sys.stdout.flush()


def _facts(error: BaseException, phase: str, code: str) -> dict[str, Any]:
    lines = [place.lineno for place in traceback.extract_tb(error.__traceback__) if place.filename == FILE]
    number = lines[-1] if lines else None
    text = code.splitlines()[number - 1].strip() if number else ""
    return {"type": type(error).__name__, "message": str(error), "line": number, "text": text, "phase": phase}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
