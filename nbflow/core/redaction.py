"""Secrets taken out of everything that is written down or shown.

Whoever obtains a secret tells `redactor` before using it; whoever writes (journal, artifacts, transactions, logs, screens, exports) asks it.
Values that travel between nodes are left as they are. Until something was learnt, asking costs one look at `redactor.active`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from typing import Any

from nbflow.core.spelling import WEAK, Spelling, spellings

SHORTEST = 4
"""Characters. What is shorter cannot be taken out without taking out half of everything."""

_SAFE_NAME = re.compile(r"[^A-Za-z0-9_.@/ -]")
_EDGE = 8  # characters of a secret at the cut end of a text that give it away
_NUMBER = 8  # digits from which on a number can be a secret
_WORD = 16  # letters from which on a text is no word any more


class Redactor:
    """Knows secrets and replaces them, in any usual encoding, by `[redacted NAME]`. Thread-safe.

    Records and logs are cleaned of all that is known or suspicious (`text`, `value`); what a user shows himself, of what is known (`told`);
    what is to work again, such as a flow's document, only of what cannot be there by chance (`definition`).
    """

    def __init__(self) -> None:
        self.active = False  # whether there is anything to look for: ask this before calling on a path that must be fast
        self.reach = 0  # characters that the longest secret can take in its longest encoding
        self._lock = threading.Lock()
        self._known: dict[str, _Secret] = {}
        self._prepare()

    def _prepare(self) -> None:
        secrets = tuple(sorted(self._known.values(), key=lambda secret: -len(secret.text)))  # longest first: a password in a URL goes with it
        numbers = {secret.text: secret.mask for secret in secrets if secret.text.isdecimal() and len(secret.text) >= _NUMBER}
        self._full = _Pass(secrets, numbers, guess=True)
        self._told = _Pass(secrets, numbers, guess=False)
        self._definition = _Pass(tuple(secret for secret in secrets if not secret.common), {}, guess=False)
        self.reach = max((len(secret.text) for secret in secrets), default=0) * 12

    def learn(self, *values: str | bytes, name: str = "") -> None:
        """From now on these are secrets; `name` is what stands in their place. Values of less than 4 characters are left out."""
        if all(value in self._known for value in values):  # almost always: nodes ask for the same ones again and again
            return
        with self._lock:
            fresh = {text: _Secret(text, name) for value in values if len(text := _as_text(value)) >= SHORTEST and text not in self._known}
            if fresh:
                self._known = {**self._known, **fresh}
                self._prepare()
                self.active = True

    def watch(self) -> None:
        """Look for secrets that nobody told, too: in headers and URLs. For processes that talk to others."""
        self.active = True

    def forget_all(self) -> None:
        """As after the start of the process. For tests."""
        with self._lock:
            self._known, self.active = {}, False
            self._prepare()

    def text(self, text: str) -> str:
        """The text without secrets. What was one JSON document, or one a line, still is."""
        return self._full.text(text)

    def value(self, value: Any) -> Any:
        """A copy of a JSON-like value (also tuples, sets and bytes) without secrets, in keys too. Other objects are given back as they are."""
        return self._full.value(value)

    def told(self, value: Any) -> Any:
        """Like `value`, without those that look like secrets and that nobody told: for what a user shows, where links must stay links."""
        return self._told.value(value)

    def definition(self, value: Any) -> Any:
        """Like `told`, without short secrets and plain words: a password `postgres` must not change a flow that talks to PostgreSQL."""
        return self._definition.value(value)

    def data(self, data: bytes) -> bytes:
        """Bytes without secrets: UTF-8 as text, anything else byte by byte. The length changes only where something was found."""
        return self._told.data(data)

    def suspects(self, text: str) -> bool:
        """Whether there may be something to replace. Quick; may say yes for nothing."""
        return self._full.suspects(text)

    def cut(self, text: str, limit: int) -> str:
        """The first `limit` characters, with no part of a secret at their end."""
        if not self.active:
            return text[:limit]
        return self.text(text[: limit + self.reach])[:limit]


class _Pass:
    """What is looked for in one go."""

    __slots__ = ("guess", "numbers", "secrets")

    def __init__(self, secrets: tuple[_Secret, ...], numbers: Mapping[str, str], *, guess: bool) -> None:
        self.secrets = secrets
        self.numbers = numbers
        self.guess = guess  # whether headers and URLs are looked at, too

    def suspects(self, text: str) -> bool:
        return any(secret.suspected(text) for secret in self.secrets) or (self.guess and _telling(text))

    def text(self, text: str) -> str:
        if not self.suspects(text):
            return text
        clean = self.replaced(text)
        if clean is not text and text.lstrip()[:1] in {"{", "["} and not _still_json(text, clean):
            return self.json(text)
        return clean

    def replaced(self, text: str) -> str:
        clean = text
        for secret in self.secrets:
            clean = secret.replaced(clean)
        if self.guess and _telling(clean):
            for pattern, mask in _UNTOLD:
                clean = pattern.sub(mask, clean)
        return text if clean == text else clean

    def json(self, text: str) -> str:
        """For a text in which a secret looks like a part of the document's own punctuation."""
        try:
            return json.dumps(self.value(json.loads(text)), ensure_ascii=False)
        except ValueError:
            return "\n".join(self.text(line) for line in text.split("\n"))

    def data(self, data: bytes) -> bytes:
        try:
            text, encoding = data.decode(), "utf-8"
        except UnicodeDecodeError:
            text, encoding = data.decode("latin-1"), "latin-1"
        clean = self.text(text)
        return data if clean is text else clean.encode(encoding, "replace")

    def value(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is dict:
            return {self.key(key): self.entry(key, item) for key, item in value.items()}
        if kind is list:
            return [self.value(item) for item in value]
        if kind is int or kind is float:
            return self.numbers.get(str(value), value) if self.numbers else value
        if value is None or kind is bool:
            return value
        return self.other(value)

    def other(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(str(value))
        if isinstance(value, bytes | bytearray | memoryview):
            return self.data(bytes(value))
        if isinstance(value, Mapping):
            return {self.key(key): self.entry(key, item) for key, item in value.items()}
        if isinstance(value, tuple):
            items = [self.value(item) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        return type(value)(self.value(item) for item in value) if type(value) in {set, frozenset} else value

    def key(self, key: Any) -> Any:
        return self.text(key) if isinstance(key, str) else key

    def entry(self, key: Any, item: Any) -> Any:
        if self.guess and isinstance(key, str) and key.lower() in HEADERS and item is not None and "{{" not in str(item):
            return [MASK] * len(item) if isinstance(item, list | tuple) else MASK
        return self.value(item)


class _Secret:
    """One secret and what stands in its place."""

    __slots__ = ("common", "foot", "head", "keys", "mask", "spellings", "text")

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.common = len(text) < WEAK or (text.isalpha() and text.islower() and len(text) < _WORD)  # may well be somewhere by chance
        label = _SAFE_NAME.sub("_", name)
        self.mask = f"[redacted {label}]" if label else MASK
        self.spellings: list[Spelling] = spellings(text)
        if text in self.mask:
            self.mask = MASK  # the name would give it away
        self.keys = tuple({key for spelling in self.spellings for key in spelling.keys}) if all(s.keys for s in self.spellings) else ()
        one_piece = len(text) > _EDGE + 3 and "\n" not in text
        self.head, self.foot = (text[:_EDGE], text[-_EDGE:]) if one_piece else ("", "")

    def suspected(self, text: str) -> bool:
        if not self.keys:
            return True
        for key in self.keys:  # a loop: it's the one that runs for every text
            if key in text:
                return True
        return bool(self.head) and (self.head in text[-len(self.text) - 4 :] or self.foot in text[: len(self.text) + 4])

    def replaced(self, text: str) -> str:
        if not self.suspected(text):
            return text
        for spelling in self.spellings:
            if not spelling.keys or any(key in text for key in spelling.keys):
                text = spelling.pattern.sub(lambda _: self.mask, text)
        if len(self.spellings) > 1:
            text = re.sub(rf"(?:{re.escape(self.mask)}.{{0,3}}?)+(?<={re.escape(self.mask)})", lambda _: self.mask, text)
        return self._ends(text) if self.head else text

    def _ends(self, text: str) -> str:
        """Without the part of a secret that somebody's cut left at the beginning or the end.

        Its first or last characters are enough, whatever stands beside them: were those compared too, whoever can print could try out
        the secret character by character, and see what is taken out.
        """
        place = text.rfind(self.head, max(0, len(text) - len(self.text) - 4))
        if place >= 0 and not any(map(str.isspace, text[place:])):
            text = text[:place] + self.mask
        place = text.find(self.foot, 0, len(self.text) + 4)
        if place >= 0 and not any(map(str.isspace, text[:place])):
            text = self.mask + text[place + _EDGE :]
        return text


def _as_text(value: str | bytes) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


# Secrets that nobody told: headers, queries, URLs ------------------------------------------------

MASK = "[redacted]"
HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})

_WORDS = ("authorization", "cookie", "api-key", "api_key", "apikey", "token", "secret", "passw", "signature", "sig=")
_IS = r"(?:\\*['\"]?\s*[:=]|\\*['\"]\s*,)\s*+(?:b(?=['\"]))?\\*+['\"]?+"  # between a header's name and its value, in any notation
_SCHEME = r"(?:(?:basic|bearer|digest|token|negotiate)\s+)?"
_DONE = r"(?:\[redacted|\{\{)"  # replaced already, or an expression that will be evaluated
_UNTOLD: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"((?:proxy-)?authorization|x-api-key)({_IS})(?!{_SCHEME}{_DONE})({_SCHEME})[^\s'\"\\,;<>&\])}}]+", re.IGNORECASE),
        rf"\1\2\3{MASK}",
    ),
    (re.compile(rf"((?:set-)?cookie)({_IS})(?!{_DONE})[^\r\n'\"\\<>]*[^\s'\"\\<>]", re.IGNORECASE), rf"\1\2{MASK}"),
    (
        re.compile(
            rf"([?&](?:api[-_]?key|[\w-]*token|[\w-]*secret|passw(?:or)?d|(?:x-amz-)?signature|sig)=)(?!{_DONE})[^&\s'\"<>#\\)\]]+", re.IGNORECASE
        ),
        rf"\1{MASK}",
    ),
    (re.compile(rf"(://[^/\s:@'\"]*:)(?!{_DONE})[^/\s@'\"]+@"), rf"\1{MASK}@"),
)


def _telling(text: str) -> bool:
    low = text.lower()
    return any(word in low for word in _WORDS) or ("://" in text and "@" in text)


def _still_json(before: str, after: str) -> bool:
    """Whether what was JSON is JSON; what never was is as good as before."""
    return _is_json(after) or not _is_json(before)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        lines = text.strip().split("\n")
        return len(lines) > 1 and all(map(_is_json, lines))
    return True


redactor = Redactor()
"""The one of this process."""
