"""The rich form of a value, bounded: a picture, a small table, or what the object itself offers to notebooks."""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
from html import escape
from typing import TYPE_CHECKING, Any

from nbflow.core.redaction import redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_BUNDLE_BYTES = 512 * 1024
_TARGET_PICTURE_BYTES = 150 * 1024
_MAX_PIXELS = 1200  # of a picture's longer side
_MIN_DPI = 40
_ROWS, _COLUMNS, _CELL_CHARS, _TEXT_CHARS = 10, 20, 80, 1000

_PLAIN = (str, bytes, bytearray, int, float, complex, bool, dict, list, tuple, set, frozenset, type, type(None))
_METHODS = (  # what an object may offer, and as which type, best first
    ("_repr_html_", "text/html"),
    ("_repr_markdown_", "text/markdown"),
    ("_repr_svg_", "image/svg+xml"),
    ("_repr_png_", "image/png"),
    ("_repr_jpeg_", "image/jpeg"),
    ("_repr_latex_", "text/latex"),
)
_drawing = threading.RLock()  # matplotlib's caches are shared by all figures


def mime_bundle(value: Any) -> dict[str, Any] | None:
    """The MIME form of a value as in nbformat's display_data, at most 512 KB; None for plain scalars and containers.

    Draws figures without closing or changing them. Never raises: a broken repr becomes a text that says so.
    """
    if type(value) in _PLAIN:
        return None
    try:
        data = _own_form(value)
        if data is None:
            data = _offered(value)
        if not data:
            return None
        kept = bounded({**data, "text/plain": data.get("text/plain") or _short_repr(value)})
        return redactor.value(kept) if redactor.active else kept
    except Exception as error:  # noqa: BLE001  whatever a user's object raises
        return {"text/plain": redactor.cut(f"<{_name_of(value)} cannot be shown: {type(error).__name__}: {error}>", _TEXT_CHARS)}


def bounded(data: Mapping[str, Any], limit_bytes: int = MAX_BUNDLE_BYTES) -> dict[str, Any]:
    """A bundle as JSON can carry it: bytes as base64, the biggest forms dropped until the rest fits, with a note in text/plain."""
    kept: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for mime, content in data.items():
        plain = base64.b64encode(content).decode() if isinstance(content, bytes | bytearray) else content
        try:
            sizes[mime] = len(plain) if isinstance(plain, str) else len(json.dumps(plain))
        except (TypeError, ValueError, RecursionError):
            continue
        kept[mime] = plain
    notes = []
    while kept and sum(sizes[mime] for mime in kept) > limit_bytes:
        biggest = max(kept, key=lambda mime: sizes[mime])
        content = kept.pop(biggest)
        notes.append(f"[{biggest} of {sizes[biggest] / 1024:,.0f} KB not kept]")
        if biggest == "text/plain":
            notes.append(str(content)[:_TEXT_CHARS])
    if notes:
        kept["text/plain"] = "\n".join([*filter(None, [str(kept.get("text/plain", ""))]), *notes])
    return kept


