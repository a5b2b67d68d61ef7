"""Tasks that start in a trigger, without their ``execute``."""

import dataclasses
from datetime import timedelta

from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.sdk import DAG, BaseOperator
from airflow.triggers.base import StartTriggerArgs


class AtOnce(BaseOperator):
    template_fields = ("what",)
    start_from_trigger = True
    start_trigger_args = StartTriggerArgs(
        trigger_cls="feeds.Feed", next_method="go_on", next_kwargs={"number": 7}
    )

    def __init__(self, what, seconds=None, **options):
        super().__init__(**options)
        self.what = what
        self.start_trigger_args = dataclasses.replace(
            self.start_trigger_args,
            trigger_kwargs={"what": what},
            timeout=None if seconds is None else timedelta(seconds=seconds),
        )

    def execute(self, context):
        raise ValueError("it executes")

    def go_on(self, context, event, number):
        print(f"goes on: {number} with {event}")


def called(context):
    print("called")


with DAG("at_once", schedule=None):
    AtOnce(task_id="templated", what="day {{ ds }}", on_execute_callback=called)
    AtOnce.partial(task_id="each").expand(what=["a", "b"])
    AtOnce(task_id="gives_up", what="never", seconds=0.1)
    AtOnce(task_id="ends", what="ends")
    AtOnce(task_id="told_not_to", what="a").start_from_trigger = False
    DateTimeSensorAsync(
        task_id="until",
        target_time="2026-01-02T00:00:00+00:00",
        start_from_trigger=True,
        end_from_trigger=True,
    )
