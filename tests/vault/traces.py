"""Finds a secret in bytes, in every encoding; made from the standard library's own encoders, not from what is tested."""

import base64
import html
import json
import urllib.parse


def encodings(secret: str) -> dict[str, bytes]:
    raw = secret.encode()
    texts = {
        "raw": secret,
        "json": json.dumps(secret)[1:-1],
        "json, not ascii": json.dumps(secret, ensure_ascii=False)[1:-1],
        "json twice": json.dumps(json.dumps(secret))[3:-3],
        "url": urllib.parse.quote(secret, safe=""),
        "url, path": urllib.parse.quote(secret),
        "url, lower case": urllib.parse.quote(secret, safe="").replace("%2F", "%2f").replace("%3C", "%3c").replace("%2B", "%2b"),
        "form": urllib.parse.quote_plus(secret),
        "html": html.escape(secret),
        "html, no quotes": html.escape(secret, quote=False),
        "repr": repr(secret)[1:-1],
        "ascii": ascii(secret)[1:-1],
        "repr of bytes": repr(raw)[2:-1],
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
    }
    found = {name: text.encode() for name, text in texts.items()}
    for shift in range(3):
        padded = base64.b64encode(b"x" * shift + raw)
        sure = padded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        found[f"base64, {shift}"] = sure
        found[f"urlsafe base64, {shift}"] = sure.replace(b"+", b"-").replace(b"/", b"_")
    return found


def traces(secret: str, data: bytes) -> list[str]:
    """Names of the encodings in which the secret, or half of it, is in the data."""
    half = len(secret) // 2
    whole = [name for name, encoded in encodings(secret).items() if encoded in data]
    parts = [f"a part: {part}" for part in (secret[:half], secret[half:]) if part.encode() in data]
    return whole + parts
