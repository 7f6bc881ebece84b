from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from gated import TOKEN
from playwright.sync_api import expect, sync_playwright

from nbflow.accounts.rights import Role

CHROMIUM = "/usr/bin/chromium"
pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium")
ADA = {"sub": "ada-at-the-provider", "name": "Ada Lovelace", "email": "ada@example.org", "email_verified": True}


@pytest.fixture(scope="module")
def provider():
    """An OpenID provider in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "oidc_provider_mock", "-p", str(port), "-n", "true", "--user-claims", json.dumps(ADA)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=5).close()
            break
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline, "the provider did not start"
            time.sleep(0.1)
    yield issuer
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """A browser of its own, that has never been here; `foreign` are the addresses it asked outside of this machine."""
    contexts = []

    def open_(scheme="light"):
        contexts.append(chromium.new_context(viewport={"width": 1100, "height": 820}, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.foreign = []
        page.on("request", lambda request: page.foreign.append(request.url) if "//127.0.0.1" not in request.url else None)
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_somebody_signs_in_with_the_token_after_a_wrong_one(gated, visit, tmp_path, scheme):
    server, page = gated(), visit(scheme)

    page.goto(f"{server.address}/executions?status=failed")
    expect(page.get_by_role("heading")).to_have_text("Sign in")
    expect(page.get_by_label("Token")).to_be_focused()
    page.screenshot(path=tmp_path / "form.png")
    page.get_by_label("Token").fill("the token of yesterday")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not the server's token")
    page.get_by_text("Where do I find the token?").click()
    page.screenshot(path=tmp_path / "wrong.png")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(f"{server.address}/executions?status=failed")
    assert '"kind":"session"' in page.content()
    assert page.foreign == []
    ground = {"light": "rgb(244, 246, 249)", "dark": "rgb(15, 19, 25)"}[scheme]
    page.goto(f"{server.address}/logout")
    page.context.clear_cookies()
    page.goto(f"{server.address}/login")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground  # the style passes its own policy


def test_the_printed_address_leaves_no_token_in_the_browser(gated, visit):
    server, page = gated(), visit()

    page.goto(f"{server.address}/executions?nbflow_token={TOKEN}")

    assert page.url == f"{server.address}/executions"
    assert page.evaluate("history.length") <= 2
    assert TOKEN not in page.evaluate("document.referrer + document.cookie")
    assert page.evaluate("document.cookie") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_somebody_signs_in_by_a_real_provider_and_out_again(gated, visit, provider, directory, tmp_path, scheme):
    home = directory.default()
    directory.invite(home.organization.id, ADA["email"], Role.DEVELOPER)
    server, page = gated(auth="oidc", oidc={"issuer": provider, "client_id": "nbflow", "client_secret": "anything"}), visit(scheme)

    page.goto(f"{server.address}/executions")
    page.screenshot(path=tmp_path / "provider.png")
    page.get_by_role("link", name=re.compile("^Continue with")).click()
    expect(page).to_have_url(re.compile(f"^{provider}/oauth2/authorize"))
    page.locator(f"button[value='{ADA['sub']}']").click()

    expect(page).to_have_url(f"{server.address}/executions")
    assert '"user":"Ada Lovelace"' in page.content()
    assert '"roles":["developer"]' in page.content()

    page.evaluate(
        "() => { const form = document.createElement('form'); form.method = 'post'; form.action = 'logout'; document.body.append(form); form.submit(); }"  # noqa: E501
    )
    expect(page.get_by_role("heading")).to_have_text("You are signed out")
    page.screenshot(path=tmp_path / "signed-out.png")
    page.goto(f"{server.address}/executions")
    expect(page.get_by_role("heading")).to_have_text("Sign in")


def test_who_says_no_at_the_provider_comes_back_to_a_page_that_says_so(gated, visit, provider, tmp_path):
    server, page = gated(auth="oidc", oidc={"issuer": provider, "client_id": "nbflow"}), visit()
    page.goto(f"{server.address}/login/start?next=")

    page.get_by_role("button", name=re.compile("deny", re.IGNORECASE)).click()

    expect(page.get_by_role("alert")).to_contain_text("did not sign you in")
    page.screenshot(path=tmp_path / "denied.png")
    page.get_by_role("link", name="Back to sign in").click()
    expect(page.get_by_role("heading")).to_have_text("Sign in")
