from pathlib import Path

import pytest
from pydantic import ValidationError

from nbflow.core.errors import InputError, NodeError
from nbflow.testing import FakeContext, run_node


@pytest.fixture
def root(ctx: FakeContext) -> Path:
    (ctx.project / "in").mkdir()
    (ctx.project / "in" / "a.txt").write_text("\u00fc")
    (ctx.project / "in" / "b.json").write_text('{"x": 1}')
    return ctx.project


async def run(ctx: FakeContext, operation: str, path: str = ".", value: object = None, **config: object) -> object:
    return await run_node("data.file", {"operation": operation, "path": path, **config}, value, ctx=ctx)


@pytest.mark.usefixtures("root")
async def test_read_text_json_bytes_and_patterns(ctx: FakeContext) -> None:
    assert await run(ctx, "read", "in/a.txt") == "\u00fc"
    assert await run(ctx, "read", "in/b.json") == {"x": 1}
    assert await run(ctx, "read", "in/b.json", format="text") == '{"x": 1}'
    assert await run(ctx, "read", "in/a.txt", format="bytes") == "\u00fc".encode()
    found = await run(ctx, "read", "in/*")
    assert [(item["path"], item["content"]) for item in found] == [("in/a.txt", "\u00fc"), ("in/b.json", {"x": 1})]
    assert await run(ctx, "read", "in/*.nothing") == []


async def test_read_tells_what_is_wrong(ctx: FakeContext, root: Path) -> None:
    (root / "latin.txt").write_bytes(b"\xfc")
    (root / "bad.json").write_text("{")
    for path, message in (("no.txt", "no file no.txt"), ("latin.txt", "no utf-8 text"), ("bad.json", "no JSON"), ("in", "Is a directory")):
        with pytest.raises(InputError, match=message):
            await run(ctx, "read", path)
    assert await run(ctx, "read", "latin.txt", encoding="latin-1") == "\u00fc"


async def test_write_what_is_given(ctx: FakeContext, root: Path) -> None:
    facts = await run(ctx, "write", "out/a.txt", "one\n", make_folders=True)
    assert (facts["path"], facts["size_bytes"], facts["kind"]) == ("out/a.txt", 4, "file")
    await run(ctx, "write", "out/a.txt", "two\n", append=True)
    assert (root / "out/a.txt").read_text() == "one\ntwo\n"
    await run(ctx, "write", "b.json", {"a": "\u00fc"})
    assert (root / "b.json").read_text() == '{\n  "a": "\u00fc"\n}\n'
    await run(ctx, "write", "c", content=b"\x00")
    assert (root / "c").read_bytes() == b"\x00"
    await run(ctx, "write", "d.json", "text", format="json")
    assert (root / "d.json").read_text() == '"text"\n'
    with pytest.raises(InputError, match="there already"):
        await run(ctx, "write", "c", "x", overwrite=False)
    with pytest.raises(InputError, match="No such file"):
        await run(ctx, "write", "no/folder.txt", "x")
    for wrong in (None, {1: object()}):
        with pytest.raises(InputError):
            await run(ctx, "write", "c", wrong)


async def test_a_file_is_replaced_whole_and_keeps_its_mode(ctx: FakeContext, root: Path) -> None:
    target = root / "a.sh"
    target.write_text("old")
    target.chmod(0o750)
    before = target.stat().st_ino
    await run(ctx, "write", "a.sh", "new")
    assert target.read_text() == "new"
    assert target.stat().st_ino != before
    assert target.stat().st_mode & 0o777 == 0o750
    assert [item["path"] for item in await run(ctx, "list", pattern=".*")] == []


@pytest.mark.usefixtures("root")
async def test_list_exists_stat(ctx: FakeContext) -> None:
    assert [item["path"] for item in await run(ctx, "list", "in", pattern="*.txt")] == ["in/a.txt"]
    assert [item["path"] for item in await run(ctx, "list", recursive=True)] == ["in", "in/a.txt", "in/b.json"]
    assert await run(ctx, "exists", "in/a.txt") is True
    assert await run(ctx, "exists", "in/x.txt") is False
    assert (await run(ctx, "stat", "in"))["kind"] == "folder"
    with pytest.raises(InputError):
        await run(ctx, "stat", "nothing")


async def test_move_copy_delete(ctx: FakeContext, root: Path) -> None:
    assert (await run(ctx, "copy", "in/a.txt", to="c.txt"))["path"] == "c.txt"
    assert (await run(ctx, "move", "c.txt", to="in"))["path"] == "in/c.txt"
    assert not (root / "c.txt").exists()
    assert (await run(ctx, "copy", "in", to="again/in", make_folders=True))["kind"] == "folder"
    assert (root / "again/in/b.json").exists()
    with pytest.raises(InputError, match="there already"):
        await run(ctx, "move", "in/c.txt", to="again/in/b.json", overwrite=False)
    assert await run(ctx, "delete", "in/c.txt") is True
    assert await run(ctx, "delete", "in/c.txt", missing_ok=True) is False
    with pytest.raises(InputError, match="no file"):
        await run(ctx, "delete", "in/c.txt")
    with pytest.raises(NodeError, match="not empty"):
        await run(ctx, "delete", "again")
    assert await run(ctx, "delete", "again", recursive=True) is True
    with pytest.raises(InputError, match="root itself"):
        await run(ctx, "delete", ".", recursive=True)


@pytest.mark.parametrize("path", ["../x.txt", "/etc/passwd", "in/../../x.txt", "out/passwd", "../*", "/etc/pass*", "out/pass*"])
@pytest.mark.parametrize("operation", ["read", "write", "delete", "exists", "stat", "move", "copy"])
async def test_nothing_leaves_the_root(ctx: FakeContext, root: Path, path: str, operation: str) -> None:
    (root / "out").symlink_to("/etc")
    config = {"to": "in/y.txt"} if operation in {"move", "copy"} else {}
    with pytest.raises(InputError, match="outside"):
        await run(ctx, operation, path, "x", **config)


async def test_a_link_is_no_way_out(ctx: FakeContext, root: Path) -> None:
    (root / "in" / "link").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="outside"):
        await run(ctx, "write", "in/link", "x")
    with pytest.raises(InputError, match="outside"):
        await run(ctx, "copy", "in/a.txt", to="in/link")
    assert "link" not in [item["name"] for item in await run(ctx, "list", "in")]


async def test_outside_is_reached_when_that_is_meant(ctx: FakeContext, root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert (await run(ctx, "write", str(elsewhere / "a.txt"), "x", allow_outside=True))["path"] == str(elsewhere / "a.txt")
    assert await run(ctx, "read", str(elsewhere / "*.txt"), allow_outside=True)
    assert await run(ctx, "read", "a.txt", root=str(elsewhere), allow_outside=True) == "x"
    assert await run(ctx, "read", "a.txt", root="in") == "\u00fc"
    with pytest.raises(InputError, match="outside"):
        await run(ctx, "read", "../in.txt", root="in")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"operation": "move", "path": "a"}, "needs the field 'to'"),
        ({"operation": "read"}, "needs the field 'path'"),
        ({"operation": "stat", "path": "a", "append": True}, "belongs to: write"),
        ({"operation": "write", "path": "a", "append": True, "overwrite": False}, "exclude each other"),
    ],
)
async def test_fields_belong_to_operations(config: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        await run_node("data.file", config)
