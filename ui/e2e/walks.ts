import type { Locator, Page } from "playwright-core";

/**
 * Tasks of three kinds of people, each from the Home page to where it is done: `ui/e2e/run --walks`
 * walks all of them and prints the clicks. `before`: the clicks in the first interface, counted by
 * walking it (75bec1f); null: there it was not possible, or only by leaving the page for a terminal.
 */
export interface Walk {
  who: "on call" | "analyst" | "admin";
  task: string;
  clicks: number;
  before: number | null;
  walk: (go: Steps) => Promise<unknown>;
}

/** What the tasks are about. */
export interface Facts {
  /** A failed run of `invoices`, an older one that failed too, and one that succeeded of `orders`. */
  failed: string;
  earlier: string;
  good: string;
  /** A run of `shop` that failed, and one before it that did not. */
  late: string;
  fine: string;
  /** A run of `follow`, which goes on. */
  live: string;
}

/** Somebody's hands: what they click is counted; what they type and read is not. */
export class Steps {
  clicks = 0;

  constructor(
    readonly page: Page,
    readonly facts: Facts,
  ) {}

  async click(target: Locator): Promise<void> {
    await target.first().click();
    this.clicks += 1;
  }

  async link(name: string | RegExp): Promise<void> {
    await this.click(this.page.getByRole("link", { name, exact: typeof name === "string" }));
  }

  async button(name: string | RegExp): Promise<void> {
    await this.click(this.page.getByRole("button", { name, exact: typeof name === "string" }));
  }

  /** A page of the navigation at the left. */
  async nav(name: string | RegExp): Promise<void> {
    const pages = this.page.getByRole("navigation", { name: "Pages" });
    await this.click(pages.getByRole("link", { name, exact: typeof name === "string" }));
  }

  /** Something by its name, by the search; it is typed. */
  async find(name: string): Promise<void> {
    await this.page.keyboard.press("/");
    await this.page.getByRole("combobox").fill(name);
    await this.page.getByRole("option", { name }).first().waitFor();
    await this.page.keyboard.press("Enter");
  }

  async type(label: string | RegExp, text: string): Promise<void> {
    await this.page.getByLabel(label).first().fill(text);
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.page.locator("main, dialog[open]").getByText(text).first().waitFor();
  }

