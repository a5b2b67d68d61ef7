"""The next step for a file that does not load because it was written for an earlier Airflow, or lacks a provider."""

import re
from typing import Final

PROVIDER: Final = re.compile(r"No module named 'airflow\.providers\.([a-z0-9_]+(?:\.[a-z0-9_]+)?)")
# Of ``airflow.providers.x.y``: the packages whose name has two parts.
FAMILIES: Final = ("apache", "cncf", "common", "dbt", "microsoft")
EARLIER: Final = re.compile(
    r"No module named 'airflow\.|cannot import name .* from 'airflow|module 'airflow|SubDag|sla_miss|"
    r"unexpected keyword argument|[Ii]nvalid arguments were passed|missing keyword argument",
)
REWRITE: Final = (
    "if the file was written for an earlier Airflow, this rewrites most of it: "
    "ruff check --preview --select AIR --fix --unsafe-fixes FILE"
)


def hint(message: str) -> str | None:
    """Return what helps against an error of the import, as far as its text tells."""
    if (found := PROVIDER.search(message)) is not None:
        parts = found[1].split(".")
        name = "-".join(parts[: 2 if parts[0] in FAMILIES else 1]).replace("_", "-")
        return f"install the provider: pip install apache-airflow-providers-{name}"
    return REWRITE if EARLIER.search(message) is not None else None
