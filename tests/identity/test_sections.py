"""The sections of the settings of sign-in: what each may say, to the last character."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway.errors import UsageError
from headway.identity.sections import (
    ALGORITHMS,
    SECRET_BYTES_MAX,
    Kerberos,
    Ldap,
    Oidc,
    Proxy,
    anchored,
    attributes,
    check_kerberos,
    check_label,
    check_ldap,
    check_oidc,
    check_proxy,
    networks,
    secret_in,
)


def proxy(**more: Any) -> Proxy:
    return Proxy(**{"label": "Company", "trusted": ["10.0.0.7"], **more})


def oidc(**more: Any) -> Oidc:
    given = {"issuer": "https://idp.example", "client_id": "c", "client_secret_file": "s"}
    return Oidc(**{"label": "Company", **given, **more})


def ldap(**more: Any) -> Ldap:
    given = {"servers": ["ldaps://l.example"], "user_base": "u", "group_base": "g"}
    return Ldap(**{"label": "Company", **given, **more})


def refusal(check: Any, *values: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        check(*values)
    return caught.value


# -- labels


def test_a_label_has_visible_characters() -> None:
    for good in ("x", "x" * 60, "L\u00f6sung 1"):
        check_label(good)
    for odd in ("", "x" * 61, "a\nb", "a\u200bb"):
        assert "label must have 1 to 60 visible characters" in refusal(check_label, odd).message


@pytest.mark.parametrize(
    ("check", "section"),
    [(check_proxy, proxy(label="")), (check_oidc, oidc(label="")), (check_ldap, ldap(label=""))],
)
def test_every_section_has_one(check: Any, section: Any) -> None:
    assert "label" in refusal(check, "name", section).message


# -- proxies


def test_a_proxy_of_addresses_and_networks_is_one() -> None:
    check_proxy("p", proxy())
    found = networks(proxy(trusted=["10.0.0.7", "10.1.0.0/28", "2001:db8::/64", "0.0.0.0/1"]))
    assert [str(each) for each in found] == [
        *("10.0.0.7/32", "10.1.0.0/28", "2001:db8::/64", "0.0.0.0/1")
    ]
    check_proxy("p", proxy(name_header="X-Name", user_header="x" * 61))


@pytest.mark.parametrize(
    ("more", "why", "hint"),
    [
        ({"user_header": "X User"}, "'X User' is not the name of a header", None),
        ({"groups_header": "1X"}, "'1X' is not the name of a header", None),
        ({"name_header": "x" * 62}, "is not the name of a header", None),
        ({"name_header": ""}, "'' is not the name of a header", None),
        ({"trusted": []}, "trusted is empty, so no proxy would be believed", "trusted = ["),
    ],
)
def test_what_is_wrong_with_a_proxy(more: dict[str, Any], why: str, hint: str | None) -> None:
    error = refusal(check_proxy, "p", proxy(**more))
    assert why in error.message
    assert (hint is None) == (error.hint is None) or str(hint) in str(error.hint)


@pytest.mark.parametrize(
    ("trusted", "why", "hint"),
    [
        (["10.0.0.7", "proxy.local"], "'proxy.local' in trusted is not an address", "use an IP"),
        (["10.0.0.7", "::/0"], "would let every client say who it is", "addresses of your proxy"),
        (["0.0.0.0/0"], "would let every client say who it is", "addresses of your proxy"),
    ],
)
def test_who_is_trusted_is_a_proxy_and_not_everybody(
    trusted: list[str], why: str, hint: str
) -> None:
    error = refusal(networks, proxy(trusted=trusted))
    assert why in error.message
    assert hint in str(error.hint)


# -- providers


@pytest.mark.parametrize(
    "issuer",
    [
        "https://idp.example",
        "https://idp.example:8443/realms/x",
        "http://localhost:9",
        "http://127.0.0.1",
        "http://[::1]:9",
    ],
)
def test_a_provider_is_reached_by_https_or_on_this_machine(issuer: str) -> None:
    check_oidc("p", oidc(issuer=issuer))


@pytest.mark.parametrize(
    ("issuer", "why"),
    [
        ("http://idp.example", "must begin with https://, or anybody on the way"),
        ("http://localhost.evil.example", "must begin with https://"),
        ("ftp://localhost", "must begin with https://"),
        ("http://127.0.0.2", "must begin with https://"),
        ("https://idp.example?x=1", "is not the address of an OpenID provider"),
        ("https://idp.example#x", "is not the address of an OpenID provider"),
        ("https://", "is not the address of an OpenID provider"),
        ("idp.example", "is not the address of an OpenID provider"),
    ],
)
def test_an_address_that_others_could_answer_at_is_refused(issuer: str, why: str) -> None:
    assert why in refusal(check_oidc, "p", oidc(issuer=issuer)).message


def test_tokens_are_signed_with_what_only_the_provider_has() -> None:
    for algorithm in ALGORITHMS:
        check_oidc("p", oidc(algorithm=algorithm))
    for odd in ("HS256", "none", "rs256", ""):
        error = refusal(check_oidc, "p", oidc(algorithm=odd))
        assert f"algorithm {odd!r} is not one that ID tokens may be signed with" in error.message
        assert str(error.hint) == "use one of: " + ", ".join(ALGORITHMS)


# -- secrets in files


def test_a_secret_is_the_text_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(" the secret \n\n")
    assert secret_in(tmp_path, "s") == "the secret"
    assert secret_in(Path("/"), str(tmp_path / "s")) == "the secret"
    (tmp_path / "s").write_text("x" * SECRET_BYTES_MAX)
    assert len(secret_in(tmp_path, "s")) == SECRET_BYTES_MAX


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "must hold a secret of 1 to 4,096 characters"),
        (b" \n", "must hold a secret of 1 to 4,096 characters"),
        (b"x" * (SECRET_BYTES_MAX + 1), "must hold a secret of 1 to 4,096 characters"),
        (b"\xff", "cannot be read: it is not UTF-8"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_secret_is_told_and_not_repeated(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    if content is not None:
        (tmp_path / "s").write_bytes(content)
    error = refusal(secret_in, tmp_path, "s")
    assert why in error.message
    assert str(tmp_path / "s") in error.message


# -- directories


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"servers": ["ldap://l.example", "ldaps://l.example:636/"]},
        {"user_filter": "(&(uid={user})(x=y))", "group_filter": "(a=b)"},
        {"user_attribute": "a" * 61},
        {"bind_dn": "cn=a", "bind_password_file": "f"},
    ],
)
def test_a_directory_is_one(more: dict[str, Any]) -> None:
    check_ldap("d", ldap(**more))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"servers": []}, "servers is empty"),
        ({"servers": ["ldaps://a", "https://b"]}, "'https://b' in servers is not the address"),
        ({"servers": ["ldaps://"]}, "is not the address of a directory"),
        ({"servers": ["ldaps://a/dc=x"]}, "is not the address of a directory"),
        ({"servers": ["ldapi://a"]}, "is not the address of a directory"),
        ({"user_filter": "(uid=ann)"}, "user-filter has no {user}"),
        ({"user_filter": "(uid={user}"}, "is not a filter of LDAP"),
        ({"user_filter": "uid={user})"}, "is not a filter of LDAP"),
        ({"group_filter": "(a=b"}, "'(a=b' is not a filter of LDAP"),
        ({"user_attribute": "a)(b"}, "'a)(b' is not the name of an attribute"),
        ({"name_attribute": "1"}, "is not the name of an attribute"),
        ({"id_attribute": "a=b"}, "is not the name of an attribute"),
        ({"group_attribute": "a b"}, "is not the name of an attribute"),
        ({"member_attribute": "a*"}, "is not the name of an attribute"),
        ({"bind_dn": "cn=a"}, "bind-dn and bind-password-file need each other"),
        ({"bind_password_file": "f"}, "bind-dn and bind-password-file need each other"),
    ],
)
def test_what_is_wrong_with_a_directory(more: dict[str, Any], why: str) -> None:
    assert why in refusal(check_ldap, "d", ldap(**more)).message


def test_all_attributes_are_looked_at() -> None:
    assert attributes(ldap()) == ("uid", "cn", "entryUUID", "cn", "member")


def test_hints_show_what_to_write() -> None:
    assert "ldaps://" in str(refusal(check_ldap, "d", ldap(servers=[])).hint)
    assert "StartTLS" in str(refusal(check_ldap, "d", ldap(servers=["x"])).hint)
    assert "{user}" in str(refusal(check_ldap, "d", ldap(user_filter="(a=b)")).hint)


def test_the_certificates_are_beside_the_settings() -> None:
    folder = Path("/etc/headway")
    assert anchored(ldap(ca_file="ca.pem"), folder).ca_file == "/etc/headway/ca.pem"
    assert anchored(oidc(ca_file="/other/ca.pem"), folder).ca_file == "/other/ca.pem"
    assert anchored(ldap(), folder).ca_file is None


# -- Kerberos


def kerberos(**more: Any) -> Kerberos:
    given = {"label": "K", "keytab": "keys", "realms": ["EXAMPLE.COM"], "directory": "d"}
    return Kerberos(**{**given, **more})


def test_a_keytab_is_read_by_its_user_only(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(check_kerberos, kerberos(), tmp_path).message
    file = tmp_path / "keys"
    file.write_bytes(b"k")
    for mode in (0o640, 0o604, 0o620, 0o602, 0o610, 0o601):
        file.chmod(mode)
        error = refusal(check_kerberos, kerberos(), tmp_path)
        assert (error.message, error.hint) == (
            f"other users can read the keytab {file}",
            "run: chmod 600",
        )
    file.chmod(0o600)
    check_kerberos(kerberos(), tmp_path)
    assert "realms is empty" in refusal(check_kerberos, kerberos(realms=[]), tmp_path).message
    assert "label" in refusal(check_kerberos, kerberos(label=""), tmp_path).message


def test_sections_know_no_other_words() -> None:
    for kind, given in ((Oidc, {"label": "x", "algorithms": "RS256"}), (Ldap, {"starttls": False})):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(given, kind)
