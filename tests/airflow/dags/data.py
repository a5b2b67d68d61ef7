"""Assets of Airflow: updated, waited for, and read."""

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, AssetAlias, Metadata, asset, task
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable

ORDERS = Asset("orders", uri="s3://lake/orders", extra={"owner": "sales"})
RATES = Asset("rates")

with DAG("updates", schedule=None):

    @task(outlets=[ORDERS, RATES])
    def load(outlet_events=None):
        outlet_events[ORDERS].extra = {"rows": 3}
        yield Metadata(RATES, {"day": "monday"})

    BashOperator(task_id="plain", bash_command="true", outlets=[ORDERS]) >> load()


with DAG("awaits_both", schedule=[ORDERS, RATES]):

    @task(inlets=[ORDERS])
    def reads(triggering_asset_events=None, inlet_events=None, dag_run=None):
        print("type:", dag_run.run_type)
        for found in sorted(triggering_asset_events, key=lambda found: found.name):
            events = triggering_asset_events[found]
            print("brought by", found.name, found.uri, [each.extra for each in events])
            print("from", events[-1].source_dag_id, events[-1].source_task_id)
        print("inlet:", inlet_events[ORDERS][-1].extra, inlet_events[ORDERS][-1].asset.uri)
        latest = inlet_events[ORDERS].ascending(False).limit(1)
        print("latest:", [each.extra for each in latest])

    reads()

with DAG("awaits_any", schedule=(ORDERS & Asset("never")) | RATES):
    BashOperator(
        task_id="templated",
        bash_command='echo "{% for asset, events in triggering_asset_events.items() %}'
        '{{ asset.name }}={{ events[0].extra }} {% endfor %}"',
    )

with DAG(
    "times_or_assets",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 5 * * *", timezone="UTC"), assets=[ORDERS]
    ),
):
    BashOperator(task_id="alias", bash_command="true", outlets=[AssetAlias("any")])


@asset(uri="s3://lake/report", schedule=None, extra={"format": "csv"})
def report(self, orders):
    print("making", self.uri, self.extra, "of", orders.uri, orders.extra)
