"""How a secret may be written down: a pattern that finds it raw, escaped (JSON, Python, HTML, URL, at any depth), in base64 and in hex.

One pattern has an alternative for each character instead of one pattern for each encoding, so that texts encoded twice, or by a library
with rules of its own about what to escape, are found too. Letters and digits stand for themselves: no usual encoding touches them.
"""

from __future__ import annotations

import base64
import re
from functools import cached_property
from html.entities import codepoint2name

WEAK = 8
"""Shorter secrets are looked for as whole words only: four characters turn up everywhere by chance."""

_PIECE = 48  # bytes: long secrets are looked for piece by piece, so that a part of one is found too; divisible by 3 for base64
_LONG = 96
_CONTROL = {"\n": "n", "\r": "r", "\t": "t", "\0": "0", "\b": "b", "\f": "f"}
_RUN = re.compile(r"[A-Za-z0-9]+")
_WRAP = r"(?:\s|\\+[rn])*"  # base64 is broken into lines, in the middle of anything
_WRAPPED = 64  # characters of the shortest usual line
_BYTE_VALUES = 256


class Spelling:
    """What to look for. When `keys` is not empty, a text without any of them cannot match: asking that is quick."""

    def __init__(self, source: str, keys: tuple[str, ...]) -> None:
        self._source = source
        self.keys = keys

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when a text is first suspected: that takes milliseconds, and most secrets never turn up."""
        return re.compile(self._source)


def spellings(secret: str) -> list[Spelling]:
    """All there is to look for. A long secret, and one of several lines, gives several."""
    raw = secret.encode("utf-8", "surrogatepass")
    lines = [line.strip() for line in secret.splitlines()]
    if len(lines) > 1:
        telling = [line for line in lines if len(line) > WEAK and not line.startswith("-----")]
        if telling:
            return [spelling for line in telling for spelling in spellings(line)]
    if len(raw) <= _LONG:
        return [_spelling(secret, raw)]
    pieces = [secret[start : start + _PIECE] for start in range(0, len(secret), _PIECE)]
    if len(pieces) > 1 and len(pieces[-1]) < _PIECE // 3:
        pieces[-2:] = [pieces[-2] + pieces[-1]]
    return [_spelling(piece, piece.encode("utf-8", "surrogatepass")) for piece in pieces]


def _spelling(secret: str, raw: bytes) -> Spelling:
    text = "".join(map(_character, secret))
    run = max(_RUN.findall(secret), key=len, default="")
    weak = len(secret) < WEAK
    patterns = [rf"(?<![A-Za-z0-9]){text}(?![A-Za-z0-9])" if weak else text]
    keys = [run]
    if weak:
        alone = base64.b64encode(raw).decode().rstrip("=")
        patterns += [rf"(?<![A-Za-z0-9+/]){re.escape(alone)}(?![A-Za-z0-9+/])", rf"(?<![A-Za-z0-9])(?i:{raw.hex()})(?![A-Za-z0-9])"]
        keys += [_longest(alone), raw.hex(), raw.hex().upper()]
    else:
        for encoded in _base64(raw):
            patterns.append(_WRAP.join(map(_base64_character, encoded)))
            keys += _wrapped_keys(encoded)
        patterns += [raw.hex(), raw.hex().upper()]
        keys += [raw.hex(), raw.hex().upper()]
    certain = all(len(key) > 2 for key in keys)  # noqa: PLR2004 -- what is shorter is in every text
    return Spelling("|".join(filter(None, patterns)), tuple(keys) if certain else ())


# Characters -------------------------------------------------------------------------------------


def _character(char: str) -> str:
    """A pattern for one character in all its escapes."""
    if char.isascii() and char.isalnum():
        return char
    code = ord(char)
    octets = char.encode("utf-8", "surrogatepass")
    forms = [r"(?:\\*" + re.escape(char) + ("){1,2}" if char in "'\"" else ")") if char != "\\" else r"\\+"]  # CSV and SQL double quotes
    forms.append("%(?:25)*" + "%(?:25)*".join(_any_case(f"{octet:02x}") for octet in octets))
    forms.append(rf"&(?:amp;)*(?:#0*{code}|#[xX]0*{_any_case(f'{code:x}')}{_entity(code)});")
    units = char.encode("utf-16-be", "surrogatepass")
    forms.append("".join(r"\\+u" + _any_case(units[place : place + 2].hex()) for place in range(0, len(units), 2)))
    forms.append(r"\\+U" + _any_case(f"{code:08x}"))
    forms.append("".join(r"\\+x" + _any_case(f"{octet:02x}") for octet in octets))
    if code < _BYTE_VALUES:
        forms.append(r"\\+x" + _any_case(f"{code:02x}"))
    if not char.isascii():
        forms.append(re.escape(octets.decode("latin-1")))  # bytes are searched as if they were latin-1
    if char in _CONTROL:
        forms.append(r"\\+" + _CONTROL[char])
    if char == " ":
        forms.append(r"\+|&nbsp;")
    if char == "&":
        forms.append("&(?:amp;)+")
    return f"(?:{'|'.join(forms[1:])}|{forms[0]})"


def _entity(code: int) -> str:
    name = "apos" if code == ord("'") else codepoint2name.get(code)
    return f"|{name}" if name else ""


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


# Base64 -----------------------------------------------------------------------------------------


def _base64(raw: bytes) -> list[str]:
    """What is sure to be in the base64 of anything that holds these bytes, for each of the three places where they can begin."""
    found = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw).decode()
        begin = (before * 8 + 5) // 6
        found.append(encoded[begin : (before + len(raw)) * 8 // 6])
    return found


def _base64_character(char: str) -> str:
    if char == "+":
        return r"(?:[+\-]|%2[bB])"
    return r"(?:\\*/|_|%2[fF])" if char == "/" else char


def _wrapped_keys(encoded: str) -> list[str]:
    """Pieces one of which is whole whatever lines the text was broken into (64 and 76 characters are usual)."""
    count = max(2, -(-len(encoded) // (_WRAPPED // 2)))
    size = -(-len(encoded) // count)
    return [_longest(encoded[start : start + size]) for start in range(0, len(encoded), size)]


def _longest(encoded: str) -> str:
    return max(_RUN.findall(encoded), key=len, default="")
