"""Deferred tasks and an asset whose triggers ask for connections, variables, XComs and runs."""

from airflow.sdk import DAG, Asset, AssetWatcher, BaseOperator, task
from inquiring import Asks, Letters


class Inquires(BaseOperator):
    def __init__(self, how, **options):
        super().__init__(**options)
        self.how = how

    def execute(self, context):
        self.defer(trigger=Asks(self.how), method_name="go_on")

    def go_on(self, context, event):
        print("an event:", event)


with DAG("inquiries", schedule=None):

    @task
    def before():
        return 41

    asked = [
        Inquires(task_id=how, how=how) for how in ("hooks", "at_once", "lacks", "writes", "of_runs")
    ]
    before() >> asked

letters = Asset("letters", watchers=[AssetWatcher(name="post", trigger=Letters("warehouse"))])

with DAG("on_letters", schedule=letters, catchup=False):

    @task(inlets=[letters])
    def extras(triggering_asset_events=None):
        return [event.extra for event in triggering_asset_events[letters]]

    extras()
