"""`python -m bench.peers airflow --workload W1 --repeats 5`: a peer on Headway's workloads."""

import argparse
import os
import sys
from types import ModuleType
from typing import Final, cast

from bench.figures import Figure, Record, summaries
from bench.peers import airflow, dagster, prefect
from bench.peers.common import BENCH, Peer, PeerError, Session
from bench.processes import descendants, disk_bytes, idle_cost, take_charge
from bench.tables import show

PEERS: Final[dict[str, ModuleType]] = {each.NAME: each for each in (airflow, prefect, dagster)}
IDLE_S: Final = 60.0


def main() -> int:
    arguments = parse()
    peer = cast(Peer, PEERS[arguments.peer])
    mode = arguments.mode or peer.MODES[0]
    if mode not in peer.MODES:
        print(f"{peer.NAME} has the modes {', '.join(peer.MODES)}, not {mode}", file=sys.stderr)
        return 2
    take_charge()
    record = Record(f"{peer.NAME}-{mode}")
    try:
        measure(peer, mode, record, arguments)
    except PeerError as error:
        print(f"{peer.NAME} ({mode}): {error}", file=sys.stderr)
        return 1
    finally:
        conclude(record, f"{peer.NAME} ({mode})")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--workload", action="append", help="repeatable; all of the peer's if none")
    parser.add_argument("--mode", help="the first of the peer's modes if none")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warmups", type=int, default=1, help="runs of each before the first kept")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds for one repeat")
    return parser.parse_args()


def measure(peer: Peer, mode: str, record: Record, arguments: argparse.Namespace) -> None:
    subject = f"{peer.NAME}/{mode}"
    with peer.session(mode) as session:
        for workload in arguments.workload or peer.WORKLOADS:
            if workload not in peer.WORKLOADS:
                raise PeerError(f"runs {', '.join(peer.WORKLOADS)}, not {workload}")
            if workload == "W7":
                footprint(peer, session, record, subject, arguments.timeout)
                continue
            for repeat in range(-arguments.warmups, arguments.repeats):
                values = session.perform(workload, arguments.timeout)
                if repeat >= 0:
                    record.add(
                        *(Figure(subject, workload, *each, repeat) for each in values.items())
                    )
                print("·", workload, repeat, values, file=sys.stderr, flush=True)


def footprint(peer: Peer, session: Session, record: Record, subject: str, timeout: float) -> None:
    values = {
        "install_mb": disk_bytes(BENCH / ".venvs" / peer.NAME / "lib") / 1e6,
        **session.startup,
        **session.perform("W7", timeout),
        **idle_cost(os.getpid(), IDLE_S),
    }
    record.add(*(Figure(subject, "W7", *each) for each in values.items()))


def conclude(record: Record, title: str) -> None:
    show(summaries(record.figures), title)
    if left := descendants(os.getpid()):
        print(f"still running: {left}", file=sys.stderr)
    print(f"written to {record.path.relative_to(BENCH.parent)}" if record.figures else "no figures")


if __name__ == "__main__":
    sys.exit(main())
