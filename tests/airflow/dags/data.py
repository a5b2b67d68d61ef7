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

FILES = AssetAlias("files")

with DAG("adds", schedule=None):

    @task(outlets=[FILES])
    def add(outlet_events=None):
        eu = Asset("eu", uri="s3://lake/eu", extra={"owner": "ann"})
        outlet_events[FILES].add(eu, extra={"rows": 7})

    add()

with DAG("awaits_alias", schedule=[FILES | Asset("never")]):

    @task(inlets=[FILES])
    def through(triggering_asset_events=None, inlet_events=None):
        for found, events in triggering_asset_events.items():
            print("brought by", type(found).__name__, found.name, [each.extra for each in events])
        (event,) = inlet_events[FILES]
        print("through:", event.asset.uri, event.asset.extra, event.extra, event.source_dag_id)

    through()

with DAG("awaits_reference", schedule=[Asset.ref(name="eu")]):

    @task(outlets=[Asset.ref(name="referred")], inlets=[Asset.ref(uri="s3://lake/eu")])
    def refers(outlet_events=None, inlet_events=None):
        outlet_events[Asset.ref(name="referred")].extra = {"day": "friday"}
        print("referred:", [each.extra for each in inlet_events[0]])

    refers()


@asset(uri="s3://lake/report", schedule=None, extra={"format": "csv"})
def report(self, orders):
    print("making", self.uri, self.extra, "of", orders.uri, orders.extra)
