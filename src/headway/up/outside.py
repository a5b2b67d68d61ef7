"""The address at which ``headway up`` waits for agents of other machines, and its certificate."""

from dataclasses import dataclass
from pathlib import Path

from headway.config import agents_address
from headway.errors import UsageError
from headway.executors.agents import doors


@dataclass(frozen=True, slots=True)
class Agents:
    address: str  # tls:HOST:PORT
    certificate: Path
    key: Path

    @property
    def options(self) -> list[str]:
        """Return the options of the scheduler."""
        files = (
            "--certificate",
            str(self.certificate.absolute()),
            "--key",
            str(self.key.absolute()),
        )
        return ["--agents", self.address, *files]


def agents(url: str | None, certificate: Path | None, key: Path | None) -> Agents | None:
    """Read the settings. Raises UsageError if they are not complete, or the certificate cannot be used."""
    if url is None:
        if certificate or key:
            raise UsageError(
                "--certificate and --key are for agents of other machines",
                hint="add --agents tls://0.0.0.0:7077",
            )
        return None
    address = agents_address(url)
    doors.outside(address, certificate, key)
    assert certificate is not None
    assert key is not None
    return Agents(address, certificate, key)
