"""The web interface: what was built is served, what was not is said, nothing else is found."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.up.address import url_of
from tests.api.browser import Browser
from tests.api.conftest import served


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "ui_dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Headway</title>")
    (folder / "assets" / "app-3f2a.js").write_text("start()")
    (folder / "assets" / "app-3f2a.js.gz").write_bytes(gzip.compress(b"start()"))
    (tmp_path / "secret.txt").write_text("not for the world")
    return folder


@pytest.fixture
def browser(database: str, tmp_path: Path, built: Path) -> Iterator[Browser]:
    with served(database, tmp_path / "data", site=built) as server:
        yield Browser(url_of(server.listener, "127.0.0.1"))


def test_every_page_is_the_index_and_is_not_kept(browser: Browser) -> None:
    for path in ("/", "/index.html", "/dags/flights", "/login", "/runs/abc?tab=log"):
        answer = browser.ask("GET", path)
        assert (answer.status, b"Headway" in answer.body) == (200, True)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_what_has_its_hash_in_its_name_is_kept_for_ever(browser: Browser) -> None:
    answer = browser.ask("GET", "/assets/app-3f2a.js")
    assert (answer.status, answer.body) == (200, b"start()")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    small = browser.ask("GET", "/assets/app-3f2a.js", headers={"Accept-Encoding": "br, gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert gzip.decompress(small.body) == b"start()"
    head = browser.ask("HEAD", "/assets/app-3f2a.js")
    assert (head.status, head.body) == (200, b"")


def test_nothing_else_is_found(browser: Browser) -> None:
    assert browser.ask("GET", "/assets/other.js").status == 404
    assert browser.ask("POST", "/dags/flights").status == 405
    for path in ("/../secret.txt", "/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt"):
        assert b"not for the world" not in browser.ask("GET", path).body


def test_what_is_not_built_says_how(database: str, tmp_path: Path) -> None:
    with served(database, tmp_path / "data", site=tmp_path / "not built") as server:
        answer = Browser(url_of(server.listener, "127.0.0.1")).ask("GET", "/")
    assert (answer.status, b"make ui" in answer.body) == (200, True)
