"""The settings of sign-in: what is wrong is told, and what is right is read."""

from pathlib import Path

import pytest

from headway.core.roles import Role
from headway.errors import UsageError
from headway.identity.settings import NONE, checked, from_environment, load, require_libraries

PROXY = '[proxy.company]\nlabel = "Company"\ntrusted = ["10.0.0.7"]\n'
RULE = '[[rule]]\ngroup = "a"\ngrant = "sales:viewer"\n'


def rule(text: str) -> str:
    return f"{PROXY}[[rule]]\n{text}\n"


def test_rules_have_their_number_and_line() -> None:
    found = checked(f'{PROXY}\n{RULE}\n[[rule]]\nuser = "ann"\ndeny = "*"\n').rules
    assert [(each.number, each.line, each.role) for each in found] == [
        (1, 5, Role.VIEWER),
        (2, 9, None),
    ]
    assert [str(each) for each in found] == ["group a → sales:viewer", "user ann → deny *"]


def test_rules_of_one_array_have_a_number() -> None:
    (found,) = checked('rule = [{group = "a", grant = "sales:viewer"}]').rules
    assert (found.number, found.line) == (1, None)
    with pytest.raises(UsageError, match=r"^rule 1 must have either grant or deny"):
        checked('rule = [{group = "a"}]')


def test_the_first_line_counts() -> None:
    (found,) = checked(f"\n{RULE}").rules
    assert found.line == 2


def test_a_role_with_a_slip_is_told_with_the_one_that_was_meant() -> None:
    for word, hint in (("viewr", 'did you mean "viewer"?'), ("x", "roles: viewer, operator")):
        with pytest.raises(UsageError) as found:
            checked(RULE.replace("viewer", word))
        assert str(found.value.hint).startswith(hint)


def test_a_pattern_of_teams_may_be_as_long_as_a_name() -> None:
    (found,) = checked(RULE.replace("sales", "*" + "a" * 39)).rules
    assert found.team == "*" + "a" * 39
    with pytest.raises(UsageError, match="is not the name of a team"):
        checked(RULE.replace("sales", "*" + "a" * 40))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("proxy = ", "Invalid value"),
        ("[saml]\n", "there is no setting [saml]"),
        ("[ldap]\nlabel = 'x'\n", "[ldap] needs a name"),
        (PROXY, "there is no rule, so nobody could sign in"),
        (PROXY.replace('"10.0.0.7"', ""), "trusted is empty"),
        (PROXY.replace("10.0.0.7", "proxy.local"), "is not an address"),
        (PROXY.replace("10.0.0.7", "10.0.0.7/8"), "has host bits set"),
        (PROXY.replace("10.0.0.7", "0.0.0.0/0"), "would let every client say who it is"),
        (PROXY.replace("10.0.0.7", "::/0"), "would let every client say who it is"),
        (PROXY.replace("company", "password"), "cannot be the name of a way to sign in"),
        (PROXY.replace("company", '"A b"'), "cannot be the name of a way to sign in"),
        (PROXY.replace('"Company"', '""'), "label must have 1 to"),
        (PROXY + "user-header = 'X User'\n", "is not the name of a header"),
        (PROXY + "session-hours = 0\n", "Expected `int` >= 1"),
        (PROXY + "sesion-hours = 1\n", "unknown field `sesion-hours`"),
        (rule('grant = "sales:viewer"'), "rule 1 (line 4) must name either a group or a user"),
        (rule('group = "a"\nuser = "b"\ngrant = "sales:viewer"'), "either a group or a user"),
        (rule('group = ""\ngrant = "sales:viewer"'), "the name is empty"),
        (rule('group = "a"'), "must have either grant or deny"),
        (rule('group = "a"\ngrant = "sales:viewer"\ndeny = "*"'), "either grant or deny"),
        (rule('group = "a"\ngrant = "sales"'), "is not a team and a role"),
        (rule('group = "a"\ngrant = "sales:owner"'), "is not a team and a role"),
        (rule('group = "a"\ngrant = "Sales:viewer"'), "is not the name of a team"),
        (rule('group = "a"\ngrant = ":viewer"'), "is not the name of a team"),
        (rule('group = "a"\ngrant = "platform:viewer"'), "the platform has only admins"),
        (rule('group = "a"\ngrant = "{team}:viewer"'), "{team} is not in the group"),
        (rule('group = "{team}"\ngrant = "x-{team}:viewer"'), "the whole name of a team"),
        (rule('user = "a"\ngrant = "{team}:viewer"'), "{team} is not in the group"),
        (rule('group = "a"\ndeny = ""'), "is not the name of a team"),
        (rule('user = "{team}"\ngrant = "sales:viewer"'), "can only be in a group"),
    ],
)
def test_what_is_wrong_is_told(text: str, part: str) -> None:
    with pytest.raises(UsageError) as found:
        checked(
            text
            if "rule" in text or "saml" in text or "[ldap]" in text or text == PROXY
            else text + RULE
        )
    assert part in found.value.message


