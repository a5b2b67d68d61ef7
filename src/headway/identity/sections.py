"""The sections of the settings of sign-in, one for each way that is not ours, and what is wrong with what they say."""

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from headway.errors import UsageError

HOURS: Final = 12
HOURS_MAX: Final = 168
LABEL_CHARS_MAX: Final = 60
SECRET_BYTES_MAX: Final = 4_096
HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
USER: Final = "{user}"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# What is asymmetric: with HS256 the provider's public key could be used as the secret.
ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519"),
)

Hours = Annotated[int, msgspec.Meta(ge=1, le=HOURS_MAX)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=1_440)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class Section(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True
):
    """The settings that every way to sign in has."""

    label: str
    session_hours: Hours = HOURS


class Proxy(Section, frozen=True, kw_only=True):
    """A proxy that has signed in who it passes on, and says so in headers."""

    trusted: list[str]
    user_header: str = "X-Forwarded-User"
    groups_header: str = "X-Forwarded-Groups"
    groups_separator: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    name_header: str | None = None  # the display name


class Oidc(Section, frozen=True, kw_only=True):
    """An OpenID provider. ``client_secret_file`` is beside the settings, unless its path is absolute."""

    issuer: Text
    client_id: Text
    client_secret_file: Text
    ca_file: Text | None = None  # who signs the provider's certificate; None: as the system trusts
    scopes: tuple[Text, ...] = ("openid", "profile", "email")
    user_claim: Text = "preferred_username"
    name_claim: Text = "name"
    groups_claim: Text = "groups"
    algorithm: Text = "RS256"
    end_session: bool = False  # who signs out here is asked whether to sign out there
    refresh_minutes: Minutes | None = None  # then the provider is asked again; None: never


class Ldap(Section, frozen=True, kw_only=True):
    """A directory. Files are beside the settings, unless their paths are absolute."""

    servers: list[Text]  # asked in this order
    ca_file: Text | None = None  # who signs the certificates; None: as the system trusts
    bind_dn: Text | None = None  # who searches; None: anybody may
    bind_password_file: Text | None = None
    user_base: Text
    user_filter: Text = "(uid={user})"
    user_attribute: Text = "uid"
    name_attribute: Text = "cn"
    id_attribute: Text = "entryUUID"  # does not change when somebody gets another name
    group_base: Text
    group_filter: Text = "(objectClass=*)"
    group_attribute: Text = "cn"
    member_attribute: Text = "member"
    primary_group: bool = (
        False  # of Active Directory: in no group's members, but named by the person
    )


class Kerberos(Section, frozen=True, kw_only=True):
    """Tickets. ``keytab`` is beside the settings, unless its path is absolute."""

    keytab: Text
    realms: list[Text]
    directory: Text  # the [ldap.NAME] whose groups count: tickets have none


Anchored = TypeVar("Anchored", Oidc, Ldap)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check_label(label: str) -> None:
    if not 1 <= len(label) <= LABEL_CHARS_MAX or not label.isprintable():
        raise UsageError(f"label must have 1 to {LABEL_CHARS_MAX} visible characters")


def check_proxy(name: str, proxy: Proxy) -> None:
    check_label(proxy.label)
    for header in (proxy.user_header, proxy.groups_header, proxy.name_header):
        if header is not None and not HEADER.fullmatch(header):
            raise UsageError(f"{header!r} is not the name of a header")
    if not proxy.trusted:
        raise UsageError(
            "trusted is empty, so no proxy would be believed",
            hint='name the addresses of your proxy: trusted = ["10.0.0.7", "10.1.0.0/28"]',
        )
    networks(proxy)


