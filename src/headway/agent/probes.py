"""Tests of connections: each in a process of its own, as the user and in the environment of the team's tasks.

The process is of our own code and is given the connection on its standard input. What it tells is masked, and it is
killed with all it started when its time is over.
"""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec

from headway import clock
from headway.agent.link import Link
from headway.agent.loop import Loop
from headway.agent.masking import Masker
from headway.agent.processes import LINUX, signal_group
from headway.agent.protocol import Probe, Probed
from headway.agent.servers import environment
from headway.agent.users import Umask

COMMAND: Final = (sys.executable, "-P", "-m", "headway.probes")
TIME_S_MAX: Final = 10.0
TOGETHER_MAX: Final = 4
RESULT_BYTES_MAX: Final = 16 * 1024
READ_BYTES: Final = 4096


class Result(msgspec.Struct, frozen=True):
    ok: bool
    message: str


RESULT: Final = msgspec.json.Decoder(Result)


@dataclass(eq=False, slots=True)
class Running:
    request: int
    process: subprocess.Popen[bytes]
    masker: Masker
    told: bytearray = field(default_factory=bytearray)


class Probes:
    def __init__(self, loop: Loop, link: Link) -> None:
        self.loop = loop
        self.link = link
        self.running: set[Running] = set()

    def start(self, probe: Probe) -> None:
        if not LINUX:  # there is no file that is in memory only
            self.tell(probe.request, False, "only agents on Linux can try a connection")
            return
        if len(self.running) >= TOGETHER_MAX:
            self.tell(probe.request, False, "the agent tries other connections; try again later")
            return
        try:
            process = spawn(probe.value)
        except OSError as error:
            self.tell(probe.request, False, f"cannot start a process for it: {error.strerror}")
            return
        one = Running(probe.request, process, Masker(probe.secrets))
        self.running.add(one)
        assert process.stdout is not None
        self.loop.watch(process.stdout.fileno(), partial(self.read, one))
        self.loop.at(clock.monotonic() + TIME_S_MAX, partial(self.give_up, one))

    def read(self, one: Running) -> None:
        assert one.process.stdout is not None
        data = os.read(one.process.stdout.fileno(), READ_BYTES)
        one.told += data
        if data and len(one.told) <= RESULT_BYTES_MAX:
            return
        try:
            result = RESULT.decode(one.told)
        except (msgspec.DecodeError, msgspec.ValidationError):
            result = Result(False, "its process ended before it had a result")
        self.end(one, result)

    def give_up(self, one: Running) -> None:
        if one in self.running:
            self.end(one, Result(False, f"no result within {TIME_S_MAX:g} s"))

    def end(self, one: Running, result: Result) -> None:
        self.running.remove(one)
        assert one.process.stdout is not None
        self.loop.forget(one.process.stdout.fileno())
        one.process.stdout.close()
        signal_group(one.process.pid, signal.SIGKILL)
        one.process.wait()
        self.tell(one.request, result.ok, one.masker.text(result.message))

    def tell(self, request: int, ok: bool, message: str) -> None:
        self.link.send(Probed(request, ok, message))


def spawn(value: str) -> subprocess.Popen[bytes]:
    """Start the process. The connection is in memory only, never in a file, an argument or the environment."""
    memory = os.memfd_create("connection")
    try:
        with open(memory, "wb", closefd=False) as file:
            file.write(value.encode())
        os.lseek(memory, 0, os.SEEK_SET)
        return subprocess.Popen(
            COMMAND, stdin=memory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=environment(), start_new_session=True, umask=Umask.original,
        )  # fmt: skip
    finally:
        os.close(memory)
