"""Where a gateway waits for agents: on this machine for who may enter the folder, elsewhere with a certificate only."""

import os
import socket
from pathlib import Path

import pytest

from headway.errors import UsageError
from headway.executors.agents.doors import Outside, listen, outside
from tests.certificates import authority


def test_other_machines_connect_with_a_certificate_only(tmp_path: Path) -> None:
    public, private = authority(tmp_path).sign("gateway", "127.0.0.1")
    assert outside(None, public, private) is None
    found = outside("tls:h:1", public, private)
    assert isinstance(found, Outside)
    assert (found.address, found.certificate.certificate) == ("tls:h:1", public)
    for pair in ((None, private), (public, None), (None, None)):
        with pytest.raises(UsageError, match="cannot connect to tls:h:1 without a certificate"):
            outside("tls:h:1", *pair)


def test_a_socket_of_this_machine_is_for_who_may_enter_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "g.sock"
    before = os.umask(0o022)
    try:
        listener = listen(f"unix:{path}")
        assert os.umask(0o022) == 0o022, "as it was"
    finally:
        os.umask(before)
    with listener:
        assert path.stat().st_mode & 0o777 == 0o666
        assert not listener.getblocking()
        with pytest.raises(BlockingIOError):
            listener.accept()
        with socket.socket(socket.AF_UNIX) as agent:
            agent.connect(str(path))
            accepted, _ = listener.accept()
            accepted.close()
    with listen(f"unix:{path}"):  # a killed process left it behind
        assert path.exists()


def test_an_address_of_other_machines(tmp_path: Path) -> None:
    with listen("tls:127.0.0.1:0") as listener:
        assert not listener.getblocking()
        port = listener.getsockname()[1]
        with pytest.raises(
            UsageError, match=f"cannot listen on tcp:127.0.0.1:{port}: it is in use"
        ):
            listen(f"tcp:127.0.0.1:{port}")
    with pytest.raises(UsageError, match=r"cannot listen on unix:.*: No such file or directory"):
        listen(f"unix:{tmp_path}/none/g.sock")


def test_a_folder_that_cannot_be_bound_leaves_the_mask_as_it_was(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with pytest.raises(UsageError):
            listen(f"unix:{tmp_path}/none/g.sock")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
