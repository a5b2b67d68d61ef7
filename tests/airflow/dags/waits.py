"""Tasks that give up their process while they wait: sensors that look again, and triggers."""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import DAG, BaseOperator, task
from feeds import Feed


class Later(BaseOperator):
    def execute(self, context):
        context["ti"].xcom_push("note", "before")
        kwargs = {"number": 7, "day": datetime(2026, 1, 2, tzinfo=UTC)}
        self.defer(trigger=TimeDeltaTrigger(timedelta(0)), method_name="go_on", kwargs=kwargs)

    def go_on(self, context, event, number, day):
        print("goes on:", number, "of", f"{day:%Y-%m-%d}, at a moment:", event <= datetime.now(UTC))
        return "after"


class Watches(BaseOperator):
    def __init__(self, what, seconds=None, **options):
        super().__init__(**options)
        self.what, self.seconds = what, seconds

    def execute(self, context):
        timeout = None if self.seconds is None else timedelta(seconds=self.seconds)
        self.defer(trigger=Feed(self.what), method_name="go_on", timeout=timeout)

    def go_on(self, context, event):
        print("an event:", event)


with DAG("waits", schedule=None):

    @task.sensor(mode="reschedule", poke_interval=0)
    def looks_again(ti=None, task_reschedule_count=0):
        if task_reschedule_count < 2:
            return False
        first = ti.get_first_reschedule_date({"task_reschedule_count": task_reschedule_count})
        print("second look, since the first:", first < datetime.now(UTC))
        return True

    @task
    def reads(ti=None):
        print(ti.xcom_pull("later", key="note"), "and", ti.xcom_pull("later"))

    looks_again()
    Later(task_id="later") >> reads()
    DateTimeSensorAsync(
        task_id="until", target_time="2026-01-02T00:00:00+00:00", end_from_trigger=True
    )
    Watches(task_id="watches", what="orders")
    Watches(task_id="gives_up", what="never", seconds=0.1)
    Watches(task_id="breaks", what="breaks")
    Watches(task_id="ends", what="ends")
