"""A trigger beside the DAG files: a triggerer of Airflow cannot import one from a DAG file."""

import asyncio

from airflow.triggers.base import BaseTrigger, TaskSkippedEvent, TriggerEvent


class Feed(BaseTrigger):
    """Ends at once in the way that ``what`` says."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def serialize(self):
        return f"{Feed.__module__}.Feed", {"what": self.what}

    async def run(self):
        if self.what == "breaks":
            raise ValueError("the feed is closed")
        if self.what == "ends":
            yield TaskSkippedEvent()
        if self.what == "never":
            await asyncio.Event().wait()
        yield TriggerEvent({"file": self.what})
