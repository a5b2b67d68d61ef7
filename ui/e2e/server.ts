import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

/** A real `headway up` on a data directory of its own, with the DAGs of this folder. */
export interface Server {
  url: string;
  token: string;
  /** The DAG folder it watches. */
  dags: string;
}

declare module "vitest" {
  interface ProvidedContext {
    server: Server;
  }
}

const START_MS = 240_000;
const HERE = fileURLToPath(new URL(".", import.meta.url));
export const PYTHON = process.env.HEADWAY_PYTHON ?? join(HERE, "../../.venv/bin/python");

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [server, stop] = await start();
  project.provide("server", server);
  return stop;
}

/** With the DAGs of this folder, or with none yet. */
export async function start({ empty = false } = {}): Promise<[Server, () => Promise<void>]> {
  const folder = mkdtempSync(join(tmpdir(), "headway-ui-"));
  const dags = join(folder, "dags");
  if (empty) mkdirSync(dags);
  else cpSync(join(HERE, "dags"), dags, { recursive: true });
  const [server, stop] = await serve(folder);
  const end = async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return [server, end];
}

/**
 * `headway up` over the data and the DAGs of a folder, with settings in its environment; the answer
 * ends it, and leaves the folder.
 */
export async function serve(
  folder: string,
  port = "0",
  settings: Record<string, string> = {},
): Promise<[Server, () => Promise<void>]> {
  const [data, dags] = [join(folder, "data"), join(folder, "dags")];
  const child = spawn(
    PYTHON,
    ["-m", "headway", "up", "--data", data, "--dags", dags, "--port", port, "--slots", "8"],
    {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...settings },
    },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGINT");
    await ended;
  };
  try {
    await up(child);
  } catch (error) {
    await stop();
    throw error;
  }
  const { url, token } = JSON.parse(readFileSync(join(data, "run/server.json"), "utf8"));
  return [{ url, token, dags }, stop];
}

/** Until it says that it is up; what it said instead is the error. */
function up(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const late = setTimeout(() => reject(new Error(`not up in time:\n${said}`)), START_MS);
    child.once("exit", () => reject(new Error(`headway up ended:\n${said}`)));
    child.stderr?.on("data", (text: Buffer) => {
      said += text;
      if (!said.includes("Ctrl-C stops it")) return;
      clearTimeout(late);
      resolve();
    });
  });
}
