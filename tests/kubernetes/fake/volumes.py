"""What is in the volumes of a pod, and how a kubelet writes it: all files of a volume at once, also later.

A volume that needs what is not there holds the pod up. What is missing later changes nothing.
"""

import base64
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

from tests.kubernetes.fake.kinds import CONFIG, SECRET
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.fake.status import Refused
from tests.kubernetes.fake.store import Object

Files = dict[str, bytes]
Volume = dict[str, Any]


class Missing(Exception):
    """An object or a key that a volume needs."""


def contents(server: ApiServer, pod: Object, volume: Volume) -> Files:
    """Return the files of a volume. Raises Missing."""
    found: Files = {}
    if (secret := volume.get("secret")) is not None:
        found |= of_secret(server, pod, {**secret, "name": secret["secretName"]})
    for source in volume.get("projected", {}).get("sources", []):
        if "secret" in source:
            found |= of_secret(server, pod, source["secret"])
        elif "configMap" in source:
            found |= of_map(server, pod, source["configMap"])
        else:
            wanted = source["serviceAccountToken"]
            found[wanted["path"]] = token(server, pod, wanted.get("audience", "api")).encode()
    return found


def changes(volume: Volume) -> bool:
    """Return whether the kubelet looks at it again. Tokens last longer than any test."""
    sources = volume.get("projected", {}).get("sources", [])
    return "secret" in volume or any("secret" in each for each in sources)


def of_secret(server: ApiServer, pod: Object, wanted: dict[str, Any]) -> Files:
    is_optional = wanted.get("optional", False)
    try:
        found = server.store.get(SECRET, pod["metadata"]["namespace"], wanted["name"])
    except Refused:
        if is_optional:
            return {}
        raise Missing(wanted["name"]) from None
    data = {key: base64.b64decode(text) for key, text in (found.get("data") or {}).items()}
    items = wanted.get("items", [{"key": key, "path": key} for key in data])
    if not is_optional and (lacks := [each["key"] for each in items if each["key"] not in data]):
        raise Missing(f"references non-existent secret key: {lacks[0]}")
    return {each["path"]: data[each["key"]] for each in items if each["key"] in data}


def of_map(server: ApiServer, pod: Object, wanted: dict[str, Any]) -> Files:
    data = server.store.get(CONFIG, pod["metadata"]["namespace"], wanted["name"])["data"]
    return {each["path"]: data[each["key"]].encode() for each in wanted["items"]}


def token(server: ApiServer, pod: Object, audience: str) -> str:
    meta = pod["metadata"]
    account = pod["spec"].get("serviceAccountName", "default")
    who = (meta["namespace"], account, (audience,), meta["name"], meta["uid"])
    return server.tokens.issue(*who)


def write(folder: Path, files: Files) -> None:
    """Replace what is in a folder at once: the files are links into a folder behind a link, which is renamed."""
    before = os.readlink(folder / "..data") if (folder / "..data").is_symlink() else None
    if before is not None and read(folder / before) == files:
        return
    new = folder / f"..{uuid.uuid4().hex}"
    new.mkdir()
    for name, data in files.items():
        (new / name).write_bytes(data)
    draft = folder / "..data_tmp"
    draft.symlink_to(new.name)
    draft.rename(folder / "..data")
    for name in files:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    for link in folder.iterdir():
        if not link.name.startswith("..") and link.name not in files:
            link.unlink()
    if before is not None:
        shutil.rmtree(folder / before)


def read(folder: Path) -> Files:
    return {each.name: each.read_bytes() for each in folder.iterdir()}
