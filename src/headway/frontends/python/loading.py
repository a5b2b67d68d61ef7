"""The step from a Python file to specs: run it once, turn its DAGs into data, look at what it leaves behind."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from headway.authoring.loading import explained, load_file
from headway.frontends.base import WARNINGS_MAX, Loaded, Trouble
from headway.frontends.python import module_state
from headway.frontends.python.remarks import remarks
from headway.spec.callbacks import with_companions
from headway.spec.errors import BadSpec

SAMPLE: Final = """
from datetime import datetime, timedelta
from headway import Run, dag, task

@dag(schedule="0 5 * * *", start_date=datetime(2013, 1, 1), catchup=False, tags=["sample"])
def sample():
    @task(retries=2, retry_delay=timedelta(seconds=30))
    def first(run: Run) -> list[int]: ...

    @task
    def second(item: int, since: datetime) -> None: ...

    second.partial(since=datetime(2013, 1, 1)).expand(item=first())
"""


def load(root: Path, file: str) -> Loaded:
    """The DAGs of ``file``. Raises BadSpec, whatever the file does, and MemoryError."""
    path = root / file
    before = module_state.before(root, file)
    try:
        made = load_file(path, root)
        dags = with_companions([dag.spec(file) for dag in made])
        found = [*remarks(made), *module_state.warnings_of(before)]
        warnings = [Trouble(*warned) for warned in found][:WARNINGS_MAX]
    except (BadSpec, MemoryError):
        raise
    except BaseException as error:  # raised by an object of the file's own
        raise explained(error, path, file) from None
    return Loaded(dags, warnings)


def warm() -> None:
    """Load one DAG here, so that no child pays for what every DAG file needs."""
    paths, modules = list(sys.path), set(sys.modules)
    with TemporaryDirectory() as folder:
        path = Path(folder, "warm.py")
        path.write_text(SAMPLE)
        msgspec.json.encode([dag.spec(path.name) for dag in load_file(path, folder)])
    sys.path[:] = paths
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")) == str(path):
            del sys.modules[name]
