"""What an agent may say of itself and of ends: what can be stored is let through to its last character."""

import math
from typing import Any

import pytest
from msgspec.structs import replace

from headway.agent.protocol import (
    PROTOCOL_VERSION,
    XCOM_INLINE_BYTES,
    AttemptKey,
    Ended,
    Hello,
    XComValue,
)
from headway.executors.agents.flaws import (
    CLASS_MAX,
    CLASSES_MAX,
    FOLLOW_CHARS_MAX,
    FOLLOW_MAX,
    PATH_MAX,
    QUEUES_MAX,
    SECRETS_CHARS_MAX,
    SECRETS_MAX,
    SIZE_MAX,
    SLOTS_MAX,
    XCOM_KEY_MAX,
    check_text,
    classes,
    delay,
    flaw_of_end,
    flaw_of_file,
    flaw_of_hello,
    flaw_of_json,
    flaw_of_result,
    flaw_of_secrets,
    may_follow,
)

HELLO = Hello("s", "agent", "token", 1, 1, "host", 7, [])
KEY = AttemptKey("r1", "t", -1, 1)
GOOD = XComValue("return_value", b"1", None, 1)
FILE = XComValue("return_value", None, "xcom/r1/t/-1-1.json", 1)


# -- who says Hello


@pytest.mark.parametrize(
    "more",
    [
        {"slots": 1},
        {"slots": SLOTS_MAX},
        {"queues": ("default",) * QUEUES_MAX},
        {"queues": ("a-b.c_d",)},
    ],
)
def test_an_agent_of_this_version_is_heard(more: dict[str, Any]) -> None:
    assert flaw_of_hello(replace(HELLO, **more)) is None


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"protocol_version": PROTOCOL_VERSION + 1}, "uses protocol version"),
        ({"protocol_version": PROTOCOL_VERSION - 2}, f"this scheduler {PROTOCOL_VERSION}"),
        ({"slots": 0}, "has 0 slots; it must have 1 to 100,000"),
        ({"slots": -1}, "has -1 slots"),
        ({"slots": SLOTS_MAX + 1}, "has 100,001 slots"),
        ({"queues": ()}, "serves 0 queues; it must serve 1 to 64"),
        ({"queues": ("q",) * (QUEUES_MAX + 1)}, "serves 65 queues"),
        ({"queues": ("q", "a b")}, "serves the queue 'a b', which is not a valid name"),
        ({"queues": ("\u00e9 " * 50,)}, "serves the queue '" + "\\xe9 " * 20 + "',"),
    ],
)
def test_an_agent_that_cannot_be_served_is_told_why(more: dict[str, Any], why: str) -> None:
    assert why in str(flaw_of_hello(replace(HELLO, **more)))


def test_names_that_cannot_be_stored_end_the_connection() -> None:
    check_text("a", "\u00e9", "")
    for names in (("a\0",), ("a", "\ud800")):
        with pytest.raises(ValueError, match="a name in its message contains"):
            check_text(*names)


# -- results


@pytest.mark.parametrize(
    "good",
    [
        GOOD,
        FILE,
        replace(GOOD, key="k" * XCOM_KEY_MAX),
        replace(GOOD, size=0),
        replace(GOOD, size=SIZE_MAX),
        replace(GOOD, length=0),
        replace(GOOD, length=7),
        replace(GOOD, value=b""" "x" """, shown=b'"***"', secrets=["x"] * SECRETS_MAX),
        replace(GOOD, value=b"1" * XCOM_INLINE_BYTES),
    ],
)
def test_what_can_be_stored_is_let_through(good: XComValue) -> None:
    assert flaw_of_result(KEY, good) is None


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (replace(GOOD, key="k" * 513), "an XCom has a key of 513 characters; the limit is 512"),
        (replace(GOOD, key="a\0"), "the key of an XCom contains the character NUL"),
        (replace(GOOD, file=FILE.file), "its result 'return_value' is both a value and a file"),
        (replace(GOOD, value=None), "its result 'return_value' is neither a value nor a file"),
        (replace(GOOD, value=b"{"), "its result 'return_value' is not JSON"),
        (replace(FILE, file="xcom/r2/x"), "is not in the folder of its run"),
        (replace(GOOD, shown=b"{"), "is not JSON"),
        (replace(FILE, shown=b"{"), "is not JSON"),
        (replace(GOOD, secrets=["x"] * (SECRETS_MAX + 1)), "holds more than 1000 secrets"),
        (replace(GOOD, size=-1), "has a size of -1 bytes"),
        (replace(GOOD, size=SIZE_MAX + 1), f"has a size of {2**63} bytes"),
        (replace(GOOD, length=-1), "has a length of -1"),
        (replace(GOOD, value=b"{", shown=b"\xff", size=-1, length=-1), "is not JSON"),
    ],
)
def test_what_cannot_be_stored_is_told(odd: XComValue, why: str) -> None:
    assert why in str(flaw_of_result(KEY, odd))
    end = Ended(1, KEY, "t", "success", "", xcoms=[GOOD, odd])
    assert flaw_of_end(end) == flaw_of_result(KEY, odd)


