"""Tasks that keep state, in every way that Airflow has."""

from datetime import timedelta

from airflow.sdk import DAG, Asset, BaseOperator, Connection, task

try:
    from airflow.sdk.bases.resumablejobmixin import ResumableJobMixin
    from airflow.sdk.execution_time.context import NEVER_EXPIRE
except ImportError:  # Airflow 3.2 keeps no state

    class ResumableJobMixin: ...

    NEVER_EXPIRE = None

orders = Asset("kept_orders", uri="s3://kept/orders")
stock = Asset("kept_stock")


class Job(ResumableJobMixin, BaseOperator):
    """Submits a job once, whatever happens to its attempts."""

    def execute(self, context):
        return self.execute_resumable(context)

    def submit_job(self, context):
        return f"job-of-{context['ti'].try_number}"

    def poll_until_complete(self, external_id, context):
        if context["ti"].try_number == 1:
            raise RuntimeError("the line is dead")
        return external_id

    def get_job_status(self, external_id, context):
        return "running"

    def is_job_active(self, status):
        return True

    def is_job_succeeded(self, status):
        return False

    def get_job_result(self, external_id, context):
        return external_id


with DAG("kept", schedule=None, catchup=False, default_args={"retry_delay": timedelta(0)}):

    @task(retries=1)
    def resumes(task_state_store=None, ti=None):
        found = task_state_store.get("at", default={"page": 0})
        task_state_store.set(
            "at", {"page": found["page"] + 1, "of": ["ü", 1.5, None]}, retention=NEVER_EXPIRE
        )
        task_state_store.set("gone", 1)
        task_state_store.delete("gone")
        task_state_store.delete("never was")
        if ti.try_number == 1:
            raise RuntimeError("again")
        assert task_state_store.get("gone") is None
        return task_state_store.get("at")

    @task
    def each(number, task_state_store=None):
        assert task_state_store.get("number") is None
        task_state_store.set("number", number)
        first = task_state_store.get("number")
        task_state_store.clear()
        return [first, task_state_store.get("number", default="cleared")]

    @task(inlets=[orders], outlets=[stock])
    def counts(asset_state_store=None):
        state = asset_state_store[orders]
        seen = state.get("runs", default=0) + 1
        state.set("runs", seen)
        asset_state_store[stock].set("runs", -seen)
        return seen

    @task(inlets=[Asset.ref(uri="s3://kept/orders")])
    def by_uri(asset_state_store=None):
        asset_state_store.set("asked by", "uri")
        return [asset_state_store.get("runs"), asset_state_store.get("nosuch")]

    @task
    def odd(task_state_store=None):
        told = {}
        for name, key, value in (
            ("nul", "a\0b", 1),
            ("long", "k" * 513, 1),
            ("nan", "k", {"a": [float("nan")]}),
            ("large", "k", "x" * 2_000_000),
            ("none", "k", None),
        ):
            try:
                task_state_store.set(key, value)
            except Exception as error:
                told[name] = str(error)
        return told

    counts() >> by_uri()
    resumes()
    each.expand(number=[1, 2])
    odd()
    Job(task_id="job", retries=1)

with DAG("hides", schedule=None, catchup=False):

    @task(outlets=[stock])
    def writes(asset_state_store=None):
        asset_state_store.set("url", f"postgres://me:{Connection.get('warehouse').password}@db")

    @task(inlets=[stock])
    def reads(asset_state_store=None):
        print("the url is", asset_state_store.get("url"))
        return len(asset_state_store.get("url"))

    writes() >> reads()