  /** The run that Home says failed: its sentence leads there. */
  async failing(dag: "invoices" | "shop"): Promise<void> {
    const run = dag === "shop" ? this.facts.late : this.facts.failed;
    await this.click(this.page.locator(`main a[href$="/runs/${run}"]`));
    await this.page.waitForURL(/\/runs\//);
  }
}

const ON_CALL: Omit<Walk, "who">[] = [
  {
    task: "What failed last, and how much of it?",
    clicks: 0,
    before: 0,
    walk: (go) => go.sees(/1 of 4 book failed/),
  },
  {
    task: "What is the error, and in which task?",
    clicks: 1,
    before: 1,
    walk: async (go) => {
      await go.failing("invoices");
      await go.sees("ValueError: month 3: 12 invoices without a customer");
    },
  },
  {
    task: "Read the log of the failed attempt",
    clicks: 2,
    before: 2,
    walk: async (go) => {
      await go.failing("invoices");
      await go.link("Open the log");
      await go.sees("booking month");
    },
  },
  {
    task: "Run the failed tasks again, having seen which those are",
    clicks: 3,
    before: 3,
    walk: async (go) => {
      await go.failing("invoices");
      await go.button("Retry failed");
      await go.sees(/will run again/);
      await go.button(/^(Run|Retry) \d+/);
    },
  },
  {
    task: "List the task instances that have one error",
    clicks: 2,
    before: null,
    walk: async (go) => {
      await go.failing("shop");
      await go.click(go.page.getByText("×6: the task instances with this error"));
      await go.page.getByRole("button", { name: "Retry these 6" }).waitFor();
    },
  },
  {
    task: "Which DAGs of others wait for this, and whom do I tell?",
    clicks: 1,
    before: null,
    walk: async (go) => {
      await go.failing("shop");
      await go.sees("Other DAGs that wait for this");
      await go.sees("owner bob");
    },
  },
  {
    task: "The failed run beside the last good one",
    clicks: 2,
    before: null,
    walk: async (go) => {
      await go.failing("shop");
      await go.link("Compare them side by side");
      await go.sees("Tasks that differ");
    },
  },
  {
    task: "Let a task run whose pool does not exist",
    clicks: 2,
    before: null,
    walk: async (go) => {
      await go.button("Create pool attic");
      await go.click(go.page.getByRole("dialog").getByRole("button", { name: "Create pool" }));
    },
  },
  {
    task: "Which file is broken, on which line, and which DAGs does it hold back?",
    clicks: 1,
    before: null,
    walk: async (go) => {
      await go.nav(/Broken files/);
      await go.sees('@dag(shedule="@daily")');
      await go.sees(/^broken for/);
    },
  },
  {
    task: "What has gone wrong with one DAG in the last 24 hours?",
    clicks: 3,
    before: null,
    walk: async (go) => {
      await go.nav("Events");
      await go.type("DAG…", "invoices");
      await go.button("Time");
      await go.click(go.page.getByRole("menuitemcheckbox", { name: "last 24 h" }));
      await go.sees("failed");
    },
  },
];

const ANALYST: Omit<Walk, "who">[] = [
  {
    task: "Is the data of a DAG ready, and since when?",
    clicks: 0,
    before: null,
    walk: async (go) => {
      await go.find("orders");
      await go.sees("Ready");
    },
  },
  {
    task: "Start a run with another parameter",
    clicks: 2,
    before: 2,
    walk: async (go) => {
      await go.find("orders");
      await go.link("Run");
      await go.page.getByLabel("country").selectOption("DE");
      await go.button("Run orders");
      await go.page.waitForURL(/\/runs\//);
    },
  },
  {
    task: "Is there a run for a date already, and how did it end?",
    clicks: 2,
    before: null,
    walk: async (go) => {
      await go.find("orders");
      await go.link("Run");
      await go.page.getByLabel("country").selectOption("DE");
      await go.type("Logical date", "2026-03-01T11:00:00");
      await go.button("Preview");
      await go.sees("There is a run for this date already");
    },
  },
  {
    task: "What did a task return?",
    clicks: 3,
    before: 3,
    walk: async (go) => {
      await go.nav("Runs");
      await go.link(go.facts.good);
      await go.button(/summarise/);
      await go.page.getByRole("complementary").getByText("return_value").waitFor();
    },
  },
  {
    task: "Whom do I ask about a DAG, and where is its runbook?",
    clicks: 0,
    before: null,
    walk: async (go) => {
      await go.find("shop");
      await go.sees("owner ann");
      await go.page.getByRole("link", { name: "Runbook" }).first().waitFor();
    },
  },
  {
    task: "Read what the author wrote about a DAG",
    clicks: 1,
    before: null,
    walk: async (go) => {
      await go.find("shop");
      await go.click(go.page.getByText("About this DAG"));
      await go.sees("Takes orders.");
    },
  },
  {
    task: "Does a DAG get slower?",
    clicks: 1,
    before: 1,
    walk: async (go) => {
      await go.find("orders");
      await go.link("Durations");
      await go.page.getByRole("table").first().waitFor();
    },
  },
  {
    task: "Which DAGs wait for the data of this one?",
    clicks: 1,
    before: null,
    walk: async (go) => {
      await go.find("shop");
      await go.link(/2 DAGs wait for it/);
      await go.sees("2 DAGs are affected");
    },
  },
  {
    task: "Which code did the failed run execute?",
    clicks: 2,
    before: 2,
    walk: async (go) => {
      await go.failing("invoices");
      await go.link("Code");
      await go.page.getByRole("region", { name: "invoices.py" }).waitFor();
    },
  },
  {
    task: "Show all times in UTC",
    clicks: 2,
    before: null,
    walk: async (go) => {
      await go.button(/Times are in .*: change/);
      await go.click(go.page.getByRole("menuitemcheckbox", { name: "UTC" }));
      await go.page.getByRole("button", { name: "Times are in UTC: change" }).waitFor();
    },
  },
];

const ADMIN: Omit<Walk, "who">[] = [
  {
    task: "Which DAGs failed last?",
    clicks: 2,
    before: 3,
    walk: async (go) => {
      await go.nav("DAGs");
      await go.button(/failed \d+/);
      await go.sees("invoices");
    },
  },
  {
    task: "Pause a DAG",
    clicks: 2,
    before: 2,
    walk: async (go) => {
      await go.nav("DAGs");
      await go.click(go.page.getByRole("switch", { name: "hourly_warehouse: on" }));
      await go.page.getByRole("switch", { name: "hourly_warehouse: paused" }).waitFor();
    },
  },
  {
    task: "Run the failed tasks of two runs again",
    clicks: 5,
    before: 7,
    walk: async (go) => {
      await go.nav("Runs");
      for (const run of [go.facts.failed, go.facts.earlier])
        await go.click(go.page.getByLabel(`Select run ${run}`));
      await go.button("Retry failed…");
      await go.button("Retry 2 runs");
      await go.page.getByText("Retried 2 runs").waitFor();
    },
  },
  {
    task: "Stop a run that goes on",
    clicks: 4,
    before: 4,
    walk: async (go) => {
      await go.nav("Runs");
      await go.link(go.facts.live);
      await go.button("Cancel…");
      await go.button("Cancel run");
      await go.sees(/^Cancelled by/);
    },
  },
  {
    task: "Give a pool more slots",
    clicks: 3,
    before: 3,
    walk: async (go) => {
      await go.nav("Slots");
      await go.button("Resize");
      await go.page.getByRole("dialog").getByLabel("Slots").fill("64");
      await go.click(go.page.getByRole("dialog").locator("footer button, [type=submit]").last());
      await go.page.getByRole("dialog").waitFor({ state: "detached" });
    },
  },
  {
    task: "Run the dates of a week, having seen which those are",
    clicks: 4,
    before: 4,
    walk: async (go) => {
      await go.nav("Backfills");
      await go.button("New backfill");
      await go.type("DAG", "orders");
      await go.type("From", "2026-07-01");
      await go.type("To", "2026-07-07");
      await go.button("Preview runs");
      await go.button("Start 7 runs");
      await go.page.getByText(/Queued 7 runs/).waitFor();
    },
  },
  {
    task: "Invite somebody",
    clicks: 3,
    before: 3,
    walk: async (go) => {
      await go.nav("Admin");
      await go.button("New user");
      await go.type("Name", `grace-${Date.now() % 100_000}`);
      await go.button("Create user and sign-in link");
      await go.page.getByRole("dialog").locator("code").first().waitFor();
    },
  },
  {
    task: "A token for a program",
    clicks: 4,
    before: 4,
    walk: async (go) => {
      await go.nav("Admin");
      await go.link("Tokens");
      await go.button("New token");
      await go.type("Name", `ci-${Date.now() % 100_000}`);
      await go.button("Create token");
      await go.page.getByRole("dialog").locator("code").first().waitFor();
    },
  },
  {
    task: "Who paused the DAG, in words?",
    clicks: 2,
    before: null,
    walk: async (go) => {
      await go.nav("Admin");
      await go.link("Audit");
      await go.sees(/paused the DAG/);
    },
  },
  {
    task: "What will run in the next hours?",
    clicks: 1,
    before: 1,
    walk: async (go) => {
      await go.nav("Timeline");
      await go.sees("hourly_warehouse");
    },
  },
];

export const WALKS: readonly Walk[] = [
  ...ON_CALL.map((walk) => ({ who: "on call" as const, ...walk })),
  ...ANALYST.map((walk) => ({ who: "analyst" as const, ...walk })),
  ...ADMIN.map((walk) => ({ who: "admin" as const, ...walk })),
];