def test_an_end_is_looked_at_as_a_whole() -> None:
    end = Ended(1, KEY, "t", "success", "", xcoms=[GOOD, FILE], follow=["a"])
    assert flaw_of_end(end) is None
    assert flaw_of_end(replace(end, xcoms=[], follow=None)) is None
    long = replace(end, follow=["a" * (FOLLOW_CHARS_MAX + 1)])
    assert flaw_of_end(long) == "its branch follows more or longer names than tasks have"


def test_a_branch_may_name_as_many_tasks_as_there_can_be() -> None:
    assert may_follow([])
    assert may_follow(["a" * FOLLOW_CHARS_MAX] * FOLLOW_MAX)
    assert not may_follow(["a"] * (FOLLOW_MAX + 1))
    assert not may_follow(["a", "a" * (FOLLOW_CHARS_MAX + 1)])


def test_secrets_are_bounded_in_number_and_length() -> None:
    assert flaw_of_secrets(["x" * SECRETS_CHARS_MAX]) is None
    assert flaw_of_secrets(["x"] * SECRETS_MAX) is None
    for many in (["x"] * (SECRETS_MAX + 1), ["x" * SECRETS_CHARS_MAX, "y"]):
        assert "return the ids of connections instead" in str(flaw_of_secrets(many))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"1" * (XCOM_INLINE_BYTES + 1), "has 65,537 bytes outside of a file; the limit is 65,536"),
        (b'"\xff"', "is not UTF-8"),
        (b"", "is not JSON"),
        (b"[" * 20_000 + b"]" * 20_000, "is nested too deep"),
        (b"[1]", None),
    ],
)
def test_json_is_looked_at(value: bytes, why: str | None) -> None:
    assert flaw_of_json(value) == why


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("xcom/r1/t/-1-1.json", None),
        ("xcom/r1/a..b/c..", None),
        ("xcom/r1/" + "x" * (PATH_MAX - 8), None),
        ("xcom/r1/" + "x" * (PATH_MAX - 7), "is not in the folder of its run"),
        ("xcom/r1", "is not in the folder of its run"),
        ("xcom/r10/t/x", "is not in the folder of its run"),
        ("xcom/r1/../r2/t/x", "is not in the folder of its run"),
        ("xcom/r1/t/..", "is not in the folder of its run"),
        ("/xcom/r1/x", "is not in the folder of its run"),
        ("logs/r1/x", "is not in the folder of its run"),
        ("", "is not in the folder of its run"),
        ("xcom/r1/a\0", "is in a file whose name contains the character NUL (\\0)"),
    ],
)
def test_a_file_is_in_the_folder_of_its_run(file: str, why: str | None) -> None:
    """Outside of it could be what another team has."""
    assert flaw_of_file(KEY, file) == why


# -- errors and delays


def test_classes_of_an_error_are_cut_and_made_visible() -> None:
    assert classes(["x" * 500, "a\0b"]) == ("x" * CLASS_MAX, "a\u2400b")
    assert classes(["x"] * 50) == ("x",) * CLASSES_MAX
    assert classes([]) == ()


@pytest.mark.parametrize(
    ("asked", "given"),
    [(None, None), (0.0, 0.0), (1.5, 1.5), (-0.1, None), (math.inf, None), (math.nan, None)],
)
def test_a_delay_is_a_number_of_seconds(asked: float | None, given: float | None) -> None:
    assert delay(asked) == given
