"""The process of a test: the connection as JSON on standard input, the result as JSON on standard output."""

import json
import signal
import sys

from headway.core.connections import from_fields
from headway.probes import Failed, probe

TIME_S_MAX = 15  # should the agent be gone, which kills it before


def main() -> None:
    signal.alarm(TIME_S_MAX)
    result: dict[str, object]
    try:
        result = {"ok": True, "message": probe(from_fields(json.load(sys.stdin)))}
    except Failed as error:
        result = {"ok": False, "message": str(error)}
    except Exception as error:  # of a library: its text may hold anything
        result = {"ok": False, "message": f"the test failed with {type(error).__name__}"}
    json.dump(result, sys.stdout)


main()
