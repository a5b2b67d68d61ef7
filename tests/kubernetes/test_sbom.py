"""The bill of materials of the image: everything that the lock files install, and the same at each build."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tests.tidy.tree import ROOT

LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.M)


def printed() -> str:
    command = [sys.executable, str(ROOT / "deploy" / "sbom.py")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:  # for another system or version of Python
        return None


def test_it_lists_what_the_lock_files_install() -> None:
    text = printed()
    assert printed() == text
    found: dict[str, Any] = json.loads(text)
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert found["metadata"]["component"]["purl"] == f"pkg:pypi/headway@{version('headway')}"
    listed = {each["purl"] for each in found["components"] if "purl" in each}
    locked = {
        (name, number)
        for lock in ("runtime", "kubernetes")
        for name, number in LOCKED.findall((ROOT / f"requirements/{lock}.lock").read_text())
        if installed(name) is not None
    }
    assert len(locked) > 20
    assert {f"pkg:pypi/{name.lower().replace('_', '-')}@{v}" for name, v in locked} <= listed
    references = [each["bom-ref"] for each in found["components"]]
    assert len(set(references)) == len(references)
    (direct,) = found["dependencies"]
    assert set(direct["dependsOn"]) <= set(references)


def test_the_image_has_it() -> None:
    steps = (ROOT / "deploy" / "Dockerfile").read_text()
    assert "COPY deploy/sbom.py" in steps
    assert "> /opt/headway/sbom.cdx.json" in steps
