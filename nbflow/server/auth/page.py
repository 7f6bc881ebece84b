"""The pages of signing in: HTML without scripts, fonts or anything else from elsewhere, light and dark."""

from __future__ import annotations

import base64
import hashlib
from html import escape

_STYLE = """
:root { color-scheme: light dark; --ground: #f4f6f9; --card: #fff; --line: #d8dee6; --text: #1b2430; --soft: #5a6675; --field: #fff;
  --edge: #aeb9c6; --blue: #1f6feb; --blue-text: #fff; --bad: #b3261e; --bad-ground: #fdecea; --code: #eef1f5; }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1319; --card: #171c24; --line: #2d3642; --text: #e6eaf0; --soft: #9aa6b5; --field: #0f1319;
  --edge: #4b5869; --blue: #4c8dff; --blue-text: #08111f; --bad: #ffb4ab; --bad-ground: #3a1b1a; --code: #222a35; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--ground); color: var(--text);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { width: 100%; max-width: 420px; background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 32px;
  box-shadow: 0 12px 32px rgb(0 0 0 / .07); }
.brand { display: flex; align-items: center; gap: 10px; font-weight: 650; font-size: 17px; letter-spacing: -.01em; color: var(--text); }
.brand svg { width: 30px; height: 22px; }
h1 { font-size: 23px; line-height: 1.25; letter-spacing: -.02em; margin: 22px 0 8px; }
h1 + .alert { margin-top: 14px; }
p { margin: 0 0 18px; color: var(--soft); }
label { display: block; font-weight: 600; margin-bottom: 6px; }
input { width: 100%; padding: 11px 12px; font: inherit; color: inherit; background: var(--field); border: 1px solid var(--edge); border-radius: 8px; }
button, .button { display: block; width: 100%; margin-top: 14px; padding: 11px 14px; font: inherit; font-weight: 600; text-align: center;
  text-decoration: none; color: var(--blue-text); background: var(--blue); border: 0; border-radius: 8px; cursor: pointer; }
button:hover, .button:hover { filter: brightness(1.08); }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
.alert { margin: 0 0 18px; padding: 10px 12px; border-radius: 8px; color: var(--bad); background: var(--bad-ground); }
details { margin-top: 20px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--soft); font-size: 14px; }
summary { cursor: pointer; color: var(--text); }
details p { margin: 10px 0; } details > :last-child { margin-bottom: 0; }
code { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, monospace; background: var(--code); border-radius: 5px; padding: 1px 5px;
  overflow-wrap: anywhere; }
pre { margin: 10px 0; padding: 10px 12px; border-radius: 8px; background: var(--code); white-space: pre-wrap; } pre code { padding: 0; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_MARK = """<svg viewBox="0 0 60 44" fill="none" aria-hidden="true"><path d="M14 22h10c8 0 6-12 14-12h6M24 22c8 0 6 12 14 12h6" stroke="#8b93a1"
 stroke-width="3.5"/><circle cx="10" cy="22" r="7" fill="#e07a1f"/><circle cx="49" cy="10" r="7" fill="#2f6fdb"/><circle cx="49" cy="34" r="7"
 fill="#1a9c94"/></svg>"""


def headers(frame_ancestors: tuple[str, ...] = ()) -> dict[str, str]:
    """What goes with each of these pages: nothing is kept, nothing is told to others, nothing but our style is used."""
    ancestors = " ".join(("'self'", *frame_ancestors))
    policy = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",  # not no-referrer: with that, browsers send our own form with `Origin: null`
        "X-Content-Type-Options": "nosniff",
    }


def token_page(next_: str, alert: str = "") -> str:
    """Asks for the server's token."""
    return _page(
        "Sign in",
        f"""<p>Paste the token that <code>nbflow serve</code> printed when it started.</p>
{_alert(alert)}<form method="post" action="login">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus spellcheck="false">
<input name="next" type="hidden" value="{escape(next_)}">
<button>Sign in</button>
</form>
<details><summary>Where do I find the token?</summary>
<p>In the terminal or log of the server, at the end of the address that opens it:</p>
<pre><code>http://…/?nbflow_token=<b>the token</b></code></pre>
<p>Each start makes a new one. To choose your own, set <code>NBFLOW_SERVER_TOKEN</code> before starting the server.</p>
</details>""",
    )


def provider_page(start: str, provider: str, alert: str = "") -> str:
    """Sends to the identity provider."""
    return _page(
        "Sign in",
        f"""<p>This server knows you by your account at <b>{escape(provider)}</b>. You come back here afterwards.</p>
{_alert(alert)}<a class="button" href="{escape(start)}">Continue with {escape(provider)}</a>
<details><summary>For programs</summary>
<p>Send <code>Authorization: Bearer …</code> with an API key, made under <code>/api/v1/api-keys</code>, or with a token of the provider.</p>
</details>""",
    )


def no_client_page(alert: str = "") -> str:
    """For a server that knows the provider's tokens, but was given no client to sign in by browser."""
    return _page(
        "Sign in is not set up",
        f"""{_alert(alert)}<p>This server takes the identity provider's tokens from programs, but has no client there
to sign people in by browser.</p>
<p>Whoever runs it registers one at the provider and sets <code>oidc.client_id</code> (and <code>oidc.client_secret</code>)
in <code>nbflow.toml</code>.</p>""",
    )


def signed_out_page(sign_in: str) -> str:
    """After signing out. Does not go on by itself: a provider would sign in again at once."""
    return _page("You are signed out", f'<p>This browser has no access any more.</p><a class="button" href="{escape(sign_in)}">Sign in again</a>')


def trouble_page(title: str, message: str, sign_in: str) -> str:
    """Something went wrong on the way; says what and goes back to the start."""
    return _page(title, f'{_alert(message)}<a class="button" href="{escape(sign_in)}">Back to sign in</a>')


def _alert(text: str) -> str:
    return f'<div class="alert" role="alert">{escape(text[:1].upper() + text[1:])}</div>\n' if text else ""


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · nbflow</title><style>{_STYLE}</style></head>
<body><main><div class="brand">{_MARK}nbflow</div><h1>{escape(title)}</h1>
{body}
</main></body></html>
"""
