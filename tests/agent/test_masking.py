"""What a masker finds: each way in which a secret is printed, whole and to its borders, and nothing else."""

import base64
import json
import shlex
from collections.abc import Callable
from functools import partial
from urllib.parse import quote, quote_plus

import pytest

from headway.agent import masking
from headway.agent.masking import NUMBER_CHARS_MAX, Masker, forms, lists, numbers

SECRET = 'pä"ss w/rd\n~~~???>\nline-two'
WAYS = (
    SECRET,
    json.dumps(SECRET)[1:-1],
    json.dumps(SECRET, ensure_ascii=False)[1:-1],
    repr(SECRET)[1:-1],
    quote(SECRET, safe=""),
    quote(SECRET),
    quote_plus(SECRET),
    quote(SECRET, safe="").replace("%C3%A4", "%c3%a4").replace("%2F", "%2f").replace("%0A", "%0a")
    .replace("%3F", "%3f").replace("%3E", "%3e"),
    SECRET.encode().hex(),
    SECRET.encode().hex().upper(),
    SECRET.replace("\n", "\r\n"),
    "line-two",  # a line of eight characters
)  # fmt: skip


@pytest.mark.parametrize("text", WAYS)
def test_nothing_is_left_of_a_secret(text: str) -> None:
    assert Masker([SECRET]).mask(f"[{text}]".encode()) == b"[***]"


ODD_ONES = (SECRET, 'it\'s "so"\\n', "\u2028ü\x07'", '{"key": "-----BEGIN\\nabc\\n"}')


@pytest.mark.parametrize("levels", range(5))
@pytest.mark.parametrize("write", [json.dumps, partial(json.dumps, ensure_ascii=False), repr])
@pytest.mark.parametrize("secret", ODD_ONES)
def test_json_inside_json_hides_no_secret(
    secret: str, write: Callable[[object], str], levels: int
) -> None:
    """A body of a request in a message of an error in a record of a log, and the like."""
    text = f"[{secret}]"
    for _ in range(levels):
        text = write({"k": text, "other": 'it\'s "plain"'})
    told = Masker([secret]).text(text)
    assert "[***]" in told
    assert told.count("***") == 1


@pytest.mark.parametrize("secret", ODD_ONES)
def test_bytes_as_python_shows_them(secret: str) -> None:
    raw = b"<" + secret.encode() + b">"
    for text in (repr(raw), repr([raw, b"\"'"]), json.dumps({"error": repr(raw)})):
        assert "<***>" in Masker([secret]).text(text), text


@pytest.mark.parametrize(
    ("secret", "written"),
    [
        ("12345678", "1.2345678e7 1.2345678E+07 1.2345678e+07 12345678.0 12,345,678 12_345_678"),
        ("1234500", "1.2345e6 1.2345e+06 1.2345E06 1,234,500 1234500.0"),
        ("-12345.678", "1.2345678e4 -1.2345678e+04"),
        ("0012345678", "1.2345678e7 12,345,678"),
    ],
)
def test_a_number_in_the_ways_in_which_it_is_written(secret: str, written: str) -> None:
    told = Masker([secret]).text(written)
    assert told.count("***") == len(written.split())
    assert "2" not in told
    assert "5" not in told


@pytest.mark.parametrize("secret", ["1000", "0.001", "12 34", "١٢٣٤٥٦٧٨", "1" * 5000])
def test_what_is_no_number_to_recognise_has_no_other_ways(secret: str) -> None:
    assert numbers(secret) == set()
    assert Masker([secret]).text("1e3 1.0e-3 12") == "1e3 1.0e-3 12"


GROUPED = {"12,345", "12_345", "12 345"}


@pytest.mark.parametrize(
    ("secret", "ways"),
    [
        (
            "12345",
            GROUPED | {f"1.2345{e}{power}" for e in "eE" for power in ("4", "04", "+4", "+04")},
        ),
        (
            "12345000000000",
            {"12,345,000,000,000", "12_345_000_000_000", "12 345 000 000 000"}
            | {f"1.2345{e}{power}" for e in "eE" for power in ("13", "+13")},
        ),
        ("1234567", {"1,234,567", "1_234_567", "1 234 567", "1.234567"}),  # whatever the power
        (
            "1234",
            {"1,234", "1_234", "1 234"}
            | {f"1.234{e}{power}" for e in "eE" for power in ("3", "03", "+3", "+03")},
        ),
        ("123", set()),
        ("123000", set()),
        ("12.5", set()),
        ("0.00012345", set()),
    ],
)
def test_a_number_has_these_ways_and_no_more(secret: str, ways: set[str]) -> None:
    assert numbers(secret) == ways
    assert numbers(f"-00{secret}") == ways


