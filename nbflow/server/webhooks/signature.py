"""HMAC signatures over raw bodies (RFC 2104), as services write them, and the memory that lets each be used once."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from typing import TYPE_CHECKING

from nbflow.server.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbflow.catalogue.trigger.webhook import HmacRules

_PLACE = re.compile(r"\{([^{}]+)\}")
_LONGEST_S = 86_400.0
_MILLISECONDS = 1e11  # a Unix time beyond the year 5000 is in milliseconds


def verify(
    rules: HmacRules, header: str, secret: str, headers: Mapping[str, str], raw: bytes, *, now_s: float | None = None
) -> tuple[str, float] | None:
    """Checks the signature in `header` (small letters). Of signatures with a time: (what to remember, until when, in Unix seconds).

    Raises ApiError (401) for a missing or wrong signature and for a time that is off by more than the tolerance;
    ValueError for a secret that is not written as the rules say.
    """
    given = headers.get(header, "")
    if not given:
        msg = f"the request is not signed: the header {header} is missing"
        raise ApiError(401, "signature_missing", msg)
    timestamp = _timestamp(rules, headers) if rules.timestamp_header else ""
    mac = hmac.new(_key(rules, secret), _signed(rules, timestamp, headers, raw), getattr(hashlib, rules.algorithm)).digest()
    if not any(_equal(rules, candidate, mac) for candidate in _candidates(rules, given)):
        msg = f"the signature in {header} is not that of this body: check the secret, and that the raw body is signed as the field hmac says"
        raise ApiError(401, "signature_wrong", msg)
    if not timestamp:
        return None
    signed_s = _seconds(timestamp)
    tolerance_s = rules.tolerance.total_seconds()
    if signed_s is None or not abs((time.time() if now_s is None else now_s) - signed_s) <= tolerance_s:  # also for nan
        msg = (
            f"the request was signed more than {tolerance_s:g} s ago or ahead (the webhook's field hmac.tolerance); sign again, and check the clocks"
        )
        raise ApiError(401, "signature_expired", msg)
    return hashlib.sha256(mac).hexdigest()[:32], signed_s + tolerance_s


def _key(rules: HmacRules, secret: str) -> bytes:
    if rules.key == "text":
        return secret.encode()
    if rules.key == "hex":
        return bytes.fromhex(secret)
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _timestamp(rules: HmacRules, headers: Mapping[str, str]) -> str:
    """As it was sent: the text itself is signed."""
    text = headers.get(rules.timestamp_header.lower(), "").strip()
    if "=" in text:  # Stripe: t=1700000000,v1=...
        text = next((part.strip()[2:] for part in text.split(",") if part.strip().startswith("t=")), "")
    if not text:
        msg = f"the time of signing is missing: the header {rules.timestamp_header}"
        raise ApiError(401, "signature_missing", msg)
    return text


def _seconds(timestamp: str) -> float | None:
    try:
        seconds = float(timestamp)
    except ValueError:
        return None
    return seconds / 1000 if seconds > _MILLISECONDS else seconds


def _signed(rules: HmacRules, timestamp: str, headers: Mapping[str, str], raw: bytes) -> bytes:
    parts = _PLACE.split(rules.signed)  # text, name, text, name, ..., text
    said = {"timestamp": timestamp.encode("latin-1", "replace"), "body": raw}
    return b"".join(
        (said[part] if part in said else headers.get(part.lower(), "").encode("latin-1", "replace")) if place % 2 else part.encode()
        for place, part in enumerate(parts)
    )


def _candidates(rules: HmacRules, given: str) -> list[str]:
    """The signatures in the header: several while a sender changes its secret."""
    if not rules.prefix:
        return [given.strip()]
    separators = r"\s+" if "," in rules.prefix else r"[\s,]+"
    return [part[len(rules.prefix) :] for part in re.split(separators, given) if part.startswith(rules.prefix)]


def _equal(rules: HmacRules, candidate: str, mac: bytes) -> bool:
    """In constant time."""
    if rules.encoding == "hex":
        return hmac.compare_digest(candidate.lower().encode("utf-8", "replace"), mac.hex().encode())
    return hmac.compare_digest(candidate.encode("utf-8", "replace"), base64.b64encode(mac))


class UsedSignatures:
    """Those whose time has not run out yet."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._clean_at = 1000

    def use(self, signature: str, until_s: float) -> None:
        """Raises ApiError (401) for one that was used before."""
        if signature in self._until:
            msg = "this signed request was received before; a repeated one needs the idempotency key of the first, or a new signature"
            raise ApiError(401, "signature_replayed", msg)
        self._until[signature] = until_s
        if len(self._until) > self._clean_at:
            now = self._clock()
            self._until = {one: until for one, until in self._until.items() if until >= now}
            self._clean_at = 2 * len(self._until) + 1000

    def remember(self, signature: str, at_s: float) -> None:
        """One that was used before this server started; no tolerance is longer than a day."""
        self._until[signature] = at_s + _LONGEST_S

    def free(self, signature: str) -> None:
        """The request was not accepted after all: it may come again."""
        self._until.pop(signature, None)
