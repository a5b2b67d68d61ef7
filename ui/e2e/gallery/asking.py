"""Tasks that ask people, one of them in Markdown."""

from headway import Param, approve, ask, choose, dag, task

BODY = """The canary takes it for an hour. **Then everybody does.**

| Region | Requests |
|---|---|
| Europe | 12,000 |
| Asia | 9,500 |

- see [the plan](https://example.org/plan)
- to stop: `headway cancel @latest`
"""


@dag(tags=["ops"])
def rollout():
    @task(trigger_rule="none_failed")
    def publish() -> None: ...

    size = choose("size", subject="Which cluster?", options=["small", "large"])
    form = ask(
        "amount",
        subject="How much traffic?",
        body=BODY,
        params={
            "percent": Param(
                5, type="integer", minimum=1, maximum=100, description="Of all requests."
            )
        },
    )
    sign = approve("sign", subject="Release it?", response_timeout=36_000, defaults="Reject")
    [size, form, sign] >> publish()


rollout()