def test_a_number_is_looked_at_up_to_its_limit() -> None:
    assert numbers("1" * NUMBER_CHARS_MAX)
    assert numbers("1" * (NUMBER_CHARS_MAX + 1)) == set()


def test_a_list_has_these_ways_and_no_more() -> None:
    secret = "pä/sword"
    spaced = 'p", "{}", "/", "s", "w", "o", "r", "d'
    found = {spaced.format("\\u00e4"), spaced.format("ä")}
    compact = {each.replace('", "', '","') for each in found}
    assert lists(secret) == found | compact | {"p', 'ä', '/', 's', 'w', 'o', 'r', 'd"}
    assert lists("pä/swor") == set()


def test_bytes_with_both_quotes() -> None:
    secret = """it's "ä" secret"""
    assert Masker([secret]).text(f"[{secret.encode()!r}]") == "[b'***']"


def test_a_level_is_looked_for_as_long_as_its_forms_are_within_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(masking, "LEVELS", 1)
    secret = 'a"b\\c'
    monkeypatch.setattr(masking, "LEVEL_CHARS_MAX", 0)
    plain = masking.inside(secret)
    monkeypatch.setattr(masking, "LEVEL_CHARS_MAX", 10_000)
    whole = masking.inside(secret)
    chars = sum(map(len, whole - plain))
    assert chars > 0
    for limit, found in ((chars, whole), (chars - 1, plain)):
        monkeypatch.setattr(masking, "LEVEL_CHARS_MAX", limit)
        assert masking.inside(secret) == found


def test_an_address_that_begins_with_a_write_is_masked() -> None:
    masker = Masker()
    told, rest = masker.split(b"://ann")
    assert (told, rest) == (b"", b"://ann")
    assert masker.split(rest + b":pw-7f3a@db ") == (b"://ann:***@db ", b"")


def test_a_secret_without_any_form_is_none() -> None:
    assert Masker([""]).mask(b"plain") == b"plain"


@pytest.mark.parametrize("write", [json.dumps, repr, partial(json.dumps, separators=(",", ":"))])
def test_a_list_of_the_characters(write: Callable[[object], str]) -> None:
    secret = "pä/sword"
    assert Masker([secret]).text(write([*"<<", *secret, *">>"])).count("***") == 1
    assert not set(Masker([secret]).text(write([*secret]))) & set("pwsord")


@pytest.mark.parametrize("secret", [SECRET, "12345678", "123400", 'a"b\\c-d'])
def test_what_is_cut_anywhere_is_masked_as_if_it_were_whole(secret: str) -> None:
    masker = Masker([secret, "another one"])
    for form in sorted(forms(secret))[::7]:
        text = b"<<" + form + b"|" + form[: len(form) // 2]
        whole = masker.mask(text)
        for cut in range(1, len(text)):
            told, rest = masker.split(text[:cut])
            more, end = masker.split(rest + text[cut:])
            assert told + more + masker.mask(end) == whole, (form, cut)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cannot connect to postgres://ann:pw-7f3a@db:5432/x", "cannot connect to postgres://ann:***@db:5432/x"),
        ("redis://:pw-7f3a@cache", "redis://:***@cache"),
        ('{"dsn": "mysql+x://a%40b:p%2Fw@h/d"}', '{"dsn": "mysql+x://a%40b:***@h/d"}'),
        ("https://a:b@c https://d:e@f\n", "https://a:***@c https://d:***@f\n"),
        ("https://example.org:8080/a@b", "https://example.org:8080/a@b"),
        ("https://ann@example.org", "https://ann@example.org"),
        ("git@example.org:team/x.git, a://b:***@c", "git@example.org:team/x.git, a://b:***@c"),
        ("12:30: see http://x:80 or user@x", "12:30: see http://x:80 or user@x"),
    ],
)  # fmt: skip
def test_the_password_in_an_address_is_masked_whether_it_is_named_or_not(
    text: str, told: str
) -> None:
    for masker in (Masker(), Masker(["another one"])):
        assert masker.text(text) == told
        raw = text.encode()
        for cut in range(len(raw)):
            first, rest = masker.split(raw[:cut])
            second, end = masker.split(rest + raw[cut:])
            assert (first + second + masker.mask(end)).decode() == told, cut
    assert Masker().hide(text.encode()) == text.encode(), "a value that a program may read"


