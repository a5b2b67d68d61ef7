"""Functions for templates, ``{{ macros.ds_add(ds, 7) }}``, with the names that they have in Airflow.

A template reaches these functions, and no module behind them.
"""

import json as json_module
import random as random_module
import time as time_module
import uuid as uuid_module
from datetime import UTC, date
from datetime import datetime as datetime  # as a macro
from datetime import timedelta as timedelta
from types import SimpleNamespace
from typing import Final

random: Final = random_module.random
time: Final = SimpleNamespace(time=time_module.time, strftime=time_module.strftime)
uuid: Final = SimpleNamespace(uuid1=uuid_module.uuid1, uuid4=uuid_module.uuid4)
json: Final = SimpleNamespace(dumps=json_module.dumps, loads=json_module.loads)


def ds_add(ds: str, days: int) -> str:
    """Return a date so many days later: ``ds_add("2015-01-06", -5)`` is ``2015-01-01``."""
    return (date.fromisoformat(ds) + timedelta(days=days)).isoformat()


def ds_format(ds: str, given: str, wanted: str) -> str:
    """Return a date in another format: ``ds_format("2015-01-05", "%Y-%m-%d", "%d.%m.")`` is ``05.01.``."""
    return datetime.strptime(ds, given).replace(tzinfo=UTC).strftime(wanted)


MACROS: Final = SimpleNamespace(
    datetime=datetime,
    ds_add=ds_add,
    ds_format=ds_format,
    json=json,
    random=random,
    time=time,
    timedelta=timedelta,
    uuid=uuid,
)