def is_instance_of(value: Any, module: str, name: str) -> bool:
    """Whether a value is of a library's class, without importing the library."""
    loaded = sys.modules.get(module)
    kind = getattr(loaded, name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _own_form(value: Any) -> dict[str, Any] | None:
    """What nbflow draws itself, because the library's own form is unbounded or missing."""
    if is_instance_of(value, "matplotlib.axes", "Axes"):
        value = value.figure
    if is_instance_of(value, "matplotlib.figure", "Figure"):
        return {"image/png": _figure_png(value)}
    if is_instance_of(value, "PIL.Image", "Image"):
        return {"image/png": _image_png(value)}
    library = type(value).__module__.partition(".")[0]
    if library in {"pandas", "polars", "pyarrow"}:
        return _table(value, library)
    return None


def _figure_png(figure: Any) -> bytes:
    width, height = figure.get_size_inches()
    dpi = min(figure.get_dpi(), _MAX_PIXELS / max(width, height, 1))
    with _drawing:
        while True:
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
            if buffer.tell() <= _TARGET_PICTURE_BYTES or dpi <= _MIN_DPI:
                return buffer.getvalue()
            dpi = max(_MIN_DPI, dpi * 0.7)


def _image_png(image: Any) -> bytes:
    small = image.copy()
    side = 800
    while True:
        small.thumbnail((side, side))
        buffer = io.BytesIO()
        (small if small.mode in {"1", "L", "LA", "P", "RGB", "RGBA"} else small.convert("RGB")).save(buffer, format="PNG")
        if buffer.tell() <= _TARGET_PICTURE_BYTES or side < 200:  # noqa: PLR2004
            return buffer.getvalue()
        side = side * 7 // 10


# Tables -----------------------------------------------------------------------------------------


def _table(value: Any, library: str) -> dict[str, Any] | None:
    kind = type(value).__name__
    if library == "pandas" and kind in {"DataFrame", "Series"}:
        return _pandas(value.to_frame() if kind == "Series" else value)
    if library == "polars" and kind in {"DataFrame", "Series"}:
        frame = value.to_frame() if kind == "Series" else value
        head = frame.head(_ROWS)
        return table_html(head.columns[:_COLUMNS], (row[:_COLUMNS] for row in head.iter_rows()), shape=frame.shape)
    if library == "pyarrow" and kind in {"Table", "RecordBatch"}:
        head = value.slice(0, _ROWS)
        columns = [head.column(index).to_pylist() for index in range(min(value.num_columns, _COLUMNS))]
        return table_html(value.schema.names[:_COLUMNS], zip(*columns, strict=True), shape=(value.num_rows, value.num_columns))
    return None


def _pandas(frame: Any) -> dict[str, Any]:
    head = frame.iloc[:_ROWS, :_COLUMNS]
    columns = ["" if name is None else name for name in head.columns]
    rows = zip(*(head.iloc[:, index].tolist() for index in range(len(columns))), strict=True)
    return table_html(columns, rows, shape=frame.shape, index=[*head.index], index_name=str(frame.index.name or ""))


def table_html(
    columns: Sequence[Any],
    rows: Iterable[Sequence[Any]],
    *,
    shape: tuple[int, int],
    index: Sequence[Any] | None = None,
    index_name: str = "",
) -> dict[str, Any]:
    """A small table as `text/html` and `text/plain`; everything escaped, styles inline, colours that suit light and dark pages."""
    titles = [str(column) for column in columns]
    cells = [[_cell(item) for item in row] for row in rows]
    numeric = [all(is_number for _, is_number in column) for column in zip(*cells, strict=False)] or [False] * len(titles)
    more_rows, more_columns = shape[0] - len(cells), shape[1] - len(titles)
    pad = "padding:3px 10px;white-space:nowrap;border-bottom:1px solid rgba(128,128,128,0.2)"
    muted = "color:rgb(128,134,145)"

    def line(tag: str, texts: Sequence[str], label: str | None, style: str) -> str:
        first = "" if label is None else f'<th style="{pad};{muted};font-weight:400;text-align:left">{_escaped(label)}</th>'
        body = "".join(
            f'<{tag} style="{pad};text-align:{"right" if right else "left"}{style}">{_escaped(text)}</{tag}>'
            for text, right in zip(texts, numeric, strict=False)
        )
        return f"<tr>{first}{body}</tr>"

    head = line("th", titles, None if index is None else index_name, ";font-weight:600")
    body = "".join(line("td", [text for text, _ in row], None if index is None else str(index[number]), "") for number, row in enumerate(cells))
    size = f"{shape[0]:,} row{'s' * (shape[0] != 1)}, {shape[1]:,} column{'s' * (shape[1] != 1)}"
    hidden = [f"{count:,} more {what}" for count, what in ((more_rows, "rows"), (more_columns, "columns")) if count > 0]
    note = size + (f" · {', '.join(hidden)} not shown" if hidden else "")
    html = (
        '<div style="overflow-x:auto;max-width:100%"><table style="border-collapse:collapse;font-size:12px;margin:0">'
        f"<thead>{head}</thead><tbody>{body}</tbody></table></div>"
        f'<div style="{muted};font-size:11px;padding:4px 0 0 2px">{_escaped(note)}</div>'
    )
    return {"text/html": html, "text/plain": _table_text(titles, cells, note)}


def _cell(item: Any) -> tuple[str, bool]:
    try:
        number = isinstance(item, int | float) and not isinstance(item, bool)
        text = f"{item:.6g}" if isinstance(item, float) else str(item)
    except Exception as error:  # noqa: BLE001  whatever a user's object raises
        return f"<{type(error).__name__}>", False
    if redactor.active:  # before a cut leaves a part that nobody knows
        text = redactor.cut(text, _CELL_CHARS + 1)
    return (text if len(text) <= _CELL_CHARS else text[: _CELL_CHARS - 1] + "…"), number


def _table_text(titles: Sequence[str], cells: Sequence[Sequence[tuple[str, bool]]], note: str) -> str:
    lines = [titles, *([text for text, _ in row] for row in cells)]
    flat = [[" ".join(text.split())[:24] for text in line[:8]] for line in lines]
    widths = [max(len(line[column]) for line in flat) for column in range(len(flat[0]))]
    drawn = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in flat]
    return "\n".join([*drawn, note])


def _escaped(text: str) -> str:
    return escape(" ".join(text.split()) if "\n" in text else text)


# What objects offer -----------------------------------------------------------------------------


def _offered(value: Any) -> dict[str, Any] | None:
    """Looks at the class, not the object, so that an object that answers to every name is not believed."""
    kind = type(value)
    data: dict[str, Any] = {}
    failures = []
    if callable(getattr(kind, "_repr_mimebundle_", None)):
        try:
            offered = value._repr_mimebundle_(include=None, exclude=None)
            data = dict((offered[0] if isinstance(offered, tuple) else offered) or {})
        except Exception as error:  # noqa: BLE001  whatever a user's object raises
            failures.append(f"_repr_mimebundle_ failed: {type(error).__name__}: {error}")
    for method, mime in () if data else _METHODS:
        if not callable(getattr(kind, method, None)):
            continue
        try:
            offered = getattr(value, method)()
        except Exception as error:  # noqa: BLE001  whatever a user's object raises
            failures.append(f"{method} failed: {type(error).__name__}: {error}")
            continue
        offered = offered[0] if isinstance(offered, tuple) else offered
        if offered is not None:
            data[mime] = offered
    if failures and not data:
        return {"text/plain": redactor.cut(f"<{_name_of(value)}: {'; '.join(failures)}>", _TEXT_CHARS)}
    return data or None


def _short_repr(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001  whatever a user's object raises
        return f"<{_name_of(value)}: its repr failed: {type(error).__name__}>"
    return text if len(text) <= _TEXT_CHARS else redactor.cut(text, _TEXT_CHARS - 1) + "…"


def _name_of(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
