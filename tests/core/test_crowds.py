"""Clients are counted by what one of them can have."""

import pytest

from headway.core.crowds import crowd_of


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:DB8:0:0:8000::", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("2001:db8:0:2::1", "2001:db8:0:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("fe80::1%xeth", "fe80::2", True),
        ("::ffff:10.0.0.1", "10.0.0.1", True),  # of a socket that hears both
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("::1", "127.0.0.1", False),
        ("", "", True),
        ("", "a name", False),
        ("a name", "another", False),
        ("unix:%1", "unix:%2", False),
    ],
)
def test_who_is_counted_together(one: str, other: str, together: bool) -> None:
    assert (crowd_of(one) == crowd_of(other)) == together


def test_what_it_is_called() -> None:
    assert [crowd_of(each) for each in ("10.0.0.1", "2001:db8::1", "::1", "x%y")] == [
        *("10.0.0.1", "2001:db8::/64", "::/64", "x%y")
    ]
