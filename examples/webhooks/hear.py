"""The receiver of an enterprise scheduler: it hears how runs ended. Start it with: python hear.py PORT

The secret is the one that this printed:

    headway webhook outbound create scheduler https://scheduler.example.com/headway --dag nightly
"""

import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

LATE_S = 300
BYTES_MAX = 64 * 1024
SECRET = os.environ["SECRET"]
heard: set[str] = set()  # in a real one, in the scheduler's database


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers["Content-Length"]), BYTES_MAX))
        if not is_signed(self.headers.get("X-Headway-Signature", ""), body):
            self.send_error(401, "the signature is wrong or too old")
            return
        event = json.loads(body)
        if event["id"] not in heard:  # the same event may come twice
            act(event)
            heard.add(event["id"])
        self.send_response(204)  # only now: without an answer Headway sends it again
        self.end_headers()


def is_signed(header: str, body: bytes) -> bool:
    """Return whether the request is from Headway, and not an old one that somebody sends again."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    at = parts.get("t", "")
    if not at.isdigit() or abs(time.time() - int(at)) > LATE_S:
        return False
    right = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(right, parts.get("v1", ""))


def act(event: dict[str, Any]) -> None:
    """Do what follows in the scheduler: here, say it."""
    if event["event"] == "run.ended":
        print(f"{event['dag_id']} ended: {event['state']}", event["url"], flush=True)


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print(f"listening on port {server.server_port}", flush=True)
    server.serve_forever()
