"""The triggers and watchers of Headway itself, by the names that waits have for them.

They run in a process that is shared by all DAG files of a team. No other name does, whatever a task says of its wait.
"""

from typing import Final

LOOKING: Final = "headway.authoring.looking:"
WATCHING: Final = "headway.authoring.watching:"
ARRIVING: Final = "headway.authoring.arriving:"
SHARED: Final = frozenset(
    (
        f"{LOOKING}files",
        f"{LOOKING}answers",
        f"{WATCHING}files",
        f"{WATCHING}answers",
        f"{ARRIVING}objects",
        f"{ARRIVING}rows",
    )
)
