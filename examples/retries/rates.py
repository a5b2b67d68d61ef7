"""Retries by cause: rates are fetched from a shaky interface, read, and sent by a program with its own exit codes."""

from datetime import timedelta

from headway import RetryRule, Run, bash, dag, task

EX_TEMPFAIL = 75  # of sysexits.h: try again later


class NoRates(LookupError):
    """The interface answers, but has nothing for the day yet."""


POLICY = [
    RetryRule(
        NoRates, retries=20, retry_delay=timedelta(minutes=15), reason="rates come late on Mondays"
    ),
    RetryRule(ConnectionError, retries=5, retry_exponential_backoff=True, max_retry_delay=600),
    RetryRule([ValueError, KeyError], retries=0, reason="another answer would be as wrong"),
    RetryRule(exit_code=EX_TEMPFAIL, retries=10, retry_delay=60),
    RetryRule(["timeout", "oom"], retries=1),
]


@dag(params={"answer": "3.5"}, default_args={"retries": 2, "retry_policy": POLICY})
def rates() -> None:
    @task(execution_timeout=timedelta(minutes=2))
    def fetch(run: Run) -> str:
        if run.try_number == 1:
            raise ConnectionResetError("the interface hangs up on the first caller")
        if run.try_number == 2:
            raise NoRates("nothing yet")
        return str(run.params.answer)

    @task
    def read(answer: str) -> float:
        return float(answer)

    send = bash(
        task_id="send",
        command='test "$HEADWAY_TRY_NUMBER" -gt 3 || exit 75',
    )
    read(fetch()) >> send
