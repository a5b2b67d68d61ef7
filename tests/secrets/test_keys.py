"""Master keys and what they seal: each opens in its own row only, and none is lost or read by others."""

import base64
import fcntl
import os
from pathlib import Path

import pytest

from headway.errors import HeadwayError, NotAllowed, NotReachable, UsageError
from headway.secrets import envelope
from headway.secrets.keys import (
    FILE,
    KEY_BYTES,
    NONCE_BYTES,
    KeyMissing,
    LocalKeys,
    alone,
    line_of,
    local_keys,
    parsed,
    seal,
    unseal,
    write_private,
)

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
CODE, OTHER_CODE = base64.b64encode(KEY).decode(), base64.b64encode(OTHER_KEY).decode()
PLACE = b"1/connection/w"
FIELDS = {"password": "canary", "extra": {"port": 1}}


def test_a_row_is_known_by_its_team_kind_and_name() -> None:
    assert envelope.place_of(1, "connection", "w") == PLACE


@pytest.mark.parametrize(
    "elsewhere",
    [
        envelope.place_of(2, "connection", "w"),
        envelope.place_of(1, "variable", "w"),
        envelope.place_of(1, "connection", "x"),
    ],
)
def test_an_envelope_opens_in_its_own_row_only(elsewhere: bytes) -> None:
    keys = LocalKeys(None, f"a {CODE}")
    closed = envelope.close(keys, PLACE, FIELDS)
    assert closed.key_id == "a"
    assert envelope.open_envelope(keys, PLACE, closed) == FIELDS
    with pytest.raises(HeadwayError, match="belongs to another row"):
        envelope.open_envelope(keys, elsewhere, closed)
    with pytest.raises(HeadwayError, match="belongs to another row"):
        envelope.wrap_again(keys, elsewhere, closed)


def test_rows_have_keys_of_their_own_of_full_length() -> None:
    keys = LocalKeys(None, f"a {CODE}")
    rows = [envelope.close(keys, PLACE, FIELDS) for _ in range(2)]
    inner = [keys.unwrap(row.key_id, row.wrapped, PLACE) for row in rows]
    assert inner[0] != inner[1]
    assert {len(key) for key in inner} == {KEY_BYTES}


def test_wrapping_again_changes_the_key_of_the_row_only() -> None:
    closed = envelope.close(LocalKeys(None, f"a {CODE}"), PLACE, FIELDS)
    both = LocalKeys(None, f"b {OTHER_CODE}\na {CODE}")
    again = envelope.wrap_again(both, PLACE, closed)
    assert (again.key_id, again.sealed) == ("b", closed.sealed)
    assert envelope.open_envelope(LocalKeys(None, f"b {OTHER_CODE}"), PLACE, again) == FIELDS


def test_what_is_sealed_has_a_nonce_of_its_own_and_is_bound() -> None:
    first, second = (seal(KEY, b"text", b"here") for _ in range(2))
    assert first[:NONCE_BYTES] != second[:NONCE_BYTES]
    assert len(first) == NONCE_BYTES + len(b"text") + 16
    assert unseal(KEY, first, b"here") == b"text"
    changed = first[:-1] + bytes([first[-1] ^ 1])
    for key, sealed, place in (
        (KEY, first, b"there"),
        (OTHER_KEY, first, b"here"),
        (KEY, changed, b"here"),
        (KEY, b"", b"here"),
        (KEY, first[:NONCE_BYTES], b"here"),
    ):
        with pytest.raises(HeadwayError, match="cannot decrypt") as caught:
            unseal(key, sealed, place)
        assert caught.value.hint == "set the secret again"


@pytest.mark.parametrize(
    "text",
    [
        "k",
        "k not-base64!",
        "k " + base64.b64encode(KEY[:-1]).decode(),
        "k " + base64.b64encode(KEY + b"x").decode(),
        "k " + base64.b64encode(bytes(32)).decode(),
        "k " + base64.b64encode(bytes(range(7)) + bytes(25)).decode(),
        f"k {CODE[:20]}*{CODE[20:]}",
        f"k {CODE}\nl {CODE[:-4]}",
    ],
)
def test_a_weak_or_broken_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(UsageError, match="not 32 random bytes") as caught:
        parsed(text, "the place")
    assert caught.value.where == "the place"
    assert text.split()[-1] not in str(caught.value) or text == "k"


