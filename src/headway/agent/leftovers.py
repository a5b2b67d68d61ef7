"""Old files in the data directory of a remote agent: results of other tasks, and bundles that nobody runs any more."""

import contextlib
from collections.abc import Collection
from pathlib import Path
from typing import Final

from headway import bundle, clock
from headway.bundle import LIST
from headway.paths import bundle_root

RESULT_S_MAX: Final = 6 * 3600.0  # much longer than an attempt waits for its start
BUNDLE_S_MAX: Final = 7 * 24 * 3600.0


def remove_old_results(data: Path) -> None:
    """Remove results that no attempt reads any more. Agents that share the directory may do so at once."""
    before = clock.now().timestamp() - RESULT_S_MAX
    for file in (data / "xcom").rglob("*.json"):
        with contextlib.suppress(FileNotFoundError):
            if file.lstat().st_mtime < before:
                file.unlink()


def remove_old_bundles(data: Path, used: Collection[str]) -> set[str]:
    """Remove the versions that are neither in use nor were lately, and contents of no other one. Returns them."""
    before = clock.now().timestamp() - BUNDLE_S_MAX
    kept: set[str] = set()
    gone: set[str] = set()
    for listed in (data / "bundles").glob(f"*{LIST}"):
        version = listed.name.removesuffix(LIST)
        copy = bundle_root(data, version)
        if version in used or not copy.is_dir() or copy.stat().st_mtime >= before:
            kept |= {entry.blob for entry in bundle.parsed(listed.read_bytes()).values()}
        else:
            bundle.remove(copy)
            listed.unlink()
            gone.add(version)
    if gone:
        for blob in (data / "blobs").iterdir():
            if not blob.name.startswith(".") and blob.name not in kept:
                blob.unlink()
    return gone
