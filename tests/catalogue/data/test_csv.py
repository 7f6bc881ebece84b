import importlib.util
import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nbflow.catalogue import csv_text
from nbflow.core.errors import ConfigError, InputError, MissingExtraError
from nbflow.testing import FakeContext, run_node


async def parse(text: str | bytes, ctx: FakeContext | None = None, **config: object) -> object:
    return await run_node("data.csv", {"operation": "parse", "output": "records", **config}, text, ctx=ctx)


async def test_text_becomes_a_frame_with_types() -> None:
    frame = await run_node("data.csv", {}, "id,when,ok,name\n1,2026-01-01,true,Ada\n2,2026-01-02,false,\n")
    assert list(frame.columns) == ["id", "when", "ok", "name"]
    assert frame["id"].dtype == "int64"
    assert frame["ok"].dtype == "bool"
    assert frame["name"][0] == "Ada"


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
async def test_the_delimiter_is_found(sign: str) -> None:
    text = f'a{sign}b\n1{sign}"x, y; z"\n3{sign}4\n'
    assert await parse(text) == [{"a": 1, "b": "x, y; z"}, {"a": 3, "b": "4"}]


async def test_a_single_column_is_no_puzzle() -> None:
    assert await parse("name\nAda\nBob") == [{"name": "Ada"}, {"name": "Bob"}]


async def test_a_file_with_a_byte_order_mark_and_lines_above_the_header(ctx: FakeContext) -> None:
    (ctx.project / "a.csv").write_bytes("\ufeffreport\r\nof today\r\na,b\r\n1,\u00fc\r\n".encode())
    assert await parse("", ctx, path="a.csv", skip_lines=2) == [{"a": 1, "b": "\u00fc"}]
    assert await run_node("data.csv", {"output": "records", "skip_lines": 2}, Path("a.csv"), ctx=ctx) == [{"a": 1, "b": "\u00fc"}]


async def test_strings_stay_what_they_were() -> None:
    assert await parse("zip,n\n00123,NA\n9,\n", types="strings") == [{"zip": "00123", "n": "NA"}, {"zip": "9", "n": ""}]


async def test_a_type_is_decided_by_all_values() -> None:
    rows = "\n".join(str(number) for number in range(300_000))
    frame = await run_node("data.csv", {}, f"a\n{rows}\nn/a-ish\n")
    assert frame["a"].iloc[-1] == "n/a-ish"


async def test_without_header_columns_are_numbered_and_repeated_names_too() -> None:
    assert await parse("1,2\n", header=False) == [{"column_1": 1, "column_2": 2}]
    assert await parse("a,a,,a\n1,2,3,4\n") == [{"a": 1, "a_2": 2, "column_3": 3, "a_3": 4}]


async def test_max_rows_and_emptiness() -> None:
    assert await parse("a\n1\n2\n3\n", max_rows=2) == [{"a": 1}, {"a": 2}]
    assert await parse("a,b\n") == []
    assert await parse("") == []
    assert await parse("a\n1\n\n2\n") == [{"a": 1}, {"a": 2}]


async def test_a_bad_row_is_told_by_its_line_or_left_out_and_counted(ctx: FakeContext) -> None:
    text = 'a,b\n1,"x\ny"\n3\n4,5\n6,7,8\n'
    with pytest.raises(InputError, match="line 4 has 1 columns where 2 were expected"):
        await parse(text)
    assert [row["b"] for row in await parse(text, ctx, bad_rows="skip")] == ["x\ny", "5"]
    assert ctx.logs == [("warn", "2 bad rows left out (lines 4, 6)")]


async def test_bytes_that_are_no_text_are_told_by_their_line() -> None:
    content = "a\nb\n\u00fc\n".encode("latin-1")
    with pytest.raises(InputError, match="line 3: byte 0xfc is no utf-8 text"):
        await parse(content)
    assert await parse(content, encoding="latin-1") == [{"a": "b"}, {"a": "\u00fc"}]
    with pytest.raises(ConfigError, match="unknown encoding"):
        await parse(content, encoding="latin-99")


async def test_a_missing_file_and_a_wrong_input_are_told() -> None:
    with pytest.raises(InputError, match=r"nothing\.csv: No such file"):
        await parse("", path="nothing.csv")
    with pytest.raises(InputError, match="outside"):
        await parse("", path="/etc/passwd")
    with pytest.raises(InputError, match="not dict"):
        await run_node("data.csv", {}, {"a": 1})


