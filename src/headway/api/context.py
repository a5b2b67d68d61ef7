"""What every route is handed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from litestar.di import NamedDependency

from headway import wire
from headway.api.door import Door
from headway.api.wakeups import Wakeups
from headway.config import Layout


@dataclass(frozen=True, slots=True)
class Api:
    door: Door
    wakeups: Wakeups
    layout: Layout
    dags: Path
    # The processes whose life the database does not show: told by who started them.
    children: Callable[[], list[wire.Component]]


Handed = NamedDependency[Api]
