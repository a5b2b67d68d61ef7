"""``wait_for_row(task_id=…, conn_id=…, sql=…)``: asks a database again and again until the query finds something.

That is a row whose first value is not empty, 0 or false, as for Airflow's ``SqlSensor``. Between two looks the process
ends and the slot is free. The result is the rows. Of ``sql`` are the arguments, of ``@task.sensor`` the other options.
"""

from typing import Final

from headway.authoring.operators import sensor, sql
from headway.authoring.operators.base import Call, Operator

WORD: Final = "wait_for_row"
NOTHING: Final = ("", "0")


def run(call: Call) -> object:
    return sensor.look(sensor.of_arguments(WORD, call.kwargs), call, rows)


def rows(call: Call) -> object:
    """Return the rows of the query; None: they say that it is not there yet."""
    found = sql.run(call)
    if not found:
        return None
    first = next(iter(found[0].values()), None)
    return found if first and first not in NOTHING else None


OPERATOR = Operator(
    word=WORD,
    parameters=("conn_id", "sql", "parameters", *sensor.OPTIONS),
    required=("conn_id", "sql"),
    run=run,
    templated=("conn_id", "sql", "parameters"),
    guarded=("parameters",),
)