def test_a_key_needs_a_quarter_of_its_bytes_to_differ() -> None:
    just = bytes(range(KEY_BYTES // 4)) + bytes(KEY_BYTES * 3 // 4)
    assert parsed(f"k {base64.b64encode(just).decode()}", "") == {"k": just}


def test_keys_are_lines_or_parts_between_commas_the_first_is_current() -> None:
    text = f"\n a  {CODE} ,\n\nb {OTHER_CODE}\n"
    assert [*parsed(text, "").items()] == [("a", KEY), ("b", OTHER_KEY)]
    for empty in ("", "\n , \n"):
        with pytest.raises(UsageError, match="no master key"):
            parsed(empty, "")


def test_keys_of_the_environment_count_alone(tmp_path: Path) -> None:
    keys = local_keys(tmp_path, f"a {CODE},b {OTHER_CODE}")
    assert not (tmp_path / FILE).exists()
    assert keys.current == keys.rotate() == "a"
    with pytest.raises(KeyMissing, match="the master key c is not here") as caught:
        keys.unwrap("c", b"", PLACE)
    assert caught.value.where == "HEADWAY_SECRETS_KEY"
    (tmp_path / FILE).write_text("broken")
    assert LocalKeys(tmp_path / FILE, f"a {CODE}").current == "a"


def test_the_first_start_makes_a_key_that_only_its_user_reads(tmp_path: Path) -> None:
    keys = local_keys(tmp_path, None)
    file = tmp_path / FILE
    assert file.stat().st_mode & 0o777 == 0o600
    made = file.read_text()
    assert keys.current == made.split()[0]
    assert local_keys(tmp_path, None).current == keys.current
    assert file.read_text() == made, "the second start keeps it"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o601, 0o620, 0o602])
def test_a_key_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    local_keys(tmp_path, None)
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(NotAllowed, match="other users can read the master key") as caught:
        _ = local_keys(tmp_path, None).current
    assert caught.value.where == str(tmp_path / FILE)


def test_a_key_file_that_is_gone_is_told(tmp_path: Path) -> None:
    keys = local_keys(tmp_path, None)
    _, wrapped = keys.wrap(KEY, PLACE)
    (tmp_path / FILE).unlink()
    for call in (
        lambda: keys.wrap(KEY, PLACE),
        lambda: keys.unwrap("x", wrapped, PLACE),
        lambda: keys.current,
    ):
        with pytest.raises(NotReachable, match="cannot read the master key"):
            call()


def test_a_changed_file_is_read_again_and_older_keys_still_open(tmp_path: Path) -> None:
    keys = local_keys(tmp_path, None)
    first, wrapped = keys.wrap(KEY, PLACE)
    new = LocalKeys(tmp_path / FILE).rotate()
    assert keys.unwrap(first, wrapped, PLACE) == KEY, "another process rotated"
    assert keys.current == new != first
    assert keys.wrap(KEY, PLACE)[0] == new
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / FILE).write_text(line_of(new))
    with pytest.raises(KeyMissing, match=first) as caught:
        LocalKeys(tmp_path / FILE).unwrap(first, wrapped, PLACE)
    assert caught.value.where == str(tmp_path / FILE)


class Rival(LocalKeys):
    """Another process that rotates when this one has read its keys, if it can. ``made``: its keys."""

    made = 0

    def load(self) -> None:
        super().load()
        assert self.file is not None
        folder = os.open(self.file.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            self.made += 1
            write_private(self.file, line_of(f"rival-{self.made}") + self.file.read_text())
        finally:
            os.close(folder)


def test_who_rotates_at_once_keeps_the_key_of_the_other(tmp_path: Path) -> None:
    """Else what was wrapped in between with a key that the second one did not know would be lost."""
    ours = local_keys(tmp_path, None)
    other = Rival(tmp_path / FILE)
    before = other.current  # is not alone: the other one comes in between
    assert other.made == 1
    made = other.rotate()
    assert other.made == 1, "nobody comes in between"
    assert [*parsed((tmp_path / FILE).read_text(), "")] == [made, "rival-1", before]
    with alone(tmp_path):
        pass
    assert ours.current == made


def test_a_draft_that_was_left_behind_is_written_anew_as_private(tmp_path: Path) -> None:
    keys = local_keys(tmp_path, None)
    left = tmp_path / "secrets.new"
    left.write_text("half")
    left.chmod(0o644)
    keys.rotate()
    assert not left.exists()
    assert len(parsed((tmp_path / FILE).read_text(), "")) == 2
    assert os.stat(tmp_path / FILE).st_mode & 0o077 == 0
