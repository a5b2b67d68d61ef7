"""What people see of what a task hands on, and what goes on to the tasks that receive it."""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway.agent import shown
from headway.agent.attempts import End
from headway.agent.masking import Masker
from headway.agent.protocol import (
    XCOM_INLINE_BYTES,
    AssetEvent,
    AttemptKey,
    Deferral,
    Found,
    Grant,
    XComValue,
)
from headway.authoring.values import to_json

SECRET = 'pä"ss w/rd\n~~~???>\nline-two'
PIN = "73310052"
TOKEN = "the-credential-of-the-agent"
KEY = AttemptKey("run", "task", -1, 1)


@pytest.fixture
def masker() -> Masker:
    """As that of an attempt which was handed two secrets, beside the credential of its agent."""
    found = Masker([TOKEN]).copy()
    found.add([SECRET, PIN])
    return found


def ended(masker: Masker, *xcoms: XComValue, kind: str = "python", **more: Any) -> End:
    end = End("success", "", xcoms=list(xcoms), **more)
    return shown.end(Path("/nowhere"), Grant(KEY, "t", kind, []), end, masker)


def returned(masker: Masker, value: object) -> XComValue:
    body = to_json(value)
    (one,) = ended(masker, XComValue("return_value", body, None, len(body))).xcoms
    assert one.value == body, "what a task receives is whole"
    assert one.size == len(body)
    return one


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (SECRET, "***"),
        (f"postgres://x:{SECRET}@db", "postgres://x:***@db"),
        ([1, [SECRET], True, None], [1, ["***"], True, None]),
        ({"a": {"line-two": 1.5}}, {"a": {"***": 1.5}}),
        (json.dumps({"x": [SECRET]}), '{"x": ["***"]}'),
        ({"line": "line-two"}, {"line": "***"}),
        (base64.b64encode(b"a" + SECRET.encode()).decode(), "YX***8="),
    ],
)
def test_people_see_no_secret(masker: Masker, value: object, seen: object) -> None:
    one = returned(masker, value)
    assert one.shown is not None
    assert json.loads(one.shown) == seen
    assert one.secrets == [SECRET]


def test_json_inside_json_hides_none(masker: Masker) -> None:
    masker.add(['p"ss"wd'])
    one = returned(masker, [json.dumps({"x": 'p"ss"wd'})])
    assert json.loads(one.shown or b"") == ['{"x": "***"}']
    assert one.secrets == ['p"ss"wd']


def test_json_inside_json_inside_json_hides_none(masker: Masker) -> None:
    value: object = {SECRET: [SECRET]}
    for _ in range(4):
        value = json.dumps({"body": value, "at": [1]})
    one = returned(masker, [value])
    seen: Any = json.loads(one.shown or b"")[0]
    for _ in range(4):
        seen = json.loads(seen)["body"]
    assert seen == {"***": ["***"]}
    assert one.secrets == [SECRET]


@pytest.mark.parametrize(
    "body",
    [b"7.3310052e7", b"7.3310052E+07", b"73310052.0", b'{"a":[7.3310052e+7]}', b'{"73310052":1}',
     b'["73,310,052"]'],
)  # fmt: skip
def test_a_number_however_it_is_written(masker: Masker, body: bytes) -> None:
    (one,) = ended(masker, XComValue("return_value", body, None, len(body))).xcoms
    assert one.shown is not None
    assert b"***" in one.shown
    assert b"3310052" not in one.shown
    assert one.secrets == [PIN]


def test_what_only_reading_the_json_reveals(masker: Masker) -> None:
    """A text whose characters are all escaped, and numbers in ways that nobody looks for."""
    escaped = "".join(f"\\u{ord(c):04x}" for c in PIN)
    for body in (f'["{escaped}"]', f'{{"{escaped}": 1}}', f"[{PIN}0e-1]"):
        (one,) = ended(masker, XComValue("return_value", body.encode())).xcoms
        assert one.shown is not None, body
        assert b"***" in one.shown
        assert one.secrets == [PIN]


