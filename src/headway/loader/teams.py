"""A folder of teams: it holds the DAG folder of one team in each sub-folder, which is called as the team.

What makes it one is the file ``headway-teams.yaml`` in it, which no ordinary DAG folder has. So the team of a
DAG is where its file lies, whatever the file says.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headway import frontends
from headway.core.teams import name_trouble
from headway.errors import UsageError

MARK: Final = "headway-teams.yaml"


@dataclass(frozen=True, slots=True)
class TeamFolders:
    folders: dict[str, Path]  # by team, in order
    problems: dict[str, str]  # by name: what is in the folder and of no team


def is_of_teams(folder: Path) -> bool:
    return (folder / MARK).is_file()


def team_folders(root: Path) -> TeamFolders:
    """Read a folder of teams. Hidden names, and those that begin with an underscore, are nobody's."""
    found = TeamFolders({}, {})
    for entry in sorted(os.scandir(root), key=lambda each: each.name):
        if entry.name.startswith((".", "_")) or entry.name == MARK:
            continue
        if entry.is_dir():
            trouble = name_trouble(entry.name)
            if trouble is None:
                found.folders[entry.name] = root / entry.name
            else:
                found.problems[entry.name] = f"{trouble}, so the folder is not used"
        elif entry.name.endswith(tuple(frontends.suffixes())):
            found.problems[entry.name] = "the file is in no team's folder, so it is not used"
    return found


def root_above(place: Path) -> Path | None:
    """Return the folder of teams that a file or folder lies in."""
    return next((folder for folder in place.absolute().parents if is_of_teams(folder)), None)


def team_with(root: Path, place: Path) -> str | None:
    """Return the team whose folder below ``root`` a place is in, if it is in one."""
    try:
        return team_of(root, place)[0]
    except UsageError:
        return None


def team_of(root: Path, place: Path) -> tuple[str, Path]:
    """Return the team whose folder below ``root`` a place is in, and that folder. Raises UsageError."""
    for base in (Path(os.path.abspath(root)), root.resolve()):
        for file in (Path(os.path.abspath(place)), place.resolve()):
            if file.is_relative_to(base) and file != base:
                name = file.relative_to(base).parts[0]
                if name in team_folders(root).folders:
                    return name, root / name
    raise UsageError(
        f"the file is in no team's folder of {root}",
        where=str(place),
        hint=f"{root} has {MARK}, so it holds one folder for each team: move the file into one of them",
    )
