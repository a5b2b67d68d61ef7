"""A release that people decide on: how much traffic it gets, and whether it goes out at all."""

from datetime import timedelta
from typing import Any

from headway import Param, approve, ask, dag, task


@dag(schedule=None, tags=["example"])
def release() -> None:
    """Nobody holds it up for ever: without an answer the traffic is 5 %, and after 8 hours the release is rejected."""

    @task
    def build() -> str:
        return "build-118"

    @task
    def publish(version: str, traffic: dict[str, Any]) -> str:
        return f"{version} takes {traffic['params_input']['percent']} % of the traffic"

    version = build()
    traffic = ask(
        "traffic",
        subject="How much traffic for the new version?",
        params={"percent": Param(5, type="integer", minimum=1, maximum=100)},
        response_timeout=timedelta(hours=1),
    )
    sign = approve(
        "sign",
        subject="Release of {{ ds }}: may it go out?",
        body="The tests of this version are green.",
        response_timeout=timedelta(hours=8),
        defaults="Reject",
    )
    version >> [traffic, sign]
    sign >> publish(version, traffic.output)
