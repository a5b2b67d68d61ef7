"""One example of each kind of reason, and how it is said: for tests that go through all of them."""

from typing import Final

import msgspec

from headway.core import reasons as r

EXAMPLES: Final[tuple[tuple[r.Reason, str], ...]] = (
    (
        r.PoolFull("etl", 4, 4),
        "pool `etl` is full: 4 of 4 slots in use",
    ),
    (
        r.PoolMissing("etl"),
        "pool `etl` does not exist: headway pool set etl 16",
    ),
    (
        r.PoolEmpty("etl"),
        "pool `etl` has no slots: headway pool set etl 16",
    ),
    (
        r.PoolTooSmall("etl", 9, 4),
        "needs 9 slots, but pool `etl` has 4",
    ),
    (
        r.PoolTurn("etl"),
        "waits for its turn in pool `etl`",
    ),
    (
        r.PoolShared("@infra/gpu", 3, 3, 8),
        "pool `gpu` of team `infra`, which teams share, has 8 slots: this team uses 3 of the 3 that it may use now",
    ),
    (
        r.PoolNotShared("gpu", "infra"),
        (
            "pool `gpu` of team `infra` is not, or no longer, shared with this team:"
            " headway grant ask infra use_pool gpu"
        ),
    ),
    (
        r.TeamSlots("marketing", 40, 40, borrowed=8),
        "team `marketing` uses 40 of 40 slots, 8 of them borrowed",
    ),
    (
        r.NoAgent(),
        "no live agent",
    ),
    (
        r.AgentsFull(("a", "b")),
        "all agents are busy: a, b",
    ),
    (
        r.QueueUnserved("gpu"),
        "no live agent serves queue `gpu`: headway up --queue default --queue gpu",
    ),
    (
        r.ExecutorUnknown("moon", ("agents",)),
        "no executor is called `moon`; there are: agents",
    ),
    (
        r.QuotaFull("cpu", "64", "64", "500m", {"flights": 60, "daily": 1}),
        "quota cpu 64/64, and its pod asks for 500m, held by `flights` (60 pods) and `daily` (1 pod)",
    ),
    (
        r.PodPending("Unschedulable", "0/3 nodes are available"),
        "its pod has not started: Unschedulable: 0/3 nodes are available",
    ),
    (
        r.WarmStarting("headway-warm-7d4b-x2x9k", "2026-01-01T00:00:00+00:00"),
        "an agent of the warm pool is starting (pod headway-warm-7d4b-x2x9k, since 2026-01-01 00:00:00 UTC)",
    ),
    (
        r.PodRefused("the API server answered 500"),
        "its pod is not created yet: the API server answered 500",
    ),
    (
        r.DagPaused("ann"),
        "DAG paused by ann",
    ),
    (
        r.MaxActiveTasks(2),
        "max_active_tasks is reached: 2 queued or running",
    ),
    (
        r.MaxActiveTis(2),
        "max_active_tis_per_dagrun is reached: 2 queued or running",
    ),
    (
        r.MaxActiveTisOfDag(2, "daily"),
        "max_active_tis_per_dag is reached: 2 over all runs",
    ),
    (
        r.AwaitsIteration(2, 10, "refine.enough", "enough", ("refine.step",)),
        "it waits for `refine.step` in iteration 2 of at most 10; after it `enough` decides"
        " whether another one follows",
    ),
    (
        r.AwaitsPast("r1", "2026-01-01T05:00:00+00:00", "load", "failed"),
        "waits for `load` of the run before, r1 for 2026-01-01 05:00:00 UTC, which failed",
    ),
    (
        r.MaxActiveRuns(1, 1, 3),
        "max_active_runs is reached: 1 of 1 running, 3 queued before it",
    ),
    (
        r.HeldByRun("sequential", "r1", "2026-01-01T05:00:00+00:00", "running"),
        "run r1 for 2026-01-01 05:00:00 UTC is running, and the DAG has one active run (run_strategy sequential)",
    ),
    (
        r.AwaitsDate("2030-01-01T05:00:00+00:00"),
        "its logical date, 2030-01-01 05:00:00 UTC, lies in the future",
    ),
    (
        r.SkippedByStrategy("last_only", "r1", "2026-01-01T05:00:00+00:00", "queued"),
        "run r1 for 2026-01-01 05:00:00 UTC was queued (run_strategy last_only)",
    ),
    (
        r.BackfillFull(),
        "its backfill has as many active runs as it may have",
    ),
    (r.BackfillPaused("ann"), "its backfill is paused by ann"),
    (
        r.SetAside("boom", "2026-01-01T12:00:00+00:00", 5),
        (
            "set aside until 2026-01-01 12:00:00 UTC after the scheduler failed to plan it 5 times: boom"
        ),
    ),
    (
        r.NotSeen(),
        "no scheduler has looked at it yet",
    ),
    (
        r.HandedOver(),
        "sent to an agent, not started yet",
    ),
    (
        r.NoScheduler(),
        "no scheduler is running",
    ),
    (
        r.NotCreated(),
        "no scheduler has created its run yet",
    ),
    (
        r.FileGone(),
        "its file is no longer in the DAG folder: nothing will start",
    ),
    (
        r.NoSchedule(),
        "it has no schedule: it runs only when triggered",
    ),
    (
        r.RunsOnce(),
        "it runs once, at its start date",
    ),
    (
        r.RunsContinuously(),
        "its next run begins when the last one has ended",
    ),
    (
        r.NoDatesLeft(),
        "its schedule has no more dates",
    ),
    (
        r.AwaitsAssets(("@shop/orders", "rates"), "2026-01-01T05:00:00+00:00", ("@shop/orders",)),
        "it waits for events of `@shop/orders` and `rates`, since 2026-01-01 05:00:00 UTC; "
        "no grant lets it use `@shop/orders`",
    ),
    (
        r.AwaitsPartitions(
            "2026-01-31",
            (("clicks", "2026-01-31T05"), ("costs", "")),
            2,
            3,
            2,
            "2026-01-31T05:00:00+00:00",
        ),
        "it waits for the partition 2026-01-31: `2026-01-31T05` of `clicks`, `costs`, 2 more "
        "(3 of them are enough); 1 other partition waits",
    ),
    (
        r.OverduePartition("2026-01-31", "2026-02-01T02:00:00+00:00", arrived=False),
        "the partition 2026-01-31 was due at 2026-02-01 02:00:00 UTC, and nothing of it has arrived",
    ),
    (
        r.LatePartition("2026-01-31", "clicks", "2026-01-31T05"),
        "`2026-01-31T05` of `clicks` arrived after this run of the partition 2026-01-31",
    ),
    (
        r.EndDateReached(),
        "its end date has passed",
    ),
    (
        r.RuleMet("all_done", 3, {"success": 2, "skipped": 1}),
        ("all_done is met: of 3 upstream tasks, 2 succeeded, 1 skipped"),
    ),
    (
        r.RuleNotMet("all_success", 3, {"success": 1, "failed": 1}, ("b",), state="failed"),
        ("upstream task `b` failed (rule: all_success)"),
    ),
    (
        r.NotChosen("gate", ("a", "b")),
        "`gate` chose `a` and `b`",
    ),
    (
        r.FailedFast("load"),
        "`load` failed, and the DAG ends at the first failure (fail_fast)",
    ),
    (
        r.SkippedItself("no flights"),
        "no flights",
    ),
    (
        r.MappedOverNothing(),
        "mapped over an empty list",
    ),
    (
        r.SourceNotSuccessful("items", "skipped"),
        ("mapped over the result of `items`, which was skipped"),
    ),
    (
        r.SetupNotSuccessful("create", "failed"),
        "its setup `create` failed",
    ),
    (
        r.NotAList("items"),
        "cannot map over the result of `items`: it is not a list or dict",
    ),
    (
        r.TooManyItems(100_001, 100_000),
        "mapped over 100,001 items; the limit is 100,000",
    ),
    (
        r.TooManyTasks(30_000, 20_000),
        "the run would have 30,000 task instances; the limit of this team is 20,000 (run_tasks)",
    ),
    (
        r.ItemGone(1),
        "its list has 1 item now",
    ),
    (
        r.IterationGone(2),
        "an earlier iteration decides anew: its loop has 2 iterations now",
    ),
    (
        r.Granted("etl", "local"),
        "got a slot of pool `etl` on agent local",
    ),
    (
        r.Started(),
        "its process has started",
    ),
    (
        r.AttemptFailed("exception", "ValueError: no"),
        "ValueError: no",
    ),
    (
        r.GivenUp("exception", "ValueError: no", 3, 2),
        ("ValueError: no (failed 3 times: all 2 retries are used up)"),
    ),
    (
        r.LostTooOften("no_heartbeat", "", 6),
        "no_heartbeat (lost 6 times with its agent or node)",
    ),
    (
        r.RetryOver(),
        "the retry delay is over",
    ),
    (
        r.CodeChanged("user:ann", 2, 1, "b", "a"),
        "continues with version 2 instead of version 1, by ann",
    ),
    (
        r.TaskRemoved("load"),
        "the version with which the run continues has no task `load`",
    ),
    (
        r.AwaitsTime("2026-01-01T12:00:00+00:00"),
        "waits until 2026-01-01 12:00:00 UTC",
    ),
    (
        r.AwaitsAnswer("Release 1.2?", ("ann", "release-managers")),
        "asks ann or release-managers: Release 1.2?",
    ),
    (r.Answered("user:ann", ("small", "large")), "answered by ann: small and large"),
    (
        r.AnsweredByDefault(("Reject",), 60.0),
        "nobody answered within 60 s, so the default holds: Reject",
    ),
    (r.Rejected("user:ann", ("Reject",)), "answered by ann: Reject"),
    (
        r.AwaitsTrigger("file /data/x.csv"),
        "waits for file /data/x.csv",
    ),
    (
        r.AwaitsRun("flights", "2026-01-01T00:00:00+00:00", ("success", "failed"), "load"),
        "waits until task `load` of the run of `flights` for 2026-01-01 00:00:00 UTC is success or failed",
    ),
    (
        r.AwaitsAsset("orders", "eu", "2026-01-01T00:00:00+00:00"),
        "waits for an event of partition `eu` of asset `orders` since 2026-01-01 00:00:00 UTC",
    ),
    (
        r.WaitOver(),
        "what it waited for is there",
    ),
    (
        r.WaitTimedOut(60.0),
        "what it waited for did not come within 60 s",
    ),
    (
        r.UpstreamChanged(),
        "an upstream task has changed",
    ),
    (
        r.Cleared("user:ann"),
        "cleared by ann",
    ),
    (
        r.Marked("user:ann", live=True),
        "marked by ann while it was running",
    ),
    (
        r.Cancelled("user:ann"),
        "cancelled by ann",
    ),
    (
        r.RunStarted(),
        "started when max_active_runs allowed it",
    ),
    (
        r.RunTimedOut(90.5),
        "dagrun_timeout of 90.5 s exceeded",
    ),
    (
        r.LeavesFailed(("a", "b", "c"), 2),
        "leaf tasks `a`, `b`, `c` and 2 others did not succeed",
    ),
    (
        r.LeavesSucceeded(),
        "all leaf tasks succeeded or were skipped",
    ),
    (
        r.PoolResized("etl", 1),
        "pool `etl` has 1 slot",
    ),
    (
        r.Created("manual", "for Ann"),
        "for Ann",
    ),
    (
        r.About("etl"),
        "etl",
    ),
    (
        r.Text("as it was said"),
        "as it was said",
    ),
)


def as_stored(reason: r.Reason) -> str:
    return msgspec.json.encode(reason).decode()
