"""The step of an enterprise scheduler that starts a run, by a signed request: python start.py JOB DAY

The address and the secret are those that this printed:

    headway webhook create scheduler --dag nightly --field day=day --key job
"""

import hashlib
import hmac
import json
import os
import sys
import time
from urllib.request import Request, urlopen


def start(address: str, secret: str, job: str, day: str) -> str:
    """Return the id of the run. For the same job it is the same run, however often it is asked for."""
    body = json.dumps({"job": job, "day": day}).encode()
    at = int(time.time())
    signature = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    headers = {"X-Headway-Signature": f"t={at},v1={signature}", "Content-Type": "application/json"}
    with urlopen(Request(address, body, headers), timeout=30) as answer:
        return str(json.load(answer)["made"])


if __name__ == "__main__":
    print(start(os.environ["ADDRESS"], os.environ["SECRET"], *sys.argv[1:3]))