def test_the_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADWAY_SIGN_IN", raising=False)
    assert from_environment() == NONE
    file = tmp_path / "sign-in.toml"
    monkeypatch.setenv("HEADWAY_SIGN_IN", str(file))
    with pytest.raises(UsageError, match="cannot be read: No such file") as missing:
        from_environment()
    assert missing.value.where == str(file)
    file.write_text(PROXY)
    with pytest.raises(UsageError) as wrong:
        load(file)
    assert wrong.value.where == str(file)
    file.write_text(PROXY + RULE)
    assert list(from_environment().proxies) == ["company"]
    file.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        load(file)


OIDC = """
[oidc.company]
label = "Company"
issuer = "https://idp.example"
client-id = "headway"
client-secret-file = "secret"
"""


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (OIDC.replace("https://", "http://"), "must begin with https://"),
        (
            OIDC.replace("https://idp.example", "idp.example"),
            "is not the address of an OpenID provider",
        ),
        (
            OIDC.replace("idp.example", "idp.example?x=1"),
            "is not the address of an OpenID provider",
        ),
        (OIDC + 'algorithm = "HS256"\n', "'HS256' is not one that ID tokens may be signed with"),
        (OIDC + 'algorithm = "none"\n', "'none' is not one that ID tokens may be signed with"),
        (OIDC.replace('"secret"', '"missing"'), "missing cannot be read: No such file"),
        (OIDC.replace('"secret"', '"empty"'), "must hold a secret of 1 to 4,096 characters"),
        (OIDC.replace("issuer", "isuer"), "Object contains unknown field `isuer`"),
        (OIDC.replace("[oidc.company]", "[oidc]"), "[oidc] needs a name"),
        (OIDC + PROXY, "two ways to sign in have the name 'company'"),
        (OIDC.replace("oidc", "odic"), "there is no setting [odic]"),
    ],
)
def test_what_is_wrong_with_a_provider_is_told_with_its_line(
    text: str, part: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("of the client\n")
    (tmp_path / "empty").write_text("\n")
    file = tmp_path / "sign-in.toml"
    file.write_text(text + RULE)
    with pytest.raises(UsageError) as found:
        load(file)
    assert part in found.value.message
    assert found.value.where == f"{file}:2"


def test_a_provider_is_read_with_its_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the client\n")
    found = checked(OIDC + 'ca-file = "ca.pem"\n' + RULE, tmp_path)
    assert found.secrets == {"company": "of the client"}
    assert found.oidcs["company"].ca_file == str(tmp_path / "ca.pem")


LDAP = (
    '[ldap.company]\nlabel = "Company"\nservers = ["ldaps://ldap.example.com"]\n'
    'user-base = "dc=example"\ngroup-base = "dc=example"\n'
)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (LDAP.replace('"ldaps://ldap.example.com"', ""), "servers is empty"),
        (LDAP.replace("ldaps://", "https://"), "is not the address of a directory"),
        (LDAP.replace("ldap.example.com", "h/dc=a"), "is not the address of a directory"),
        (LDAP + 'user-filter = "(uid=ann)"\n', "user-filter has no {user}"),
        (LDAP + 'user-filter = "uid={user}"\n', "is not a filter of LDAP"),
        (LDAP + 'member-attribute = "a)(b"\n', "is not the name of an attribute"),
        (LDAP + 'bind-dn = "cn=a"\n', "bind-dn and bind-password-file need each other"),
        (
            LDAP + 'bind-dn = "cn=a"\nbind-password-file = "none"\n',
            "the secret in none cannot be read",
        ),
        (LDAP + "start-tls = false\n", "unknown field `start-tls`"),
        (LDAP + LDAP.replace("ldap.company", "proxy.company"), "unknown field `servers`"),
        (LDAP + PROXY, "two ways to sign in have the name 'company'"),
    ],
)
def test_what_is_wrong_with_a_directory_is_told(text: str, part: str) -> None:
    with pytest.raises(UsageError) as found:
        checked(text + RULE)
    assert part in found.value.message


def test_a_library_that_is_missing_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "sign-in.toml"
    file.write_text(LDAP + RULE)
    monkeypatch.setenv("HEADWAY_SIGN_IN", str(file))
    monkeypatch.setattr("headway.identity.settings.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs a library that is not installed") as found:
        from_environment()
    assert (found.value.where, 'pip install "headway[ldap]"' in str(found.value.hint)) == (
        str(file),
        True,
    )


