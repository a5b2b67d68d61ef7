"""Outbound webhooks: who is told of what, when a delivery is tried again, which addresses may be reached."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from headway.core.outbound import (
    ENDS,
    FIRST_RETRY,
    GIVE_UP,
    RETRY_MAX,
    STATES,
    event_id,
    may_reach,
    networks,
    next_try,
    partition_event_id,
    wants,
)

NOW = datetime(2026, 1, 31, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dags", "states", "told"),
    [
        (["*"], ["failed"], True),
        (["sales_*"], ["failed"], True),
        (["other", "sales_day"], ["success", "failed"], True),
        (["sales"], ["failed"], False),
        (["*"], ["success", "cancelled"], False),
    ],
)
def test_a_webhook_is_told_of_its_dags_and_states(
    dags: list[str], states: list[str], told: bool
) -> None:
    assert wants(dags, states, "sales_day", "failed") == told


def test_what_is_no_end_of_a_run_has_no_state_to_be_wanted() -> None:
    assert wants(["sales_*"], ["failed"], "sales_day", None)
    assert not wants(["other"], ["failed"], "sales_day", None)


def test_the_id_of_an_overdue_partition_fits_into_a_header() -> None:
    found = partition_event_id("ventes/été", "2026-01-31\r\nX: y", 17)
    assert re.fullmatch(r"[0-9a-f]{16}-17", found)
    others = [
        partition_event_id("ventes/été", "2026-02-01", 17),
        partition_event_id("ventes", "2026-01-31\r\nX: y", 17),
        partition_event_id("ventes/été", "2026-01-31\r\nX: y", 18),
    ]
    assert len({found, *others}) == 4


def test_each_end_of_a_run_is_an_event() -> None:
    assert set(ENDS.values()) == set(STATES)
    assert "repin" not in ENDS  # it leaves a run that has ended as it is
    assert "start" not in ENDS


def test_a_delivery_is_tried_less_and_less_often_and_given_up_after_hours() -> None:
    at, waits = NOW, []
    tries = 1
    while (then := next_try(tries, NOW, at, 0.0)) is not None:
        waits.append(then - at)
        at, tries = then, tries + 1
    assert waits[:4] == [FIRST_RETRY * 2**n for n in range(4)]
    assert waits == sorted(waits)
    assert waits[-1] == RETRY_MAX
    assert GIVE_UP - RETRY_MAX < at - NOW <= GIVE_UP
    assert next_try(1, NOW, NOW, 1.0) == NOW + FIRST_RETRY * 1.2
    assert next_try(10_000, NOW, NOW, 0.0) == NOW + RETRY_MAX
    assert next_try(1, NOW, NOW + GIVE_UP, 0.0) is None
    assert next_try(1, NOW, NOW + GIVE_UP - FIRST_RETRY, 0.0) == NOW + GIVE_UP


def test_each_end_has_an_id_of_its_own() -> None:
    assert event_id("r1", 7) == "r1-7"
    assert event_id("r1", 8) != event_id("r1", 7)


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),  # 127.0.0.1, translated
        ("64:ff9b::5db8:d822", True),
        ("2002:7f00:1::", False),  # 127.0.0.1, in a tunnel
    ],
)
def test_only_public_addresses_are_reached(address: str, reached: bool) -> None:
    assert may_reach(address, []) == reached


def test_the_operator_allows_networks() -> None:
    allowed = networks("10.1.0.0/16, 127.0.0.1/32,fd00::/8")
    assert [
        may_reach(address, allowed)
        for address in ("10.1.2.3", "10.2.0.1", "127.0.0.1", "::ffff:10.1.0.1", "fd00::1", "::1")
    ] == [True, False, True, True, True, False]
    assert networks("") == []
    with pytest.raises(ValueError, match="has host bits set"):
        networks("10.1.2.3/16")
    assert next_try(1, NOW, NOW + timedelta(hours=1), 0.0) is not None
