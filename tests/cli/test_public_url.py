"""``--public-url`` goes into links that people follow: nothing but a scheme, a host and a port is taken."""

import pytest

from headway.config import checked_public_url
from headway.errors import UsageError


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("https://headway.example.org", "https://headway.example.org"),
        ("https://headway.example.org/", "https://headway.example.org"),
        ("http://10.0.0.7:8443", "http://10.0.0.7:8443"),
        ("http://[::1]:80/", "http://[::1]:80"),
    ],
)
def test_taken(given: str, taken: str) -> None:
    assert checked_public_url(given) == taken


@pytest.mark.parametrize(
    "given",
    [
        *(
            "javascript:x",
            "javascript://x/%0aalert(1)",
            "data:text/html,x",
            "ftp://host",
            "host",
            "",
        ),
        *("https://", "https://:443", "https://host:port", "https://host/path", "https://host?q=1"),
        *(
            "https://host#part",
            "https://me:secret@host",
            "https://ho st",
            "https://host\n",
            "http://[::1",
        ),
    ],
)
def test_refused(given: str) -> None:
    with pytest.raises(UsageError, match="public URL"):
        checked_public_url(given)
