"""Commands that a test starts and talks to while they run."""

import os
import subprocess
import sys
from pathlib import Path

BEGUN: list[subprocess.Popen[str]] = []


def begin(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """A ``headway`` command, not waited for. It is ended with the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "headway", *arguments],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "CI": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    BEGUN.append(process)
    return process


def end_begun() -> None:
    """What a failed test leaves running must not fail the next one."""
    while BEGUN:
        with BEGUN.pop() as process:
            process.kill()