KERBEROS = (
    '[kerberos.tickets]\nlabel = "K"\nkeytab = "keys"\nrealms = ["R"]\ndirectory = "company"\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a keytab that only its user reads, and a secret."""
    (tmp_path / "keys").write_bytes(b"k")
    (tmp_path / "keys").chmod(0o600)
    (tmp_path / "secret").write_text("of the client")
    return tmp_path


def refusal(text: str, folder: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        checked(text, folder)
    return caught.value


def test_tickets_are_read_with_their_directory_and_keytab(folder: Path) -> None:
    found = checked(LDAP + KERBEROS + RULE, folder)
    assert found.kerberoses["tickets"].keytab == str(folder / "keys")
    assert found.kerberoses["tickets"].directory == "company"
    assert checked(LDAP + RULE).kerberoses == {}


def test_tickets_without_a_directory_or_a_good_keytab_are_refused(folder: Path) -> None:
    for text in (KERBEROS + RULE, LDAP.replace("company", "other") + KERBEROS + RULE):
        error = refusal(text, folder)
        assert "[kerberos.tickets]: there is no [ldap.company]" in error.message
    (folder / "keys").chmod(0o644)
    assert "other users can read the keytab" in refusal(LDAP + KERBEROS + RULE, folder).message


def test_there_is_one_section_of_tickets(folder: Path) -> None:
    more = KERBEROS.replace("tickets", "others")
    error = refusal(LDAP + KERBEROS + more + RULE, folder)
    assert error.message == "there can be one [kerberos.NAME]"
    assert error.hint == "one keytab may have keys of several realms"


@pytest.mark.parametrize("way", [PROXY, LDAP, OIDC, LDAP + KERBEROS])
def test_a_way_without_a_rule_lets_nobody_in(folder: Path, way: str) -> None:
    assert "there is no rule, so nobody could sign in" in refusal(way, folder).message
    checked(way + RULE, folder)
    assert checked("", folder) == NONE


@pytest.mark.parametrize(
    ("one", "other", "line"),
    [
        (PROXY, OIDC, 5),
        (PROXY, LDAP, 4),
        (OIDC, LDAP, 7),
        (LDAP, PROXY, 1),
        (LDAP, KERBEROS.replace("tickets", "company"), 6),
    ],
)
def test_two_ways_have_two_names(folder: Path, one: str, other: str, line: int) -> None:
    error = refusal(one + other + RULE, folder)
    assert error.message == "two ways to sign in have the name 'company'"
    assert error.where == str(line)


@pytest.mark.parametrize("rule", ["rule = 1\n", "[rule]\ngroup = 'a'\n", "[[rule]]\ngroup = 1\n"])
def test_what_is_no_rule_is_told(rule: str) -> None:
    error = refusal(rule, Path())
    assert error.message.startswith("rule: ")
    assert "docs/sign-in.md" in str(error.hint)


def test_a_slip_in_a_word_is_told_with_the_word(folder: Path) -> None:
    assert refusal("[prxy.a]\n", folder).hint == 'did you mean "proxy"?'
    assert "docs/sign-in.md" in str(refusal("[something.a]\n", folder).hint)


def test_an_error_of_ours_hides_no_cause_and_another_one_keeps_it(folder: Path) -> None:
    ours = refusal(PROXY.replace("10.0.0.7", "x") + RULE, folder)
    assert ours.__cause__ is None
    assert ours.hint == "use an IP address, or a network such as 10.1.0.0/28"
    theirs = refusal(PROXY.replace("label", "lable") + RULE, folder)
    assert type(theirs.__cause__).__name__ == "ValidationError"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n\n [ proxy . company ]\nlabel = 1\n", "3"),
        ("[proxy.company.x]\n", "1"),
        ("proxy.company = {label = 1}\n", None),
        ("[proxy]\ncompany = {label = 1}\n", None),
    ],
)
def test_the_line_of_a_section_is_told_where_it_has_one(text: str, line: str | None) -> None:
    assert refusal(text, Path()).where == line


@pytest.mark.parametrize("missing", ["ldap", "gssapi", ""])
@pytest.mark.parametrize("text", [LDAP + RULE, LDAP + KERBEROS + RULE, PROXY + RULE])
def test_only_what_is_used_needs_its_library(
    folder: Path, monkeypatch: pytest.MonkeyPatch, missing: str, text: str
) -> None:
    found = checked(text, folder)
    known = {"ldap": "[ldap.company]", "gssapi": "[kerberos.tickets]"}
    monkeypatch.setattr(
        "headway.identity.settings.find_spec", lambda name: None if name == missing else name
    )
    if known.get(missing, "[-]") in text:
        with pytest.raises(UsageError, match="needs a library") as caught:
            require_libraries(found, "the file")
        assert known[missing] in caught.value.message
        assert caught.value.where == "the file"
    else:
        require_libraries(found, "the file")
