"""Triggers that ask while they look out, as the hooks of providers do: beside the DAG files, as Airflow needs it."""

import asyncio

from airflow.sdk import BaseHook, Variable
from airflow.sdk.bases.xcom import BaseXCom
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.triggers.base import BaseEventTrigger, BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async


class Asks(BaseTrigger):
    def __init__(self, how):
        super().__init__()
        self.how = how

    def serialize(self):
        return f"{Asks.__module__}.Asks", {"how": self.how}

    async def run(self):
        yield TriggerEvent(await getattr(self, self.how)())

    async def hooks(self):
        """In the event loop, in a thread, and awaited."""
        found = [
            BaseHook.get_connection("warehouse"),
            await sync_to_async(BaseHook.get_connection)("warehouse"),
            await asyncio.to_thread(BaseHook.get_connection, "warehouse"),
            await BaseHook.aget_connection("warehouse"),
        ]
        print("password", found[0].password, len(found[0].password))
        colours = [Variable.get("colour"), await sync_to_async(Variable.get)("colour")]
        return [[one.host, one.login] for one in found], colours

    async def at_once(self):
        found = await asyncio.gather(*(BaseHook.aget_connection("warehouse") for _ in range(50)))
        return len({one.host for one in found})

    async def lacks(self):
        return (await BaseHook.aget_connection("nosuch")).host

    async def writes(self):
        Variable.set("colour", "red")

    async def of_runs(self):
        mine = self.task_instance
        count = await sync_to_async(RuntimeTaskInstance.get_dr_count)(
            dag_id=mine.dag_id, run_ids=[mine.run_id], states=["running"]
        )
        states = RuntimeTaskInstance.get_task_states(dag_id=mine.dag_id, run_ids=[mine.run_id])
        value = await sync_to_async(BaseXCom.get_one)(
            key="return_value",
            task_id="before",
            dag_id=mine.dag_id,
            run_id=mine.run_id,
            map_index=-1,
        )
        return count, states[mine.run_id]["before"], value, mine.task_id


class Letters(BaseEventTrigger):
    """One event, with what a connection says of itself."""

    def __init__(self, conn_id):
        super().__init__()
        self.conn_id = conn_id

    def serialize(self):
        return f"{Letters.__module__}.Letters", {"conn_id": self.conn_id}

    async def run(self):
        found = await BaseHook.aget_connection(self.conn_id)
        yield TriggerEvent({"host": found.host, "password": found.password})
        await asyncio.Event().wait()
