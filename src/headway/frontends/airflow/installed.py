"""The Airflow that is installed beside Headway, and the versions with which its DAG files can be run."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from headway.spec.errors import BadSpec

PACKAGE: Final = "apache-airflow-core"
# Those whose task runner ``answers`` knows: the one place that names them. The last is that of `make test`; each other
# one has a lock file, and `make test-airflow VERSION=…`.
SUPPORTED: Final = ("3.2", "3.3")
COMMAND: Final = "pip install 'headway[airflow]'"


def found() -> str | None:
    """Return the version of the installed Airflow; None: there is none."""
    for package in (PACKAGE, "apache-airflow"):
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return None


def require(file: str) -> None:
    """Raise BadSpec with the command that helps, unless a supported Airflow is installed."""
    installed = found()
    told = " and ".join(SUPPORTED)
    if installed is None:
        raise BadSpec(
            "the file imports Airflow, which is not installed where Headway runs",
            file=file,
            hint=f"install it: {COMMAND}",
        )
    if ".".join(installed.split(".")[:2]) not in SUPPORTED:
        raise BadSpec(
            f"Airflow {installed} is installed; Headway runs DAG files with Airflow {told}",
            file=file,
            hint=f"install a version that it knows: {COMMAND}",
        )
