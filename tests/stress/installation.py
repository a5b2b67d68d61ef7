"""All of Headway's processes on a data directory of their own: PostgreSQL, schedulers, an agent for
each, a loader; and what may be done to them.
"""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from headway import clock
from headway.actions import commands
from headway.actions.commands import RunRequest
from headway.config import Layout
from headway.pg import Server
from headway.store.migrate import migrate
from headway.store.transact import ENGINE, Session, connect, transact
from headway.up.component import Component
from tests.agent_tokens import SECRET, let_in
from tests.stress.dying_scheduler import DOOM

DAGS: Final = Path(__file__).parent / "dags"
TURN_S: Final = 0.02
UP_S: Final = 30.0
STOP_S: Final = 15.0


class Installation:
    def __init__(
        self,
        folder: Path,
        *,
        schedulers: int = 2,
        processes: int = 4,
        module: str = "headway.engine.scheduler",
    ) -> None:
        self.processes = processes
        self.module = module
        self.layout = Layout(folder)
        self.layout.prepare()
        self.server = Server(folder)
        self.witness = folder / "witness"
        self.dsn = self.server.start()
        migrate(self.dsn)
        with connect(self.dsn) as conn:
            let_in(conn)
        self.components = [part for n in range(schedulers) for part in self.pair(n)]
        data = ["--data", str(folder)]
        self.components.append(
            Component(
                "loader",
                "headway.loader.loader",
                ["--dsn", "-", *data, "--dags", str(DAGS), "--team", "default"],
                {},
                self.layout.server_logs / "loader.log",
                first_line=self.dsn,
            )
        )
        self.seen: dict[int, str] = {}
        self.said: list[str] = []  # about components that ended
        for component in self.components:
            component.start()

    def pair(self, number: int) -> list[Component]:
        gateway = f"unix:{self.layout.run / f'gateway{number}'}"
        logs, data = self.layout.server_logs, ["--data", str(self.layout.data)]
        secrets = {"HEADWAY_AGENT_TOKEN": SECRET}
        return [
            Component(
                f"scheduler{number}",
                self.module,
                ["--listen", gateway, *data],
                {
                    "PYTHONPATH": os.pathsep.join(sys.path),
                    DOOM: str(self.doom(number)),
                },
                logs / f"scheduler{number}.log",
                first_line=self.dsn,
            ),
            Component(
                f"agent{number}",
                "headway.agent",
                ["--connect", gateway, *data, "--name", f"agent{number}", *self.agent_size()],
                secrets,
                logs / f"agent{number}.log",
            ),
        ]

    def agent_size(self) -> list[str]:
        return ["--processes", str(self.processes), "--slots", str(2 * self.processes)]

    def doom(self, number: int) -> Path:
        """What ``tests.stress.dying_scheduler`` is to die of."""
        return self.layout.run / f"doom{number}"

    # -- one more, one fewer

    def grow(self, number: int) -> None:
        """Another scheduler with its agent."""
        pair = self.pair(number)
        self.components += pair
        for component in pair:
            component.start()

    def shrink(self, number: int) -> None:
        """In order, as a supervisor does: the agent first."""
        for name in (f"agent{number}", f"scheduler{number}"):
            component = self.component(name)
            self.components.remove(component)
            component.signal(signal.SIGTERM)
            self.until(component.is_gone, STOP_S, f"{name} ends in order")

    # -- while it runs

    def turn(self) -> None:
        """Dead components come back, and every process is written down."""
        for component in self.components:
            component.back_off_s = min(component.back_off_s, 0.5)
            component.look(self.said.append)
        for component in self.components:
            if component.pid is not None:
                self.seen.update(descendants(component.pid))
        clock.sleep(TURN_S)

    def until(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = clock.monotonic() + seconds
        while not done():
            assert clock.monotonic() < deadline, f"not within {seconds:g} s: {what}"
            self.turn()

    def pass_time(self, seconds: float) -> None:
        until = clock.monotonic() + seconds
        while clock.monotonic() < until:
            self.turn()

    def session(self) -> Session:
        return connect(self.dsn, role=ENGINE, application="test")

    def value(self, query: str) -> int:
        with self.session() as conn:
            row = conn.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])

    def trigger(self, number: int, **params: object) -> None:
        self.until(lambda: self.value("SELECT count(*) FROM dag") == 1, UP_S, "the DAG is known")
        wanted = [RunRequest(params={"witness": str(self.witness), **params})] * number
        with self.session() as conn:
            transact(conn, commands.trigger, 1, "work", wanted, "user:test")

    def unfinished(self) -> int:
        return self.value("SELECT count(*) FROM run WHERE state IN ('queued', 'running')")

    def executions(self) -> Counter[str]:
        text = self.witness.read_text() if self.witness.exists() else ""
        return Counter(text.splitlines())

    def describe(self) -> None:
        """What is left undone, for whoever reads why it failed."""
        for query in (
            "SELECT run_id, state, due_at, set_aside, now() FROM run WHERE ended_at IS NULL",
            "SELECT run_id, task_id, map_index, state, blocked_reason, reason, wake_at, rank, pool"
            " FROM task_instance WHERE ended_at IS NULL AND state <> 'waiting' LIMIT 40",
            "SELECT run_id, task_id, map_index, number, state, session_id, queued_at FROM attempt"
            " WHERE ended_at IS NULL",
            "SELECT session_id, slots, heartbeat_at, ended_at FROM agent_session",
            "SELECT count(*) FROM report",
            "SELECT * FROM pool",
        ):
            with self.session() as conn:
                for row in conn.execute(query.encode()):
                    sys.stderr.write(f"{row}\n")
        for component in self.components:
            sys.stderr.write(f"{component.name}: {component.pid} {component.starts} starts\n")

    # -- faults

    def component(self, name: str) -> Component:
        return next(one for one in self.components if one.name == name)

    def signal(self, name: str, number: signal.Signals) -> None:
        self.component(name).signal(number)

    def kill_fork_server(self, agent: str) -> None:
        pid = self.component(agent).pid
        for child in children(pid) if pid is not None else []:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def terminate_backends(self) -> None:
        with connect(self.dsn, application="test") as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'headway scheduler%'"
            )

    def restart_postgres(self) -> None:
        self.server.stop()
        self.server.start()

    # -- the end

    def stop(self) -> None:
        for component in self.components:
            component.signal(signal.SIGCONT)
            component.signal(signal.SIGTERM)
        deadline = clock.monotonic() + STOP_S
        for component in self.components:
            while not component.is_gone():
                if clock.monotonic() > deadline:
                    component.signal(signal.SIGKILL)
                clock.sleep(TURN_S)
        self.server.stop()

    def survivors(self) -> list[int]:
        """Processes of ours that live on."""
        return [pid for pid, born in self.seen.items() if birth(pid) == born]


@contextmanager
def installation(**options: Any) -> Iterator[Installation]:
    with TemporaryDirectory(prefix="hw-stress-") as folder:
        found = Installation(Path(folder), **options)
        try:
            yield found
        except BaseException:
            found.describe()
            for log in sorted(found.layout.server_logs.glob("*.log")):
                sys.stderr.write(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}\n")
            raise
        finally:
            found.stop()


def children(pid: int) -> list[int]:
    with suppress(OSError):
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    return []


def descendants(pid: int) -> dict[int, str]:
    found: dict[int, str] = {}
    stack = children(pid)
    while stack:
        child = stack.pop()
        born = birth(child)
        if born is not None:
            found[child] = born
            stack += children(child)
    return found


def birth(pid: int) -> str | None:
    """When a process was started, so that a number used again is not taken for it; None: gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
