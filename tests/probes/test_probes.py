"""Tests of connections, against real servers on the loopback address."""

import base64
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from psycopg.conninfo import conninfo_to_dict

from headway.core.connections import Connection
from headway.probes import Failed, probe

PAIR = "Basic " + base64.b64encode(b"ada:s3cret").decode()


class Pages(BaseHTTPRequestHandler):
    """/ needs a login and a header; /moved leads elsewhere; /broken is."""

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == PAIR and self.headers["X-Team"] == "a"
        status = {"/moved": 302, "/broken": 503}.get(self.path, 200 if known else 401)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/steal")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def http(port: int, **more: object) -> Connection:
    fields = {"host": "127.0.0.1", "login": "ada", "password": "s3cret", "extra": {"X-Team": "a"}}
    return Connection(conn_type="http", port=port, **{**fields, **more})  # type: ignore[arg-type]


def failure(connection: Connection) -> str:
    with pytest.raises(Failed) as caught:
        probe(connection)
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


def test_http_logs_in_and_follows_no_redirect(port: int) -> None:
    assert probe(http(port)) == f"http://127.0.0.1:{port}/ answered with status 200"
    assert "refused the login with status 401" in failure(http(port, password="s3cret2"))
    assert "refused the login" in failure(http(port, extra={}))
    assert "status 302" in probe(http(port, host="http://127.0.0.1/moved"))
    assert "status 503" in failure(http(port, host="127.0.0.1/broken"))


def test_http_that_is_none_is_told(port: int) -> None:
    assert "offers no valid TLS" in failure(http(port, schema="https"))
    assert "no host" in failure(http(port, host=None))
    assert "not a valid URL" in failure(http(port, host="ftp://127.0.0.1"))
    assert "cannot be resolved" in failure(http(port, host="nowhere.invalid"))
    assert "gave no valid answer" in failure(http(port, extra={"X-Team": "a\nb"}))


def test_tcp_reaches_or_says_why_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        there = Connection(conn_type="kafka", host="127.0.0.1", port=port)
        assert f"127.0.0.1:{port} accepts connections" in probe(there)
    assert "Connection refused" in failure(there)
    assert "no host and port" in failure(Connection(conn_type="google_cloud_platform"))


def test_postgres_logs_in(database: str) -> None:
    known = conninfo_to_dict(database)
    given = {
        "host": known["host"],
        "port": int(known.get("port") or 5432),
        "schema": known["dbname"],
        "login": known["user"],
        "password": known.get("password"),
    }
    good = Connection(conn_type="postgres", **given)  # type: ignore[arg-type]
    assert f"logged in to the database {known['dbname']}" in probe(good)
    missing = Connection(conn_type="postgres", **{**given, "schema": "nowhere"})  # type: ignore[arg-type]
    assert 'database "nowhere" does not exist' in failure(missing)


@pytest.mark.parametrize("fields", [{"conn_type": "ssh"}, {"conn_type": "postgres", "port": "x"}])
def test_the_process_always_has_a_result(fields: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "headway.probes"],
        input=json.dumps(fields), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["ok"], bool(told["message"])) == (False, True)
