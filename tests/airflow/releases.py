"""The release of Airflow that is installed: most tests run with the newest, ``make test-airflow`` with another one."""

from typing import Final

from headway.frontends.airflow import installed

FOUND: Final = (installed.found() or "").rpartition(".")[0]
IS_NEWEST: Final = installed.SUPPORTED[-1] == FOUND
RECORDED: Final = "the records are of the newest release"
