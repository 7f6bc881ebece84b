from __future__ import annotations

import base64
import io
import json
from unittest.mock import Mock

import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from PIL import Image

from nbflow.display.bundle import MAX_BUNDLE_BYTES, bounded, mime_bundle


@pytest.mark.parametrize("value", [None, 1, 1.5, "text", b"x", True, [1], {"a": 1}, (1,), {1}, int])
def test_plain_values_have_no_rich_form(value):
    assert mime_bundle(value) is None


def test_a_figure_becomes_a_picture_of_moderate_size_and_is_left_as_it_was():
    figure = Figure(figsize=(60, 40), dpi=300)
    figure.subplots().plot([1, 3, 2])

    data = mime_bundle(figure)

    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert max(picture.size) <= 1250
    assert figure.dpi == 300


def test_a_frame_becomes_its_first_ten_rows_and_its_shape():
    frame = pd.DataFrame({"name": ["<script>"] * 42, "n": range(42)})

    data = mime_bundle(frame)

    assert data["text/html"].count("&lt;script&gt;") == 10
    assert "<script>" not in data["text/html"]
    assert "42 rows, 2 columns · 32 more rows not shown" in data["text/html"]
    assert "42 rows, 2 columns" in data["text/plain"]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"a": []}),
        pd.DataFrame([[1, 2]], columns=["same", "same"]),
        pd.DataFrame({("a", "b"): [1]}),
        pd.Series([1, 2], name="n"),
        pd.DataFrame({"when": [pd.Timestamp("2026-01-01"), pd.NaT], "x": [None, object()]}),
        pa.table({"a": [1, 2], "b": ["x", None]}),
    ],
)
def test_every_kind_of_frame_has_a_table(frame):
    assert "<table" in mime_bundle(frame)["text/html"]


def test_an_image_is_made_smaller():
    data = mime_bundle(Image.effect_noise((3000, 2000), 90))

    assert len(data["image/png"]) < 300_000


def test_what_an_object_offers_to_notebooks_is_taken():
    class Offer:
        def _repr_html_(self):
            return "<b>hi</b>"

        def _repr_png_(self):
            return b"\x89PNG"

    data = mime_bundle(Offer())

    assert data["text/html"] == "<b>hi</b>"
    assert base64.b64decode(data["image/png"]) == b"\x89PNG"


def test_a_broken_repr_becomes_a_text():
    class Broken:
        def _repr_html_(self):
            raise ValueError("no data")

        def __repr__(self):
            raise RuntimeError

    assert "ValueError: no data" in mime_bundle(Broken())["text/plain"]


def test_an_object_that_answers_to_every_name_is_not_believed():
    assert mime_bundle(Mock()) is None


def test_too_big_forms_are_dropped_with_a_note():
    class Big:
        def _repr_mimebundle_(self, **_):
            return {"text/html": "x" * 4_000_000, "application/json": {"a": 1}, "text/plain": "small"}

    data = mime_bundle(Big())

    assert data["application/json"] == {"a": 1}
    assert data["text/plain"] == "small\n[text/html of 3,906 KB not kept]"
    assert len(json.dumps(data)) < MAX_BUNDLE_BYTES


def test_forms_that_json_cannot_carry_are_left_out():
    assert bounded({"text/plain": "x", "application/x": object()}) == {"text/plain": "x"}
