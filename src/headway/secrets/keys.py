"""Master keys: they wrap the data keys of rows, and are never in the database.

A key is a line ``<key id> <base64 of 32 bytes>``; the first line wraps what is new, the others still open what they
wrapped. They come from ``HEADWAY_SECRETS_KEY``, or from ``secrets.key`` in the data directory, made at the first start.
A key service is another ``Keys``: it wraps and unwraps elsewhere.
"""

import base64
import binascii
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from headway import ids
from headway.drafts import made_once
from headway.errors import HeadwayError, NotAllowed, NotReachable, UsageError

VARIABLE: Final = "HEADWAY_SECRETS_KEY"
FILE: Final = "secrets.key"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
WRONG: Final = (
    "cannot decrypt a secret: its stored value was changed, or belongs to another row or key"
)


class KeyMissing(NotReachable):
    """The master key of a row is not here."""


class Keys(Protocol):
    def rotate(self) -> str: ...

    @property
    def current(self) -> str:
        """The id of the key that wraps what is new."""
        ...

    def wrap(self, data_key: bytes, bound_to: bytes) -> tuple[str, bytes]:
        """Return the id of the key that was used, and the wrapped key."""
        ...

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: bytes) -> bytes:
        """Raises KeyMissing, and HeadwayError for what another key wrapped."""
        ...


class LocalKeys:
    """Keys of the environment, or of a file that is read again when it changes."""

    def __init__(self, file: Path | None, given: str | None = None) -> None:
        self.file = file
        self.read_at: tuple[int, int] | None = None
        self.by_id: dict[str, bytes] = {}
        self._lock = threading.Lock()
        if given is not None:
            self.file = None
            self.by_id = parsed(given, VARIABLE)

    @property
    def current(self) -> str:
        self.load()
        return next(iter(self.by_id))

    def wrap(self, data_key: bytes, bound_to: bytes) -> tuple[str, bytes]:
        self.load()
        key_id, key = next(iter(self.by_id.items()))
        return key_id, seal(key, data_key, bound_to)

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: bytes) -> bytes:
        self.load()
        key = self.by_id.get(key_id)
        if key is None:
            raise KeyMissing(
                f"the master key {key_id} is not here, so its secrets cannot be decrypted",
                where=VARIABLE if self.file is None else str(self.file),
                hint="add the line of this key again, from your copy of the key file",
            )
        return unseal(key, wrapped, bound_to)

    def load(self) -> None:
        with self._lock:
            if self.file is None:
                return
            try:
                state = self.file.stat()
                seen = (state.st_mtime_ns, state.st_ino)
                if seen != self.read_at:
                    if state.st_mode & 0o077:
                        raise NotAllowed(
                            "other users can read the master key",
                            where=str(self.file),
                            hint="run: chmod 600, and rotate the key: headway secrets rotate",
                        )
                    self.by_id = parsed(self.file.read_text(), str(self.file))
                    self.read_at = seen
            except OSError as error:
                raise NotReachable(
                    f"cannot read the master key: {error.strerror}", where=str(self.file)
                ) from error

    def rotate(self) -> str:
        """Make a new current key in the file. Returns its id; of keys of the environment, that of the first."""
        if self.file is None:
            return self.current
        with alone(self.file.parent):  # a key that another process has just made is kept
            self.load()
            key_id = ids.run_id()
            line = line_of(key_id)
            write_private(self.file, line + "".join(line_of(k, v) for k, v in self.by_id.items()))
        return key_id


def local_keys(data: Path, given: str | None) -> LocalKeys:
    """Return the keys of a data directory; makes the first one."""
    file = data / FILE
    if given is None and not file.exists():
        made_once(file, line_of(ids.run_id()))
    return LocalKeys(file, given)


def line_of(key_id: str, key: bytes | None = None) -> str:
    if key is None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = AESGCM.generate_key(8 * KEY_BYTES)
    return f"{key_id} {base64.b64encode(key).decode()}\n"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold off the others, of all processes, who change files of a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_private(file: Path, text: str) -> None:
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    draft.replace(file)


def parsed(text: str, where: str) -> dict[str, bytes]:
    """Read keys by id, the current one first. Raises UsageError, which never repeats a key."""
    found: dict[str, bytes] = {}
    for line in text.replace(",", "\n").splitlines():
        key_id, _, code = line.strip().partition(" ")
        if not key_id:
            continue
        try:
            key = base64.b64decode(code.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES or len(set(key)) < KEY_BYTES // 4:
            raise UsageError(
                "a master key is not 32 random bytes as base64",
                where=where,
                hint="a line is: <key id> <base64>; to make one: openssl rand -base64 32",
            )
        found[key_id] = key
    if not found:
        raise UsageError("there is no master key", where=where)
    return found


def seal(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    """Encrypt. The result opens only with the same ``bound_to``: a row cannot be moved."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = ids.salt()[:NONCE_BYTES]
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def unseal(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise HeadwayError(WRONG, hint="set the secret again") from None
