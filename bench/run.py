"""The workloads through Headway's public API, one generator each: it yields metric and value.

Each starts a `headway up` of its own: durable, an isolated child for each task. The clock runs
from just before the trigger until the end is visible through the API.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg

from bench import fairness, history, pods, waits, webhooks
from bench.instant import InstantAgent, instant_agent
from bench.processes import cpu_seconds, descendants, disk_bytes, idle_cost
from bench.product import Api, Headway, ProductError, fresh, up, wait_until
from bench.targets import CRITICAL_PATH_S
from bench.workloads.loads import DEEP, HEAVY, HEAVY_CHAIN, WIDE, fib

Values = Iterator[tuple[str, float]]

TIMEOUT_S: Final = 300.0
IDLE_S: Final = 60.0
SETTLE_S: Final = 5.0
LATENCIES: Final = 30
FILES: Final = 1_000
ROOT: Final = Path(__file__).parent.parent


def known(headway: Headway, dag_id: str) -> Api:
    wait_until(lambda: headway.api.knows(dag_id), f"DAG {dag_id}", TIMEOUT_S)
    return headway.api


def timed(api: Api, dag_id: str) -> float:
    begun = time.monotonic()
    api.finish(api.trigger(dag_id), TIMEOUT_S)
    return time.monotonic() - begun


def walls(dag_id: str, repeats: int) -> Iterator[float]:
    """The first run of a DAG starts its fork server: it is no part of the figures."""
    with fresh() as headway:
        api = known(headway, dag_id)
        timed(api, dag_id)
        for _ in range(repeats):
            yield timed(api, dag_id)


def w1(repeats: int) -> Values:
    for wall_s in walls("w1", repeats):
        yield "wall_s", wall_s


def w2(repeats: int) -> Values:
    """Beside each run, the same pure compute: the clock of a shared machine wanders."""
    for wall_s in walls("w2", repeats):
        begun = time.perf_counter()
        for _ in range(HEAVY_CHAIN):
            fib(HEAVY)
        yield "wall_s", wall_s
        yield "to_compute", wall_s / (time.perf_counter() - begun)


def w3(repeats: int) -> Values:
    for wall_s in walls("w3", repeats):
        yield "wall_s", wall_s


def w4(repeats: int) -> Values:
    for wall_s in walls("w4", repeats):
        yield "wall_s", wall_s
        yield "to_critical_path", wall_s / CRITICAL_PATH_S


def w5(repeats: int) -> Values:
    """Thirty at the least: the p95 of five is its greatest."""
    with fresh() as headway, TemporaryDirectory(prefix="headway-bench-") as folder:
        api, mark = known(headway, "w5"), Path(folder, "mark")
        for number in range(max(repeats, LATENCIES) + 1):
            wall, begun = time.time(), time.monotonic()
            api.finish(api.trigger("w5", {"mark": str(mark)}), TIMEOUT_S)
            end_ms = (time.monotonic() - begun) * 1e3
            if number:
                yield "first_line_ms", (float(mark.read_text()) - wall) * 1e3
                yield "end_ms", end_ms
            mark.unlink()


def w6(_repeats: int) -> Values:
    with TemporaryDirectory(prefix="headway-bench-") as folder:
        dags = Path(folder, "dags")
        dags.mkdir()
        for number in range(FILES):
            write_dag(dags, number, f"many_{number}")
        begun = time.monotonic()
        with up(Path(folder, "data"), dags) as headway:
            wait_until(lambda: count_dags(headway.api) == FILES, "1,000 DAGs", TIMEOUT_S)
            yield "known_s", time.monotonic() - begun
            changed = time.monotonic()
            write_dag(dags, FILES // 2, "many_changed")
            wait_until(lambda: headway.api.knows("many_changed"), "the change", TIMEOUT_S)
            yield "change_live_s", time.monotonic() - changed
            yield from idle_cost(headway.pid, IDLE_S).items()


def write_dag(dags: Path, number: int, dag_id: str) -> None:
    """Written beside and renamed, as editors and deployments do."""
    draft = dags / f".{number}.draft"
    draft.write_text(
        "from headway import dag, task\n\n\n"
        f"@dag\ndef {dag_id}():\n    @task\n    def nothing():\n        return {number}\n\n"
        "    nothing()\n"
    )
    draft.replace(dags / f"many_{number:04}.py")


def count_dags(api: Api) -> int:
    return sum(1 for _ in api.all_items("/dags"))


def w7(repeats: int) -> Values:
    yield "install_mb", install_bytes() / 1e6
    for _ in range(repeats):
        with fresh() as headway:
            yield "up_s", headway.up_s
    with fresh() as headway:
        for dag_id in (
            "w1",
            "w10_deep",
            "w10_wide",
        ):  # idle is when all is loaded; these take longest
            known(headway, dag_id)
        time.sleep(SETTLE_S)
        yield from idle_cost(headway.pid, IDLE_S).items()
        with psycopg.connect(headway.database) as conn:
            row = conn.execute(
                "SELECT count(*) - 1 FROM pg_stat_activity WHERE backend_type = 'client backend'"
            ).fetchone()
        assert row is not None
        yield "connections", float(row[0])


def install_bytes() -> int:
    """A fresh environment with the runtime's lock file and Headway itself, nothing else."""
    with TemporaryDirectory(prefix="headway-bench-") as folder:
        uv = [sys.executable, "-m", "uv", "--quiet"]
        target = ["--python", f"{folder}/bin/python"]
        lock = str(ROOT / "requirements" / "runtime.lock")
        for command in (
            [*uv, "venv", "--clear", folder],
            [*uv, "pip", "sync", *target, "--require-hashes", lock],
            [*uv, "pip", "install", *target, "--no-deps", str(ROOT)],
        ):
            subprocess.run(command, check=True, timeout=TIMEOUT_S)
        return disk_bytes(Path(folder, "lib"))