def test_a_number_that_python_shortens(masker: Masker) -> None:
    large = str(2**70)
    masker.add([large])
    (one,) = ended(masker, XComValue("return_value", f"{float(large)!r}".encode())).xcoms
    assert (one.shown, one.secrets) == (b'"***"', [large])


def test_numbers(masker: Masker) -> None:
    one = returned(masker, {"pin": int(PIN), "rate": float(PIN), "n": 7, "yes": True})
    assert json.loads(one.shown or b"") == {"pin": "***", "rate": "***", "n": 7, "yes": True}
    assert one.secrets == [PIN]


def test_bytes_and_what_only_the_text_of_the_json_reveals(masker: Masker) -> None:
    assert b"***" in (returned(masker, SECRET.encode()).shown or b"")
    masker.add(['[[1,2],"x"]'])
    one = returned(masker, {"a": [[1, 2], "x"]})
    assert json.loads(one.shown or b"") == '{"a":***}', "no JSON any more: a text of it"
    assert one.secrets == ['[[1,2],"x"]']
    masker.add(['one","two'])
    one = returned(masker, ["one", "two"])
    assert one.shown == b'["***"]'


@pytest.mark.parametrize("value", ["plain", 12, None, {"a": [1.5, "x"]}, "a/b ä \u2028 \x7f"])
def test_what_holds_none_is_as_it_was(masker: Masker, value: object) -> None:
    one = returned(masker, value)
    assert (one.shown, one.secrets) == (None, [])


def test_without_secrets_only_the_credential_of_the_agent_is_hidden() -> None:
    masker = Masker([TOKEN]).copy()
    assert returned(masker, SECRET).shown is None
    one = returned(masker, {"x": TOKEN})
    assert (one.shown, one.secrets) == (b'"***"', []), "nobody else is told of it"
    masker.add([PIN])
    one = returned(masker, {"x": TOKEN})
    assert (json.loads(one.shown or b""), one.secrets) == ({"x": "***"}, [])


def test_what_is_nested_too_deep_to_be_read(masker: Masker) -> None:
    deep = b"[" * 5000 + b"]" * 5000
    (one,) = ended(masker, XComValue("return_value", deep)).xcoms
    assert one.shown is None
    held = b"[" * 5000 + PIN.encode() + b"]" * 5000
    (one,) = ended(masker, XComValue("return_value", held)).xcoms
    assert (one.shown, one.secrets) == (b'"***"', [PIN])


