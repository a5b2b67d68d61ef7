import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { ask, PATIENCE_MS } from "./api.ts";
import type { Server } from "./server.ts";

/**
 * DAGs whose tasks wait until the test lets them go on, so that what a page shows between two steps
 * is no matter of luck: `chained` (first, second, third), `mapped` (first, each of three, last) and
 * `spoken` (speak, which prints a line before each of its gates, 0 to 3).
 */
export async function gates(server: Server): Promise<void> {
  writeFileSync(join(server.dags, "gates.py"), SOURCE.replace("HERE", server.dags));
  const known = () =>
    Promise.all(["chained", "mapped", "spoken"].map((dag) => ask(server, `/dags/${dag}`)));
  await vi.waitFor(known, { timeout: PATIENCE_MS, interval: 100 });
}

/** Begin a run; each of its waiting tasks goes on when its gate is opened. */
export async function begin(server: Server, dag: string, gate: string): Promise<string> {
  const asked = { params: { gate } };
  return (await ask<{ run_id: string }>(server, `/dags/${dag}/runs`, asked)).run_id;
}

export function open(server: Server, gate: string, task: string | number): void {
  writeFileSync(join(server.dags, `${gate}.${task}.open`), "");
}

const SOURCE = `"""Tasks that wait to be let go on."""

import time
from pathlib import Path

from headway import dag, task

FOLDER = Path("HERE")


def pass_through(gate, name):
    while not (FOLDER / f"{gate}.{name}.open").exists():
        time.sleep(0.05)


@dag
def chained(gate: str = "none"):
    @task
    def first(gate):
        pass_through(gate, "first")

    @task
    def second(before, gate):
        pass_through(gate, "second")

    @task
    def third(before):
        pass

    third(second(first(gate), gate))


@dag
def mapped(gate: str = "none"):
    @task
    def first(gate) -> list[int]:
        pass_through(gate, "first")
        return [1, 2, 3]

    @task
    def each(number: int) -> int:
        return number

    @task
    def last(numbers: list[int]) -> int:
        return sum(numbers)

    last(each.expand(number=first(gate)))


@dag
def spoken(gate: str = "none"):
    @task
    def speak(gate):
        for number in range(4):
            print(f"line {number}", flush=True)
            pass_through(gate, number)

    speak(gate)


chained()
mapped()
spoken()
`;
