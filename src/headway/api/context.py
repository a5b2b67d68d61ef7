"""What every route is handed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from litestar.di import NamedDependency

from headway import wire
from headway.api.door import Door
from headway.api.wakeups import Wakeups
from headway.config import Layout

ACTOR: Final = "user:admin"  # the bearer of the one token there is


@dataclass(frozen=True, slots=True)
class Api:
    door: Door
    wakeups: Wakeups
    layout: Layout
    dags: Path
    # The processes whose life the database does not show: told by who started them.
    children: Callable[[], list[wire.Component]]


Handed = NamedDependency[Api]
