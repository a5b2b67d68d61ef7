"""Print what is installed in this environment as a CycloneDX document: ``python sbom.py > sbom.cdx.json``.

Standard library only, and the same environment gives the same bytes: the image is built with it.
"""

import json
import re
import sys
from importlib.metadata import Distribution, distributions, version
from typing import Any

ROOT = "headway"
TOOLS = {"pip", "setuptools", "wheel"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def component(found: Distribution) -> dict[str, Any]:
    name = normal(found.metadata["Name"])
    purl = f"pkg:pypi/{name}@{found.version}"
    made = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": found.version,
        "purl": purl,
    }
    if (text := licence(found)) is not None:
        made["licenses"] = [text]
    return made


def licence(found: Distribution) -> dict[str, Any] | None:
    """Return the licence as the package states it: an SPDX expression, or a name."""
    if expression := found.metadata.get("License-Expression"):
        return {"expression": expression}
    named = [
        each.rpartition(" :: ")[2]
        for each in found.metadata.get_all("Classifier") or ()
        if each.startswith("License ::")
    ]
    text = named[0] if named else (found.metadata.get("License") or "").strip().split("\n")[0]
    return {"license": {"name": text}} if text else None


def document() -> dict[str, Any]:
    every = {normal(each.metadata["Name"]): each for each in distributions()}
    ours = component(every.pop(ROOT))
    listed = [component(each) for name, each in sorted(every.items()) if name not in TOOLS]
    python = {
        "type": "platform",
        "bom-ref": "python",
        "name": sys.implementation.name,
        "version": ".".join(map(str, sys.version_info[:3])),
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**ours, "type": "application"}},
        "components": [python, *listed],
        "dependencies": [
            {"ref": ours["bom-ref"], "dependsOn": [each["bom-ref"] for each in listed]}
        ],
    }


if __name__ == "__main__":
    assert version(ROOT)
    json.dump(document(), sys.stdout, indent=1)
    sys.stdout.write("\n")
