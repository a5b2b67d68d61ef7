"""``http``: what it sends, what it takes for its result, what it says of a failure; against a real server."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from headway import DAG, Fail, http, task
from headway.authoring.operators.http import RequestFailed
from headway.testing import run_dag


class Handler(BaseHTTPRequestHandler):
    asked: ClassVar[list[dict[str, Any]]] = []

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = {
            "method": self.command,
            "path": self.path,
            "headers": dict(self.headers),
            "body": self.rfile.read(length).decode(),
        }
        self.asked.append(asked)
        code, _, kind = self.path.lstrip("/").partition("/")
        body = {"json": json.dumps(asked).encode(), "text": "grüße".encode()}.get(kind, b"")
        self.send_response(int(code))
        if code == "302":
            self.send_header("Location", kind if "//" in kind else f"/{kind}")
        types = {"json": "application/json; charset=utf-8", "text": "text/plain; charset=utf-8"}
        self.send_header("Content-Type", types.get(kind, "application/json"))
        if kind == "broken":
            body = b"{"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


def ask(**arguments: object) -> Any:
    """Return the result of one ``http`` task, or raise its error."""
    with DAG("flow") as flow:
        http("ask", **arguments)
    found = run_dag(flow)["ask"]
    if found.error is not None:
        raise found.error
    return found.value


def test_json_is_parsed_and_text_is_text(server: str) -> None:
    assert ask(url=f"{server}/200/json")["method"] == "GET"
    assert ask(url=f"{server}/200/text") == "grüße"
    assert ask(url=f"{server}/204", method="delete") is None


def test_what_it_sends(server: str) -> None:
    found = ask(
        url=f"{server}/201/json",
        method="POST",
        json={"day": "{{ ds }}", "n": [1]},
        headers={"X-Run": "{{ run_id }}"},
    )
    assert json.loads(found["body"])["n"] == [1]
    assert len(json.loads(found["body"])["day"]) == len("2013-01-02")
    assert found["headers"]["Content-Type"] == "application/json"
    assert found["headers"]["X-Run"] == "test"
    assert ask(url=f"{server}/200/json", method="POST", data="a=1")["body"] == "a=1"


def test_a_connection_gives_address_login_and_headers(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = server.removeprefix("http://")
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", f"http://ada:pa%20ss@{place}/?X-Key=k1")
    found = ask(conn_id="shop", url="/200/json")
    expected = base64.b64encode(b"ada:pa ss").decode()
    assert found["headers"]["Authorization"] == f"Basic {expected}"
    assert found["headers"]["X-Key"] == "k1"


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ({"url": "{server}/500/text"}, RequestFailed, "was answered 500 Internal Server Error: grüße"),
        ({"url": "{server}/404"}, RequestFailed, "GET {server}/404 was answered 404 Not Found"),
        ({"url": "{server}/200/broken"}, RequestFailed, "says it is application/json, but is not"),
        ({"url": "{server}/302/http://127.0.0.2/x"}, RequestFailed, "redirects to another host"),
        ({"url": "http://127.0.0.1:1/"}, RequestFailed, "Connection refused"),
        ({"url": "file:///etc/passwd"}, Fail, "url must begin with http:// or https://"),
        ({"url": "/only/a/path"}, Fail, "or be a path below a connection with a host"),
        ({"url": "{server}/200", "method": "FETCH"}, Fail, "method must be one of GET, POST"),
        ({"url": "{server}/200", "data": 5}, Fail, "data must be a string or bytes, not int"),
        ({"url": "{server}/200", "data": "x", "json": 1}, Fail, "either data or json"),
        ({"url": "{server}/200", "headers": "x"}, Fail, "headers must be a dict, not str"),
        ({"url": "{server}/200", "timeout": "soon"}, Fail, "timeout must be a number of seconds"),
        ({"url": "{server}/200", "headers": {"a\n": "b"}}, Fail, "Invalid header name"),
    ],
)  # fmt: skip
def test_a_failure_says_what_was_asked_and_what_was_wrong(
    server: str, arguments: dict[str, object], kind: type[Exception], said: str
) -> None:
    given = {
        name: value.replace("{server}", server) if isinstance(value, str) else value
        for name, value in arguments.items()
    }
    with pytest.raises(kind, match=said.replace("{server}", server).replace("(", r"\(")):
        ask(**given)


def test_a_redirect_on_the_same_host_is_followed(server: str) -> None:
    assert ask(url=f"{server}/302/200/json")["path"] == "/200/json"


def test_a_result_that_is_passed_on_is_data_and_no_template(server: str) -> None:
    with DAG("flow") as flow:

        @task
        def words() -> str:
            return "{{ conn.warehouse.password }}"

        http("ask", url=f"{server}/200/json", method="POST", data=words())
    assert run_dag(flow)["ask"].value["body"] == "{{ conn.warehouse.password }}"