def networks(proxy: Proxy) -> tuple[Network, ...]:
    """Return the trusted addresses. Raises UsageError for one that is none, or that trusts everybody."""
    found: list[Network] = []
    for text in proxy.trusted:
        try:
            network = ipaddress.ip_network(text)
        except ValueError as error:
            raise UsageError(
                f"{text!r} in trusted is not an address: {error}",
                hint="use an IP address, or a network such as 10.1.0.0/28",
            ) from error
        if network.prefixlen == 0:
            raise UsageError(
                f"{text!r} in trusted would let every client say who it is",
                hint="name the addresses of your proxy only",
            )
        found.append(network)
    return tuple(found)


def check_oidc(name: str, oidc: Oidc) -> None:
    check_label(oidc.label)
    parts = urlsplit(oidc.issuer)
    if parts.query or parts.fragment or not parts.hostname:
        raise UsageError(f"issuer {oidc.issuer!r} is not the address of an OpenID provider")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise UsageError(
            f"issuer {oidc.issuer!r} must begin with https://, or anybody on the way could sign in as anybody"
        )
    if oidc.algorithm not in ALGORITHMS:
        raise UsageError(
            f"algorithm {oidc.algorithm!r} is not one that ID tokens may be signed with",
            hint="use one of: " + ", ".join(ALGORITHMS),
        )


def secret_in(folder: Path, name: str) -> str:
    """Return what a file holds, without the end of its line. Raises UsageError."""
    path = folder / name
    try:
        with path.open("rb") as file:
            text = file.read(SECRET_BYTES_MAX + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"the secret in {path} cannot be read: {reason}") from error
    if not text or len(text) > SECRET_BYTES_MAX:
        raise UsageError(f"{path} must hold a secret of 1 to {SECRET_BYTES_MAX:,} characters")
    return text


def check_ldap(name: str, ldap: Ldap) -> None:
    check_label(ldap.label)
    if not ldap.servers:
        raise UsageError("servers is empty", hint='servers = ["ldaps://ldap.example.com"]')
    for server in ldap.servers:
        parts = urlsplit(server)
        if parts.scheme not in ("ldap", "ldaps") or not parts.hostname or parts.path.strip("/"):
            raise UsageError(
                f"{server!r} in servers is not the address of a directory",
                hint="write ldaps://HOST, or ldap://HOST, which is encrypted by StartTLS",
            )
    if USER not in ldap.user_filter:
        raise UsageError(f"user-filter has no {USER}", hint='user-filter = "(uid={user})"')
    for text in (ldap.user_filter, ldap.group_filter):
        if not (text.startswith("(") and text.endswith(")")):
            raise UsageError(f"{text!r} is not a filter of LDAP, which stands in parentheses")
    for attribute in attributes(ldap):
        if not ATTRIBUTE.fullmatch(attribute):
            raise UsageError(f"{attribute!r} is not the name of an attribute")
    if (ldap.bind_dn is None) != (ldap.bind_password_file is None):
        raise UsageError("bind-dn and bind-password-file need each other")


def check_kerberos(kerberos: Kerberos, folder: Path) -> None:
    check_label(kerberos.label)
    if not kerberos.realms:
        raise UsageError("realms is empty", hint='realms = ["EXAMPLE.COM"]')
    keytab = folder / kerberos.keytab
    try:
        with keytab.open("rb") as file:
            is_private = not os.fstat(file.fileno()).st_mode & 0o077
    except OSError as error:
        raise UsageError(f"the keytab {keytab} cannot be read: {error.strerror}") from error
    if not is_private:
        raise UsageError(f"other users can read the keytab {keytab}", hint="run: chmod 600")


def attributes(ldap: Ldap) -> tuple[str, ...]:
    return (
        *(ldap.user_attribute, ldap.name_attribute, ldap.id_attribute),
        *(ldap.group_attribute, ldap.member_attribute),
    )


def anchored(section: Anchored, folder: Path) -> Anchored:
    """Return it with the path of its ``ca_file`` as seen from here."""
    if section.ca_file is None:
        return section
    return msgspec.structs.replace(section, ca_file=str(folder / section.ca_file))
