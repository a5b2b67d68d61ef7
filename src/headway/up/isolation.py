"""The users as which the code of teams runs, so that the kernel keeps teams apart (docs/isolation.md).

As root, each team has a user id of a range: its agent, tasks and imports run as it. What they only read belongs to
root and is readable by the team's group; what they write is theirs; the rest of the data directory is closed to them.
Nothing is done for an attempt: the agent is started as the user, and everything else is inherited.
"""

import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import headway
from headway.agent import processes
from headway.config import Layout
from headway.errors import NotAllowed, UsageError
from headway.loader.teams import is_of_teams

if TYPE_CHECKING:
    from headway.up.supervisor import Settings

UIDS: Final = range(1_750_000_000, 1_750_100_000)
RANGE: Final = re.compile(r"(\d+)-(\d+)")
SHARED: Final = 0o1733  # each makes folders there, and neither lists nor removes those of others
ENTERED: Final = 0o711
NOT_ASKED: Final = "tasks run as the user of the server, and can reach what that user can"
# Reaches the first path and reads the other ones, as the user of a team.
LOOK: Final = (
    "import os, sys; os.stat(sys.argv[1]); [open(name, 'rb').close() for name in sys.argv[2:]]"
)


@dataclass(frozen=True, slots=True)
class Isolation:
    """``why_not``: why teams are not isolated from each other; empty: they are."""

    layout: Layout
    uids: range
    why_not: str = ""

    def uid_of(self, team_id: int) -> int | None:
        """Return the user id of a team, which is that of its group, too; None if it is that of the server."""
        if self.why_not:
            return None
        if not 0 <= team_id < len(self.uids):
            raise NotAllowed(
                f"there is no user id left for team number {team_id}: the range has {len(self.uids)}",
                hint="give a longer range with --uids",
            )
        return self.uids[team_id]

    def home(self, uid: int) -> Path:
        """Return the team's own folder, made if needed: the home and working directories of its processes."""
        home = self.layout.agents / str(uid)
        home.mkdir(mode=0o700, exist_ok=True)
        if home.stat().st_uid != uid:
            os.chown(home, uid, uid)
        return home

    def environment(self, uid: int | None) -> dict[str, str]:
        """Return what the environment of the team's processes says otherwise."""
        return {} if uid is None else {"HOME": str(self.home(uid))}

    def spool(self, uid: int | None, team: str) -> Path:
        """Return the folder from which the logs of a team are shipped, made if needed."""
        if uid is None:
            return self.layout.spool
        self.layout.team_spools.mkdir(exist_ok=True)
        self.layout.team_spools.chmod(ENTERED)
        spool = self.layout.team_spools / team
        if spool.exists() and spool.stat().st_uid != uid:  # of a team that was deleted
            shutil.rmtree(spool)
        if not spool.exists():
            spool.mkdir(mode=0o700)
            os.chown(spool, uid, uid)
        return spool

    def of_loader(self, uid: int | None) -> list[str]:
        """Return the loader's options. It knows the database: only what imports DAG files runs as the team."""
        return [] if uid is None else ["--import-as", str(uid)]

    def of_agent(self, uid: int | None) -> list[str]:
        return [] if uid is None else ["--scratch", str(self.home(uid))]

    def of_shipper(self) -> list[str]:
        """Return the shipper's options. It runs as the server: it reads what agents of all teams write."""
        return [] if self.why_not else ["--private"]

    @property
    def meeting_place(self) -> Path:
        """The folder of the gateway's socket, which agents must reach."""
        return self.layout.run if self.why_not else self.layout.agents

    def open_to_agents(self, folder: Path) -> None:
        if not self.why_not:
            folder.chmod(ENTERED)


def isolation_of(layout: Layout, settings: "Settings") -> Isolation:
    """Return how teams are isolated from each other. Raises NotAllowed if that was demanded and is not possible."""
    wanted = is_of_teams(settings.dags) if settings.isolate is None else settings.isolate
    found = (
        isolation(layout, settings.uids) if wanted else Isolation(layout, settings.uids, NOT_ASKED)
    )
    if settings.isolate and found.why_not:
        raise NotAllowed(
            f"teams cannot be isolated from each other: {found.why_not}",
            where="--isolate",
            hint="see docs/isolation.md; without --isolate, tasks run as the user of the server",
        )
    if found.why_not:
        close_folders(layout)
    return found


def isolation(layout: Layout, uids: range) -> Isolation:
    """Prepare the data directory for users of teams, or find why there can be none."""
    why_not = unprivileged() or unusable(uids)
    if not why_not:
        open_folders(layout)
        why_not = out_of_reach(layout, uids[0])
    return Isolation(layout, uids, why_not)


def unprivileged() -> str:
    if not processes.LINUX:
        return "this is not Linux"
    return "" if os.geteuid() == 0 else "Headway does not run as root"


def unusable(uids: range) -> str:
    """Return why the ids of the range cannot be taken: those of people, or unknown in this container."""
    taken = next((user.pw_name for user in pwd.getpwall() if user.pw_uid in uids), None)
    if taken is not None:
        return f"the user id of {taken} is in the range {told(uids)}"
    mapped = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    if not any(
        int(first) <= uids[0] and uids[-1] < int(first) + int(count) for first, _, count in mapped
    ):
        return f"this container has no user ids {told(uids)}"
    return ""


def open_folders(layout: Layout) -> None:
    """Let users of teams reach what is theirs. ``run`` stays closed, and so does what others have made."""
    layout.data.chmod(stat.S_IMODE(layout.data.stat().st_mode) | 0o011)
    for folder, mode in (
        (layout.agents, ENTERED),
        (layout.data / "bundles", ENTERED),
        (layout.logs, SHARED),
        (layout.xcom, SHARED),
    ):
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)


def close_folders(layout: Layout) -> None:
    for folder in (layout.data / "bundles", layout.logs, layout.xcom):
        if folder.exists() and folder.stat().st_uid == os.geteuid():
            folder.chmod(0o700)


def out_of_reach(layout: Layout, uid: int) -> str:
    """Return what a user of a team cannot do and must, asked of the kernel."""
    code, packages = Path(headway.__file__), Path(sys.modules["msgspec"].__file__ or "")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", LOOK, str(layout.agents), str(code), str(packages)],
            cwd="/", user=uid, group=uid, extra_groups=[], env={}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError as error:
        return f"a process of user id {uid} cannot start {sys.executable}: {error.strerror}"
    if done.returncode == 0:
        return ""
    reason = next(iter(reversed(done.stderr.strip().splitlines())), f"exit code {done.returncode}")
    return f"other users cannot reach Headway or its data directory: {reason}"


def told(uids: range) -> str:
    return f"{uids[0]}-{uids[-1]}"


def parsed(text: str) -> range:
    """Read a range of user ids, as ``60000-60999``. Raises UsageError."""
    found = RANGE.fullmatch(text.strip())
    uids = range(int(found[1]), int(found[2]) + 1) if found else range(0)
    if len(uids) < 2 or uids[0] == 0 or uids[-1] >= 2**32 - 1:
        raise UsageError(
            f"{text!r} is not a range of user ids", where="--uids", hint="for instance 60000-60999"
        )
    return uids
