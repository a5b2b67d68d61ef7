"""Runs flows in this warm process: reads `W1` from standard input, answers with seconds as JSON.

The answers have the original standard output to themselves; what flows print goes to the log.
"""

import json
import os
import sys
import time

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

from prefect_flows import FLOWS  # noqa: E402 — its imports may print

for line in sys.stdin:
    begun = time.monotonic()
    try:
        FLOWS[line.strip()]()
        answer: dict[str, object] = {"seconds": time.monotonic() - begun}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), file=answers, flush=True)
