"""The DAGs of a file as Airflow's task runner reads them, read once for all tasks where that cannot be told.

The runner reads the whole file for each task, which is half of what a short task costs. Here it is read once more in
the file's fork server, by the code of Airflow that the runner uses, and watched (``purity``). Where the file looked at
nothing that may change, the runner finds the DAGs already there; else it reads the file, as in Airflow.
"""

import os
import threading
import warnings
from pathlib import Path
from typing import Any

from headway.core.callbacks import SUFFIX
from headway.frontends.airflow import purity, zips
from headway.frontends.airflow.callbacks import companion
from headway.frontends.airflow.ground import BUNDLE


class Parsed:
    """``bag``: what the runner would make of the file at ``path``, and warn of."""

    def __init__(self, path: str, bag: Any, warned: list[warnings.WarningMessage]) -> None:
        self.path = path
        self.bag = bag
        self.warned = warned

    def is_of(self, path: Any) -> bool:
        return path is not None and os.fspath(path) == self.path

    def warn(self) -> None:
        for each in self.warned:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


class Dags(dict[str, Any]):
    """The DAGs of a file by their ids, and their companions (``callbacks``)."""

    def __missing__(self, dag_id: str) -> Any:
        if dag_id.endswith(SUFFIX):
            return companion(self[dag_id.removesuffix(SUFFIX)])
        raise KeyError(dag_id)


kept: Parsed | None = None  # of the file of this process


def keep(root: Path, file: str) -> str:
    """Read the file as the runner does, and keep the result for it. Returns why not; "" if it is kept."""
    global kept
    kept = None
    bag_class()
    if file.endswith(zips.SUFFIX):
        return "it is an archive"  # whose files are imported, and imports are not watched
    if threading.active_count() > 1:
        return "threads run"
    path = os.fspath(root / file)
    with warnings.catch_warnings(record=True) as warned, purity.watched(root) as watch:
        try:
            bag = bag_class()(
                dag_folder=path,
                safe_mode=False,
                load_op_links=False,
                bundle_path=root,
                bundle_name=BUNDLE,
            )
        except BaseException as error:  # the runner will say so to each task
            return f"{type(error).__name__} was raised"
    if watch.seen or bag.import_errors:
        return watch.seen or "it cannot be imported"
    kept = Parsed(path, bag, warned)
    return ""


def bag_class() -> Any:
    """Return Airflow's reader of a file, which from the first call on is ours: with companions, and what is kept."""
    from airflow.dag_processing import dagbag

    if hasattr(dagbag.BundleDagBag, "of_headway"):
        return dagbag.BundleDagBag

    class Bag(dagbag.BundleDagBag):  # type: ignore[misc]
        of_headway = True

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            if kept is not None and kept.is_of(kwargs.get("dag_folder")):
                self.__dict__ = dict(vars(kept.bag))
                kept.warn()
            else:
                super().__init__(*args, **kwargs)
                self.dags: Any = Dags(self.dags)

    Bag.__module__ = dagbag.__name__  # the name of its logger
    dagbag.BundleDagBag = Bag
    return Bag
