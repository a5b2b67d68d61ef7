"""Secrets out of text: as they are, and in the encodings in which they are usually printed.

A masker works on a stream of bytes. It holds back only an end that could be the beginning of a secret. Not found:
secrets shorter than 4 characters, and transformations other than those of ``forms``.
"""

import base64
import json
import re
import shlex
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

SECRET_CHARS_MIN: Final = 4
PART_CHARS_MIN: Final = 8  # of a line of a multi-line secret, of base64 without its borders
MASK: Final = b"***"
ODD: Final = re.compile(r"([^\w@%+=:,./-])")  # what a shell escapes by a backslash


def forms(secret: str) -> set[bytes]:
    """Return all byte strings that reveal ``secret``."""
    raw = secret.encode(errors="surrogatepass")
    texts = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
        shlex.quote(secret).strip("'"),
        ODD.sub(r"\\\1", secret),
        raw.hex(),
        raw.hex().upper(),
    }
    texts |= {line for line in secret.splitlines() if len(line) >= PART_CHARS_MIN}
    texts |= {re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), text) for text in texts}
    found = {text.encode(errors="surrogatepass") for text in texts}
    found |= {form for form in base64_forms(raw) if len(form) >= PART_CHARS_MIN}
    found |= {form.replace(b"\n", b"\r\n") for form in found}
    return {form for form in found if len(form) >= SECRET_CHARS_MIN}


def base64_forms(raw: bytes) -> set[bytes]:
    """Return the forms of ``raw`` inside base64 text, for each offset in a group of three bytes."""
    found = set()
    for before in range(3):
        code = base64.b64encode(bytes(before) + raw)
        # Only the characters whose 6 bits are all of ``raw``.
        found.add(code[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6])
    return found | {form.translate(bytes.maketrans(b"+/", b"-_")) for form in found}


class Masker:
    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.forms: set[bytes] = set()
        self.known: dict[str, set[bytes]] = {}  # secrets added here, not to what this is a copy of
        self.longest = 0
        self.add(secrets)

    def copy(self) -> "Masker":
        """Return a copy for another attempt, which may add its own secrets."""
        other = Masker()
        other.forms, other.longest = self.forms, self.longest
        if self.forms:
            other.pattern = self.pattern
        return other

    def add(self, secrets: Iterable[str]) -> None:
        new = {secret: forms(secret) for secret in secrets if secret not in self.known}
        self.known.update(new)
        self.forms = self.forms.union(*new.values())
        if new and self.forms:
            by_length = sorted(self.forms, key=len, reverse=True)
            self.pattern = re.compile(b"|".join(map(re.escape, by_length)))
            self.longest = len(by_length[0])

    def mask(self, data: bytes) -> bytes:
        return self.pattern.sub(MASK, data) if self.forms else data

    def holds(self, data: bytes) -> bool:
        return any(form in data for form in self.forms)

    def held(self, data: bytes) -> set[str]:
        """Return the secrets added to this masker that ``data`` reveals."""
        return {secret for secret, of in self.known.items() if any(form in data for form in of)}

    def text(self, text: str) -> str:
        return self.mask(text.encode(errors="replace")).decode(errors="replace")

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """Return ``data`` masked, and the rest that must wait because a secret may begin there."""
        if not self.forms:
            return data, b""
        matched = max((match.end() for match in self.pattern.finditer(data)), default=0)
        for length in range(min(self.longest - 1, len(data) - matched), 0, -1):
            end = data[-length:]
            if any(form.startswith(end) for form in self.forms):
                return self.mask(data[:-length]), end
        return self.mask(data), b""