def test_what_looks_like_an_address_for_ever_does_not_wait_for_ever() -> None:
    told, rest = Masker().split(b"http://" + b"x" * 100_000)
    assert len(rest) < 1000
    assert told + rest == b"http://" + b"x" * 100_000


def test_a_long_secret_is_not_written_out_without_bounds() -> None:
    assert sum(map(len, forms('"' * 3000))) < 200_000
    assert sum(map(len, forms("plain-secret"))) < 1000


@pytest.mark.parametrize("secret", ["x'y zx", "two words", "a$b;c d"])
def test_what_a_shell_is_given(secret: str) -> None:
    masker = Masker([secret])
    assert masker.text(shlex.quote(secret)) == "'***'"
    escaped = "".join(c if c.isalnum() else f"\\{c}" for c in secret)
    assert masker.text(f"[{escaped}]") == "[***]"


@pytest.mark.parametrize("before", [b"", b"u", b"u:", b"usr"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_masked_to_its_borders(before: bytes, encode: object) -> None:
    assert callable(encode)
    raw = SECRET.encode()
    code = encode(before + raw + b"!!!")
    first, last = 8 * len(before), 8 * (len(before) + len(raw))
    inside = [at for at in range(len(code)) if first <= 6 * at and 6 * at + 6 <= last]
    expected = code[: inside[0]] + b"***" + code[inside[-1] + 1 :]
    assert Masker([SECRET]).mask(code) == expected


def test_what_is_too_short_stays() -> None:
    assert Masker(["abcd"]).text("abcd") == "***"
    assert Masker(["abc"]).text("abc") == "abc"
    assert Masker(["secret"]).mask(base64.b64encode(b"secret")) == b"***"
    assert Masker(["secre"]).mask(base64.b64encode(b"secre")) == base64.b64encode(b"secre")
    assert Masker(["a long first line\nseven77"]).text("seven77") == "seven77"


def test_half_a_character_in_a_secret() -> None:
    secret = "pass\udcff word"
    assert Masker([secret]).mask(secret.encode(errors="surrogatepass")) == b"***"
    assert b"pass%3F%20word" in forms(secret)
    assert b"pass%3F+word" in forms(secret)
    assert Masker(["other"]).text("x\udcff other") == "x? ***"


def test_a_copy_has_the_secrets_and_keeps_its_own() -> None:
    masker = Masker(["first secret"])
    copy = masker.copy()
    assert copy.text("a first secret") == "a ***"
    assert copy.split(b"a first sec") == (b"a ", b"first sec")
    copy.add(["second one"])
    assert copy.text("first secret, second one") == "***, ***"
    assert masker.text("second one") == "second one"
    empty = Masker().copy()
    assert empty.text("first secret") == "first secret"
    assert empty.split(b"first") == (b"first", b"")


def test_what_may_begin_a_secret_waits() -> None:
    masker = Masker(["secret-word"])
    assert masker.split(b"hello secret-") == (b"hello ", b"secret-")
    assert masker.split(b"secret-word") == (b"***", b"")
    assert masker.split(b"secret-word secret-word") == (b"*** ***", b"")
    assert masker.split(b"secret-word and s") == (b"*** and ", b"s")
    assert masker.split(b"nothing here!") == (b"nothing here!", b"")
    # The longest form, but for its last character.
    assert Masker(["%%%%%%"]).split(b"%25" * 5 + b"%2") == (b"", b"%25" * 5 + b"%2")


def test_what_is_too_short_to_be_masked_masks_nothing() -> None:
    masker = Masker(["abc", ""])
    assert masker.text("abc") == "abc"
    assert not masker.holds(b"abc")
    masker.add([SECRET])
    assert masker.held(b"abc " + SECRET.encode()) == {SECRET}
