"""Runs flows in this warm process: reads `W1` from standard input, answers with seconds as JSON."""

import json
import sys
import time

from prefect_flows import FLOWS

for line in sys.stdin:
    begun = time.monotonic()
    try:
        FLOWS[line.strip()]()
        answer = {"seconds": time.monotonic() - begun}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), file=sys.stderr, flush=True)