async def test_tables_become_text(ctx: FakeContext) -> None:
    rows = [{"a": 1, "b": "x,y"}, {"a": 2, "b": None}]
    assert await run_node("data.csv", {"operation": "stringify"}, rows) == 'a,b\n1,"x,y"\n2,\n'
    config = {"operation": "stringify", "columns": ["b"], "delimiter": ";", "line_end": "crlf", "header": False, "quoting": "all"}
    assert await run_node("data.csv", config, pd.DataFrame(rows)) == '"x,y"\r\n""\r\n'
    facts = await run_node("data.csv", {"operation": "stringify", "path": "out.csv"}, rows, ctx=ctx)
    assert (facts["path"], facts["mime"]) == ("out.csv", "text/csv")
    assert (ctx.project / "out.csv").read_text() == 'a,b\n1,"x,y"\n2,\n'
    with pytest.raises(InputError, match="no column 'c'"):
        await run_node("data.csv", {"operation": "stringify", "columns": ["c"]}, rows)


async def test_formulas_are_made_harmless() -> None:
    rows = [{"=a": "=1+1", "n": -1, "t": "@SUM(A1)"}]
    assert await run_node("data.csv", {"operation": "stringify"}, rows) == "'=a,n,t\n'=1+1,-1,'@SUM(A1)\n"
    assert await run_node("data.csv", {"operation": "stringify", "escape_formulas": False}, rows) == "=a,n,t\n=1+1,-1,@SUM(A1)\n"


async def convert(ctx: FakeContext, path: str, to: str, **config: object) -> dict:
    return await run_node("data.csv", {"operation": "convert", "path": path, "to": to, **config}, ctx=ctx)


async def test_files_are_converted_there_and_back(ctx: FakeContext) -> None:
    (ctx.project / "a.csv").write_text("id;name\n1;Ada\n2;Bob\n")
    rows = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}]
    assert (await convert(ctx, "a.csv", "a.json"))["rows"] == 2
    assert json.loads((ctx.project / "a.json").read_text()) == rows
    await convert(ctx, "a.json", "a.jsonl")
    await convert(ctx, "a.jsonl", "a.parquet")
    assert pd.read_parquet(ctx.project / "a.parquet").to_dict(orient="records") == rows
    await convert(ctx, "a.parquet", "a.tsv", columns=["name"])
    assert (ctx.project / "a.tsv").read_text() == "name\nAda\nBob\n"
    await convert(ctx, "a.tsv", "b.csv", max_rows=1)
    assert (ctx.project / "b.csv").read_text() == "name\nAda\n"


async def test_a_failed_conversion_leaves_no_file(ctx: FakeContext) -> None:
    (ctx.project / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"a\.json is no json file"):
        await convert(ctx, "a.json", "a.csv")
    (ctx.project / "a.parquet").write_text("x")
    with pytest.raises(InputError, match="is no parquet file"):
        await convert(ctx, "a.parquet", "a.csv")
    assert sorted(path.name for path in ctx.project.iterdir()) == ["a.json", "a.parquet"]


async def test_excel_is_an_extra(ctx: FakeContext) -> None:
    (ctx.project / "a.csv").write_text("a\n1\n")
    if importlib.util.find_spec("openpyxl") is None:
        with pytest.raises(MissingExtraError, match=r'pip install "nbflow\[excel\]"'):
            await convert(ctx, "a.csv", "a.xlsx")
        return
    await convert(ctx, "a.csv", "a.xlsx")
    await convert(ctx, "a.xlsx", "b.csv")
    assert (ctx.project / "b.csv").read_text() == "a\n1\n"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"operation": "stringify", "bad_rows": "skip"}, "'bad_rows' does not belong to operation 'stringify'"),
        ({"operation": "convert", "path": "a.csv"}, "'convert' needs the field 'to'"),
        ({"operation": "convert", "path": "a.csv", "to": "a.doc"}, "unknown ending"),
        ({"delimiter": "ab"}, "one sign"),
        ({"delimiter": "x"}, "one sign"),
    ],
)
async def test_fields_belong_to_operations(config: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        await run_node("data.csv", config, "a")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\0\ufeff"), min_size=1)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_what_is_written_is_read_back(rows: list[tuple[str, str]]) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"])
    text = csv_text.write(frame, columns=(), delimiter=",", header=True, line_end="\n", quoting="all", escape_formulas=False)
    again, bad = csv_text.read(text.encode(), csv_text.Dialect(delimiter=",", infer_types=False))
    assert bad == []
    assert [tuple(row) for row in again.to_numpy().tolist()] == rows
