"""A container as a local process: its environment, its folders, its probes, and its log with the time of each line."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from headway import clock

REFERENCE: Final = re.compile(r"\$(\$|\(([A-Za-z_][A-Za-z0-9_]*)\))")
READ_BYTES: Final = 64 * 1024

Spec = dict[str, Any]


class Log:
    """What a container printed, in a file of lines with their times. ``is_over``: nothing follows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_over = False
        path.touch()

    def pump(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as source, self.path.open("ab", buffering=0) as out:
            rest = b""
            while data := os.read(source.fileno(), READ_BYTES):
                *lines, rest = (rest + data).split(b"\n")
                out.write(b"".join(stamped(line) + b"\n" for line in lines))
            if rest:
                out.write(stamped(rest))
        self.is_over = True


def stamped(line: bytes) -> bytes:
    now = datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%f").encode() + b"000Z " + line


@dataclass(slots=True)
class Started:
    """A container's process. ``reason``: how its end is to be called, in place of what its code says."""

    name: str
    process: subprocess.Popen[bytes]
    log: Log
    places: Mapping[str, str]
    is_started: bool = False  # its startup probe has passed
    probed_at: float = float("-inf")
    failures: int = 0
    kill_at: float | None = None
    reason: str = ""
    pump: threading.Thread | None = field(default=None, repr=False)

    @property
    def code(self) -> int | None:
        found = self.process.poll()
        return None if found is None else found if found >= 0 else 128 - found

    def ask_to_end(self, grace_s: float) -> None:
        """SIGTERM, and SIGKILL later. A second call changes nothing."""
        if self.kill_at is None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.kill_at = clock.monotonic() + grace_s

    def insist(self) -> None:
        if self.kill_at is not None and clock.monotonic() >= self.kill_at:
            self.kill()

    def kill(self) -> None:
        """A container's processes end with its first."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def settle(self) -> None:
        """Wait for what it printed, once it has ended."""
        self.kill()
        if self.pump is not None:
            self.pump.join()


def launch(
    spec: Spec, environment: Mapping[str, str], places: Mapping[str, str], log: Log, folder: Path
) -> Started:
    command = [*spec.get("command", []), *spec.get("args", [])]
    command = [placed(expanded(each, environment), places) for each in command]
    command[0] = sys.executable if command[0] == "python" else command[0]
    process = subprocess.Popen(
        command,
        env={name: placed(value, places) for name, value in environment.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        cwd=folder,
    )
    log.is_over = False
    pump = threading.Thread(target=log.pump, args=(process,), daemon=True)
    pump.start()
    return Started(spec["name"], process, log, places, pump=pump)


def environment_of(spec: Spec, pod: dict[str, Any], host: str, port: int) -> dict[str, str]:
    """Return the variables of a container. Every one is told where the API server is."""
    found = {
        "PATH": os.environ["PATH"],
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": str(port),
    }
    for each in spec.get("env", []):
        if "valueFrom" in each:
            value: Any = pod
            for part in each["valueFrom"]["fieldRef"]["fieldPath"].split("."):
                value = value[part]
            found[each["name"]] = str(value)
        else:
            found[each["name"]] = expanded(str(each["value"]), found)
    return found


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """``$(NAME)`` is a variable if there is one, and ``$$`` is ``$``, as the kubelet reads them."""

    def value(found: re.Match[str]) -> str:
        return "$" if found[1] == "$" else environment.get(found[2], found[0])

    return REFERENCE.sub(value, text)


def placed(text: str, places: Mapping[str, str]) -> str:
    """Return a path inside of the container as it is on this machine, also behind a kind as in ``FILE:/path``."""
    if text.startswith("FILE:/"):
        return f"FILE:{placed(text.removeprefix('FILE:'), places)}"
    for mounted, real in places.items():
        if text == mounted or text.startswith(f"{mounted}/"):
            return real + text.removeprefix(mounted)
    return text


def passes(probe: Spec, started: Started, address: str) -> bool:
    """Return whether a probe passes."""
    if "exec" in probe:
        command = [placed(each, started.places) for each in probe["exec"]["command"]]
        command[0] = sys.executable if command[0] == "python" else command[0]
        return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode == 0
    asked = probe["httpGet"]
    timeout_s = probe.get("timeoutSeconds", 1)
    connection = http.client.HTTPConnection(address, asked["port"], timeout=timeout_s)
    with closing(connection):
        try:
            connection.request("GET", asked.get("path", "/"))
            return 200 <= connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
