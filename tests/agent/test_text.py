"""Masking and the log file, without processes."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from headway.agent.logs import LINE_BYTES_MAX, AttemptLog
from headway.agent.masking import Masker
from headway.paths import log_path

SECRET = 'p@ss "word"/ü+42\nsecond-line'
WAYS = [
    SECRET,
    json.dumps(SECRET),
    repr(SECRET),
    quote(SECRET, safe=""),
    quote(SECRET, safe="").lower(),
    SECRET.encode().hex(),
    *(base64.b64encode((pad + SECRET + "!").encode()).decode() for pad in ("", "u:", "usr")),
    SECRET.splitlines()[1],
]


@pytest.mark.parametrize("text", WAYS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_secret_is_masked_however_it_is_printed_and_cut(
    tmp_path: Path, text: str, size: int
) -> None:
    log = AttemptLog(str(tmp_path / "a.log"), Masker([SECRET]))
    data = f"before {text} after\n".encode()
    for start in range(0, len(data), size):
        log.write(data[start : start + size])
    log.close()
    written = (tmp_path / "a.log").read_text()
    assert "***" in written
    assert "before" in written
    assert "after" in written
    assert "second-line" not in written


def test_odd_output(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.log"
    log = AttemptLog(str(path), Masker())
    assert not path.parent.exists(), "no file before the first output"
    umlaut = "ü".encode()
    log.write(b"a\0b \xff " + umlaut[:1])
    log.write(umlaut[1:] + b"\x1b[31mred\n")
    log.write(b"x" * (3 * LINE_BYTES_MAX))
    log.close()
    lines = [line.split(" ", 1)[1] for line in path.read_text().splitlines()]
    assert lines[0] == "a␀b \ufffd ü\x1b[31mred"
    assert [len(line) for line in lines[1:]] == [LINE_BYTES_MAX] * 3


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", ".", "", "\0", "ü" * 300])
def test_no_name_leaves_its_folder(name: str) -> None:
    path = Path(log_path("r", name, -1, 1))
    assert len(path.parts) == 5
    assert ".." not in path.parts
    assert all(len(part.encode()) <= 255 and "\0" not in part for part in path.parts)