def test_what_grows_beyond_a_row_by_masking(masker: Masker) -> None:
    masker.add(['":["'])
    body = msgspec.json.encode({"k": ['"' * (XCOM_INLINE_BYTES // 2 - 20)]})
    assert len(body) <= XCOM_INLINE_BYTES
    (one,) = ended(masker, XComValue("return_value", body)).xcoms
    assert one.shown == b'"***"'
    body = b'"%s%s"' % (b"a" * (XCOM_INLINE_BYTES - len('"***"')), PIN.encode())
    (one,) = ended(masker, XComValue("return_value", body)).xcoms
    assert one.shown == body.replace(PIN.encode(), b"***"), "this one just fits"


def test_a_large_result_keeps_the_secrets_that_its_process_found(masker: Masker) -> None:
    large = XComValue("return_value", None, "xcom/x", 1 << 20, secrets=[SECRET, "made up"])
    (one,) = ended(masker, large).xcoms
    assert (one.shown, one.secrets) == (None, [SECRET])


def test_a_key_that_holds_a_secret_fails_the_attempt(masker: Masker) -> None:
    end = ended(masker, XComValue(f"of {PIN}", b"1"), XComValue("return_value", b"2"))
    assert (end.outcome, end.cause, end.xcoms, end.retry) == ("failed", "result", [], False)
    assert "choose another key" in end.detail


def test_the_last_line_of_a_command(masker: Masker, tmp_path: Path) -> None:
    body = to_json(f"x {PIN} y")
    (one,) = ended(masker, XComValue("return_value", body, size=len(body)), kind="bash").xcoms
    assert (one.value, one.size, one.secrets) == (b'"x *** y"', 9, [])
    for text, kept in ((f'"{PIN}"', '"***"'), ('"none"', '"none"')):
        (tmp_path / "file").write_text(text)
        large = XComValue("return_value", None, "file", len(text), secrets=[PIN])
        found = shown.output(tmp_path, large, masker)
        assert (tmp_path / "file").read_text() == kept
        assert (found.size, found.secrets) == (len(kept), [])


def test_errors_and_events_of_assets(masker: Masker) -> None:
    told = [
        AssetEvent("a", to_json({"by": PIN, "n": int(PIN)}), f"p-{PIN}"),
        AssetEvent("b", b'{"rows": 7}'),
        AssetEvent("c", to_json({"secret": [[1, 2], "x"]})),
    ]
    masker.add(['{"secret":[[1,2],"x"]}'])
    end = ended(masker, detail=f"no such user: {SECRET}", assets=told)
    assert end.detail == "no such user: ***"
    assert [(one.extra, one.partition) for one in end.assets] == [
        (b'{"by":"***","n":"***"}', "p-***"), (b'{"rows": 7}', None), (b"{}", None),
    ]  # fmt: skip


def test_what_a_deferred_task_waits_for(masker: Masker) -> None:
    facts = {"trigger": "x:Y", "what": f"http://x?key={PIN}", "kwargs": {"key": PIN}}
    one = Deferral("trigger", to_json(facts), kwargs=to_json({"password": SECRET}))
    end = ended(masker, deferral=one)
    assert end.deferral is not None
    assert json.loads(end.deferral.facts) == {**facts, "what": "http://x?key=***"}
    assert end.deferral.kwargs == one.kwargs, "for the next process, as it is"
    assert end.deferral.secrets == sorted([PIN, SECRET])
    plain = Deferral("time", b"{}", kwargs=b'{"a": 1}')
    assert ended(masker, deferral=plain).deferral == plain
    odd = Deferral("trigger", to_json({"what": 7, "key": PIN}))
    assert ended(masker, deferral=odd).deferral == msgspec.structs.replace(
        odd, facts=to_json({"what": 7, "key": PIN}), secrets=[PIN]
    )
    listed = Deferral("trigger", to_json([PIN]))
    assert ended(masker, deferral=listed).deferral == msgspec.structs.replace(listed, secrets=[PIN])


def test_what_a_task_asks_people_is_masked_itself(masker: Masker) -> None:
    facts = {"ask": "approve", "subject": f"Release {PIN}?", "options": ["Approve", "Reject"]}
    one = Deferral("answer", to_json(facts), kwargs=to_json({"password": SECRET}))
    asked = ended(masker, deferral=one).deferral
    assert asked is not None
    assert json.loads(asked.facts) == {**facts, "subject": "Release ***?"}
    assert (asked.kwargs, asked.secrets) == (one.kwargs, [SECRET])
    plain = {**facts, "subject": "Release?"}
    of_process = Deferral("answer", to_json(plain), kwargs=to_json({"password": SECRET}))
    asked = ended(masker, deferral=of_process).deferral
    assert asked == msgspec.structs.replace(of_process, secrets=[SECRET])


def test_what_a_trigger_found(masker: Masker) -> None:
    one = shown.found(Found(KEY, to_json({"key": PIN}), f"refused: {PIN}"), masker)
    assert (one.found, one.shown) == (to_json({"key": PIN}), b'{"key":"***"}')
    assert (one.secrets, one.error) == ([PIN], "refused: ***")
    nothing = Found(KEY)
    assert shown.found(nothing, masker) == nothing
