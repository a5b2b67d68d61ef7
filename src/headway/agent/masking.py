"""Secrets out of text: as they are, and in the encodings in which they are usually printed.

A masker works on a stream of bytes. It holds back only an end that could be the beginning of a secret. Not found:
secrets shorter than 4 characters, and transformations other than those of ``forms``.
The password in an address, ``postgres://ann:***@db``, is masked in what people read whether anybody named it or not.
JSON inside JSON, or a repr of it, is looked for to the depth of ``LEVELS``.
"""

import base64
import json
import re
import shlex
from collections.abc import Iterable
from itertools import chain
from typing import Final
from urllib.parse import quote, quote_plus

SECRET_CHARS_MIN: Final = 4
PART_CHARS_MIN: Final = 8  # of a line of a multi-line secret, of base64 without its borders
MASK: Final = b"***"
LEVELS: Final = 4  # of JSON inside JSON
LEVEL_CHARS_MAX: Final = (
    32_000  # of the forms that one more level brings: long secrets are not looked for so deep
)
NUMBER_CHARS_MAX: Final = 300
HEAD: Final = 4  # bytes with which a form begins, and no form is shorter
ADDRESS: Final = re.compile(rb"(://[^\s/@:'\"<>\\]{0,200}:)(?!\*\*\*@)[^\s/@'\"<>\\]{1,500}@")
ADDRESS_MAX: Final = 710  # bytes of it
BEGUN: Final = re.compile(
    rb"(?::/{0,2}|://[^\s/@'\"<>\\]*)\Z"
)  # an address that the next write may go on with
NUMBER: Final = re.compile(r"-?(\d+)(?:\.(\d+))?", re.ASCII)
ODD: Final = re.compile(r"([^\w@%+=:,./-])")  # what a shell escapes by a backslash


def forms(secret: str) -> set[bytes]:
    """Return all byte strings that reveal ``secret``."""
    raw = secret.encode(errors="surrogatepass")
    texts = inside(secret) | {
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
        shlex.quote(secret).strip("'"),
        ODD.sub(r"\\\1", secret),
        raw.hex(),
        raw.hex().upper(),
        *numbers(secret),
        *lists(secret),
    }
    texts |= {line for line in secret.splitlines() if len(line) >= PART_CHARS_MIN}
    texts |= {re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), text) for text in texts}
    found = {text.encode(errors="surrogatepass") for text in texts}
    found |= {form for form in base64_forms(raw) if len(form) >= PART_CHARS_MIN}
    found |= {form.replace(b"\n", b"\r\n") for form in found}
    return {form for form in found if len(form) >= SECRET_CHARS_MIN}


def inside(secret: str) -> set[str]:
    """Return the secret and its bytes as JSON and Python write them within text, and that within text again."""
    parts = secret.encode(errors="surrogatepass").split(b"'")
    written = [
        repr(b'"' + part)[3:-1] for part in parts
    ]  # with a double quote in it, in single ones
    found = new = {secret, "'".join(written), "\\'".join(written)}
    for _ in range(LEVELS):
        new = {form for text in new for form in escaped(text)} - found
        if sum(map(len, new)) > LEVEL_CHARS_MAX:
            break
        found = found | new
    return found


def escaped(text: str) -> set[str]:
    """Return what a text is inside JSON, and inside a repr with either quote."""
    parts = [repr(f'"{part}')[2:-1] for part in text.split("'")]
    return {
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        "'".join(parts),
        "\\'".join(parts),
    }


def numbers(secret: str) -> set[str]:
    """Return other ways to write a secret that is a number: ``1.23e7``, ``12,300,000``."""
    if (number := NUMBER.fullmatch(secret)) is None or len(secret) > NUMBER_CHARS_MAX:
        return set()
    whole, fraction = number[1].lstrip("0"), number[2] or ""
    digits = (whole + fraction).rstrip("0")
    if not whole or len(digits) < SECRET_CHARS_MIN:
        return set()
    short = f"{digits[0]}.{digits[1:]}"
    power = len(whole) - 1
    found = {f"{int(whole):,}", f"{int(whole):_}", f"{int(whole):,}".replace(",", " ")}
    if len(short) >= PART_CHARS_MIN:  # whatever the power is
        return found | {short}
    return found | {f"{short}{e}{power:{form}}" for e in "eE" for form in ("", "02", "+", "+03")}


def lists(secret: str) -> set[str]:
    """Return the secret as a list of its characters, from the first to the last."""
    if len(secret) < PART_CHARS_MIN:
        return set()
    listed = [json.dumps([*secret])[2:-2], json.dumps([*secret], ensure_ascii=False)[2:-2]]
    return {*listed, *(form.replace('", "', '","') for form in listed), repr([*secret])[2:-2]}


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
        self.stale = False  # there are forms that the patterns do not have yet
        self.longest = 0
        self.add(secrets)

    def copy(self) -> "Masker":
        """Return a copy for another attempt, which may add its own secrets."""
        self.compile()
        other = Masker()
        other.forms, other.longest = self.forms, self.longest
        if self.forms:
            other.pattern, other.heads = self.pattern, self.heads
        return other

    def add(self, secrets: Iterable[str]) -> None:
        new = {secret: forms(secret) for secret in secrets if secret not in self.known}
        self.known.update(new)
        self.forms = self.forms.union(*new.values())
        self.longest = max(self.longest, *(len(form) for of in new.values() for form in of), 0)
        self.stale |= bool(new)

    def compile(self) -> None:
        """Make the patterns, once for all that was added: with many secrets that takes long."""
        if self.stale and self.forms:
            by_length = sorted(self.forms, key=len, reverse=True)
            self.pattern = re.compile(b"|".join(map(re.escape, by_length)))
            heads = sorted({form[:HEAD] for form in self.forms})
            self.heads = re.compile(b"(?=%s)" % b"|".join(map(re.escape, heads)))
        self.stale = False

    def mask(self, data: bytes) -> bytes:
        """Return what people may read: without secrets and the passwords in addresses."""
        return ADDRESS.sub(rb"\1***@", self.hide(data))

    def hide(self, data: bytes) -> bytes:
        """Return a value without secrets, which programs may read, too."""
        self.compile()
        return self.pattern.sub(MASK, data) if self.forms else data

    def holds(self, data: bytes) -> bool:
        return any(form in data for form in self.forms)

    def held(self, data: bytes) -> set[str]:
        """Return the secrets added to this masker that ``data`` reveals."""
        return {secret for secret, of in self.known.items() if any(form in data for form in of)}

    def text(self, text: str) -> str:
        return self.mask(text.encode(errors="replace")).decode(errors="replace")

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """Return ``data`` masked, and the rest that must wait because a secret or a password may begin there."""
        begun = BEGUN.search(data, max(0, len(data) - ADDRESS_MAX))
        whole = len(data) if begun is None else begun.start()
        place = self.begin(data[:whole])
        return self.mask(data[:place]), data[place:]

    def begin(self, data: bytes) -> int:
        """Return where a secret may begin that the end of ``data`` cuts off; without one, the length."""
        if not self.forms:
            return len(data)
        self.compile()
        matched = max((match.end() for match in self.pattern.finditer(data)), default=0)
        first = max(matched, len(data) - self.longest + 1)
        last = range(max(first, len(data) - HEAD + 1), len(data))  # too short for a head
        for place in chain((match.start() for match in self.heads.finditer(data, first)), last):
            end = data[place:]
            if any(form.startswith(end) for form in self.forms):
                return place
        return len(data)
