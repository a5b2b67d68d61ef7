"""The shipper's status, in a file next to the spool, for the API and ``headway doctor``."""

from pathlib import Path

import msgspec

from headway.config import Layout


class Shipping(msgspec.Struct, frozen=True):
    waiting: int = 0  # logs of which the store does not have all
    bytes: int = 0  # that it does not have
    error: str = ""

    def __str__(self) -> str:
        if not self.waiting:
            return self.error or "all logs are in the log store"
        logs = "1 log waits" if self.waiting == 1 else f"{self.waiting:,} logs wait"
        return f"{logs} for the log store ({self.bytes:,} bytes)" + (
            f": {self.error}" if self.error else ""
        )


def write(layout: Layout, shipping: Shipping) -> None:
    draft = layout.shipping.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode(shipping))
    draft.replace(layout.shipping)


def read(layout: Layout) -> Shipping | None:
    """Read the status. None: no logs are shipped from here."""
    try:
        return msgspec.json.decode(Path(layout.shipping).read_bytes(), type=Shipping)
    except (OSError, msgspec.DecodeError):
        return None
