"""Commands in children of a process that has imported the command line: a tenth of the work of a new interpreter.

What is a command's own stays so: process, arguments, environment, working directory, input, output and exit code.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

REQUEST_BYTES_MAX: Final = 1 << 20


class Kitchen:
    """The client's end. The process starts with the first command, and ends with the test process."""

    def __init__(self) -> None:
        self.link: socket.socket | None = None

    def run(
        self, arguments: list[str], cwd: Path, environment: dict[str, str], timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Run ``headway ARGUMENTS`` and return what it said. Raises ``TimeoutExpired``; the command goes on then."""
        self.link = self.link or opened()
        answer, theirs = socket.socketpair()
        request = json.dumps([arguments, str(cwd), environment]).encode()
        with answer, TemporaryFile() as out, TemporaryFile() as err:
            with theirs:
                socket.send_fds(self.link, [request], [out.fileno(), err.fileno(), theirs.fileno()])
            answer.settimeout(timeout_s)
            try:
                code = int(answer.recv(16) or b"-9")  # nothing: it was killed
            except TimeoutError:
                raise subprocess.TimeoutExpired(arguments, timeout_s) from None
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(
                arguments, code, out.read().decode(), err.read().decode()
            )


def opened() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def serve(link: socket.socket) -> None:
    """Fork a child for each request, until the other end is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    while True:
        request, descriptors, *_ = socket.recv_fds(link, REQUEST_BYTES_MAX, 3)
        if not request:
            return
        if os.fork() == 0:
            link.close()
            become(*json.loads(request), *descriptors)
        for each in descriptors:
            os.close(each)


def become(
    arguments: list[str], cwd: str, environment: dict[str, str], out: int, err: int, answer: int
) -> None:
    from headway.cli import execute

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = ["headway", *arguments]
    code = execute(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(answer, str(code).encode())
    os._exit(0)


def main() -> None:
    import typer._adapters  # noqa: F401 (what the first command would import)

    import headway.cli.app
    import headway.client

    headway.cli.app.tree()
    serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