def w8(repeats: int) -> Values:
    with fresh() as headway:
        api = known(headway, "w8")
        timed(api, "w8")
        for _ in range(repeats):
            begun = time.monotonic()
            run_ids = api.trigger_many("w8", WIDE)
            assert len(run_ids) == WIDE
            wait_until(lambda: drained(api, "w8"), f"{WIDE} runs", TIMEOUT_S)
            wall_s = time.monotonic() - begun
            if api.has_runs("w8", "failed"):
                raise ProductError("runs of w8 failed")
            yield "wall_s", wall_s
            yield "runs_per_s", WIDE / wall_s


def drained(api: Api, dag_id: str) -> bool:
    """Asked ten times a second, so that asking costs nothing that shows."""
    time.sleep(0.1)
    return not any(api.has_runs(dag_id, state) for state in ("queued", "running"))


def w9(repeats: int) -> Values:
    """Each run with the past against the median without, on the same Headway."""
    with fresh() as headway:
        api = known(headway, "w3")
        timed(api, "w3")
        empty = sorted(timed(api, "w3") for _ in range(repeats))
        history.seed(headway.database, "w3")
        timed(api, "w3")
        for _ in range(repeats):
            wall_s = timed(api, "w3")
            yield "wall_s", wall_s
            yield "to_empty", wall_s / empty[len(empty) // 2]


def w10(repeats: int) -> Values:
    for shape in ("deep", "wide"):
        with fresh() as headway:
            api = known(headway, f"w10_{shape}")
            for _ in range(repeats):
                for metric, value in large_run(headway, api, f"w10_{shape}").items():
                    yield f"{shape}_{metric}", value


def large_run(headway: Headway, api: Api, dag_id: str) -> dict[str, float]:
    scheduler = scheduler_pid(headway.pid)
    cpu, memory = cpu_seconds([scheduler]), resident_kb(scheduler, "VmRSS")
    begun = time.monotonic()
    run_id = api.trigger(dag_id)
    api.finish(run_id, TIMEOUT_S)
    wall_s = time.monotonic() - begun
    spent_s = cpu_seconds([scheduler]) - cpu
    peak = resident_kb(scheduler, "VmHWM")
    return {
        "wall_s": wall_s,
        "cpu_ms_per_change": spent_s * 1e3 / changes(headway.database, run_id),
        # The peak is of the process's whole life: of the first repeat it is the run's own.
        "kb_per_task_instance": max(0, peak - memory) / WIDE,
    }


def w11(repeats: int) -> Values:
    """The scheduler's ceiling: its agent ends each attempt at once, without a process."""
    with fresh() as headway:
        api = known(headway, "w11")
        token = {"name": "instant", "scope": "agent"}
        secret = api.call("POST", "/tokens", token)["token"]
        gateway = headway.data / "run" / "gateway.sock"
        with instant_agent(gateway, secret, "instant") as agent:
            timed(api, "w11")
            for _ in range(repeats):
                yield from ceiling(headway, agent).items()


def ceiling(headway: Headway, agent: InstantAgent) -> dict[str, float]:
    api, before = headway.api, agent.ends
    scheduler, database = [scheduler_pid(headway.pid)], database_pids(headway)
    spent = cpu_seconds(scheduler), cpu_seconds(database)
    begun = time.monotonic()
    api.trigger_many("w11", DEEP)
    wait_until(lambda: drained(api, "w11"), f"{DEEP} runs", TIMEOUT_S, agent.check)
    wall_s = time.monotonic() - begun
    agent.check()
    if api.has_runs("w11", "failed"):
        raise ProductError("runs of w11 failed")
    ends = agent.ends - before
    return {
        "ends_per_s": ends / wall_s,
        "us_per_end": 1e6 * wall_s / ends,
        "scheduler_cpu_us_per_end": 1e6 * (cpu_seconds(scheduler) - spent[0]) / ends,
        "database_cpu_us_per_end": 1e6 * (cpu_seconds(database) - spent[1]) / ends,
    }


def scheduler_pid(root: int) -> int:
    found = [
        pid
        for pid in descendants(root)
        if b"scheduler" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert found, "a scheduler runs below `headway up`, with the word in its command line"
    return found[0]


def database_pids(headway: Headway) -> list[int]:
    """PostgreSQL's first process, and all that it started."""
    first = int((headway.data / "postgres" / "postmaster.pid").read_text().split()[0])
    return [first, *descendants(first)]


def resident_kb(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def changes(dsn: str, run_id: str) -> int:
    """Every change of a task instance is an event row."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "SELECT count(*) FROM event WHERE run_id = %s AND subject = 'task_instance'", (run_id,)
        ).fetchone()
    assert row is not None
    return int(row[0])


WORKLOADS: Final[dict[str, Callable[[int], Values]]] = {
    "W1": w1,
    "W2": w2,
    "W3": w3,
    "W4": w4,
    "W5": w5,
    "W6": w6,
    "W7": w7,
    "W8": w8,
    "W9": w9,
    "W10": w10,
    "W11": w11,
    "W12": waits.w12,
    "W13": webhooks.w13,
    "W15": pods.w15,
    "W16": pods.w16,
    "W17": fairness.w17,
}
