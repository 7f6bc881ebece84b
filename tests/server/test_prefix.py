import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from nbflow.server.prefix import Prefix


async def where(request: Request):
    return JSONResponse({"root": request.scope["root_path"], "path": request.scope["path"], "raw": request.scope["raw_path"].decode()})


async def get(prefix, path):
    app = Prefix(Starlette(routes=[Route("/a b", where), Route("/", where)]), prefix)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        return (await client.get(path)).json()


@pytest.mark.parametrize("path", ["/lab/a%20b", "/a%20b"])
async def test_a_prefix_is_known_whether_the_proxy_passes_it_on_or_not(path):
    assert await get("/lab", path) == {"root": "/lab", "path": "/lab/a b", "raw": "/lab/a%20b"}


async def test_without_a_prefix_nothing_changes():
    assert await get("", "/a%20b") == {"root": "", "path": "/a b", "raw": "/a%20b"}


async def test_a_path_that_only_begins_alike_is_not_the_prefix():
    async def echo(scope, receive, send):
        await JSONResponse([scope["root_path"], scope["path"]])(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=Prefix(echo, "/lab")), base_url="http://test") as client:
        assert (await client.get("/laboratory")).json() == ["/lab", "/lab/laboratory"]
