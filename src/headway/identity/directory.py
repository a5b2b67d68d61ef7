"""A directory of LDAP: finds people, checks their passwords by a bind, and tells their groups, those of groups too.

Before anything is sent the connection is encrypted and the certificate is verified: by ``ldaps://``, or StartTLS.
Referrals are not followed, as they would carry a password elsewhere. What fails at one server is asked of the next one.
"""

import contextlib
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from headway import clock
from headway.errors import NotReachable
from headway.identity.external import GROUPS_MAX
from headway.identity.id_token import Refused
from headway.identity.sections import USER, Ldap

if TYPE_CHECKING:
    from ldap.ldapobject import LDAPObject

log = logging.getLogger(__name__)
T = TypeVar("T")

TIME_OUT_S: Final = 5.0  # of one step
DOWN_S: Final = 60.0  # a server that failed is asked last for so long
NAME_CHARS_MAX: Final = 255
SECRET_CHARS_MAX: Final = 1_000
BATCH: Final = 50  # groups that are asked for in one search
BY_NAME: Final = "memberuid"  # of POSIX: members are names, and groups have no groups
GUID: Final = "objectguid"  # of Active Directory: 16 bytes
SID: Final = "objectSid"  # of Active Directory: a group's is that of its domain, and a number
PRIMARY: Final = "primaryGroupID"  # of Active Directory: this number
SID_BYTES: Final = 12  # at least: revision, count, authority, one number
PAGE: Final = 100  # entries that are asked for at once: servers limit how many they send

# libldap has no words for it.
NOT_ENCRYPTED: Final = {
    "(unknown error code)": "is the certificate for this host, and signed by an authority in ca-file?"
}

Attributes = dict[str, list[bytes]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A person of the directory. ``subject`` stays when somebody gets another name."""

    dn: str
    subject: str
    user: str
    display_name: str
    groups: tuple[str, ...] = ()
    primary: bytes | None = None  # of the primary group, its objectSid; None: not asked for


class Directory:
    def __init__(self, name: str, settings: Ldap, password: str | None) -> None:
        self.name = name
        self.settings = settings
        self.password = password
        self._down: dict[str, float] = {}

    def check(self, user: str, secret: str) -> Entry:
        """Return the person whose password it is. Raises Refused, and NotReachable if no server is of use."""
        # With an empty password servers say yes to anybody: an "unauthenticated bind".
        if not secret or "\0" in secret or len(secret) > SECRET_CHARS_MAX:
            raise Refused("the password is empty or not one")
        return self.ask(lambda server: self.checked(server, user, secret))

    def find(self, user: str) -> Entry:
        """Return a person whose identity is proven elsewhere. Raises as ``check``."""

        def work(server: str) -> Entry:
            with self.connected(server) as connection:
                return self.with_groups(connection, self.entry(connection, user))

        return self.ask(work)

    def checked(self, server: str, user: str, secret: str) -> Entry:
        with self.connected(server) as connection:
            try:
                found = self.entry(connection, user)
            except Refused:
                # As many steps as for a person who exists, so that time does not tell who does.
                with contextlib.suppress(Refused):
                    self.bind(server, f"cn=nobody,{self.settings.user_base}", secret)
                raise
            self.bind(server, found.dn, secret)
            return self.with_groups(connection, found)

    def bind(self, server: str, dn: str, secret: str) -> None:
        """Raises Refused: it is not the password of this entry, or the entry may not sign in."""
        import ldap

        refusals = (
            *(ldap.INVALID_CREDENTIALS, ldap.INAPPROPRIATE_AUTH, ldap.INSUFFICIENT_ACCESS),
            *(ldap.UNWILLING_TO_PERFORM, ldap.CONSTRAINT_VIOLATION, ldap.NO_SUCH_OBJECT),
        )
        with self.encrypted(server) as connection:
            try:
                connection.simple_bind_s(dn, secret)
            except refusals as error:
                raise Refused(f"the directory refused the password: {said(error)}") from error

    def entry(self, connection: "LDAPObject", user: str) -> Entry:
        """Return the one entry of a name, without groups. Raises Refused."""
        from ldap.filter import escape_filter_chars

        if not user or not user.isprintable() or len(user) > NAME_CHARS_MAX:
            raise Refused("the name is empty, too long or has characters that cannot be shown")
        wanted = self.settings
        pattern = wanted.user_filter.replace(USER, escape_filter_chars(user))
        names = [wanted.user_attribute, wanted.name_attribute, wanted.id_attribute]
        names += [PRIMARY, SID] if wanted.primary_group else []
        found = self.search(connection, wanted.user_base, pattern, names)
        if len(found) != 1:
            raise Refused(f"the directory has {len(found)} entries of this name")
        ((dn, attributes),) = found
        # Of several names always the same one, whichever was typed: a rule that denies must not be passed by.
        users = sorted(texts(attributes, wanted.user_attribute))
        subjects = texts(attributes, wanted.id_attribute)
        if not users or len(subjects) != 1:
            missing = wanted.id_attribute if users else wanted.user_attribute
            raise Refused(f"the entry has no {missing} that can be read")
        shown = texts(attributes, wanted.name_attribute)
        primary = primary_of(attributes) if wanted.primary_group else None
        return Entry(dn, subjects[0], users[0], shown[0] if shown else "", primary=primary)

    def with_groups(self, connection: "LDAPObject", found: Entry) -> Entry:
        groups = tuple(self.groups(connection, found))
        return replace(found, groups=groups)

    def groups(self, connection: "LDAPObject", found: Entry) -> Iterator[str]:
        """Yield the names of the groups, and of the groups that these are in. Raises Refused."""
        by_name = self.settings.member_attribute.lower() == BY_NAME
        edge = [found.user if by_name else found.dn]
        seen: set[str] = set()
        next_ones = [] if found.primary is None else self.groups_of(connection, found.primary)
        while edge or next_ones:
            if not next_ones:
                asked, edge = edge[:BATCH], edge[BATCH:]
                next_ones = self.groups_with(connection, asked)
            for dn, attributes in next_ones:
                if dn.lower() in seen:
                    continue  # groups may be in each other
                seen.add(dn.lower())
                if len(seen) > GROUPS_MAX:
                    raise Refused(f"the person is in more than {GROUPS_MAX:,} groups")
                names = texts(attributes, self.settings.group_attribute)
                if not names:  # it may be one that a rule denies
                    raise Refused(f"the group {dn} has no {self.settings.group_attribute}")
                yield from names
                if not by_name:
                    edge.append(dn)
            next_ones = []

    def groups_with(
        self, connection: "LDAPObject", members: Sequence[str]
    ) -> list[tuple[str, Attributes]]:
        from ldap.filter import escape_filter_chars

        wanted = self.settings
        clauses = "".join(
            f"({wanted.member_attribute}={escape_filter_chars(each)})" for each in members
        )
        pattern = f"(&{wanted.group_filter}(|{clauses}))"
        return self.search(connection, wanted.group_base, pattern, [wanted.group_attribute])

    def groups_of(self, connection: "LDAPObject", sid: bytes) -> list[tuple[str, Attributes]]:
        """Return the group with this objectSid, if it is below the group base."""
        wanted = self.settings
        code = "".join(f"\\{byte:02x}" for byte in sid)
        pattern = f"(&{wanted.group_filter}({SID}={code}))"
        return self.search(connection, wanted.group_base, pattern, [wanted.group_attribute])

    def search(
        self, connection: "LDAPObject", base: str, pattern: str, attributes: list[str]
    ) -> list[tuple[str, Attributes]]:
        """Return the entries, page by page (RFC 2696). A server without pages sends all, or an error."""
        import ldap
        from ldap.controls import SimplePagedResultsControl

        page = SimplePagedResultsControl(criticality=False, size=PAGE, cookie=b"")
        found: list[tuple[str, Attributes]] = []
        while len(found) <= GROUPS_MAX:  # more is refused, whatever it is
            message = connection.search_ext(
                base, ldap.SCOPE_SUBTREE, pattern, attributes, serverctrls=[page]
            )
            _, entries, _, controls = connection.result3(message)
            found += [(dn, values) for dn, values in entries if dn is not None]  # no referrals
            cookies = [each.cookie for each in controls if each.controlType == page.controlType]
            if not cookies or not cookies[0]:
                break
            (page.cookie,) = cookies
        return found

    def ask(self, work: Callable[[str], T]) -> T:
        """Do it at the first server of use. Raises NotReachable: there is none; the log says why."""
        import ldap

        now = clock.monotonic()
        order = sorted(
            self.settings.servers, key=lambda server: self._down.get(server, -DOWN_S) + DOWN_S > now
        )
        for server in order:
            try:
                found = work(server)
            except Refused:
                self._down.pop(server, None)
                raise
            except ldap.LDAPError as error:
                self._down[server] = clock.monotonic()
                log.warning("[ldap.%s] %s cannot be used: %s", self.name, server, said(error))
            else:
                self._down.pop(server, None)
                return found
        raise NotReachable(
            f"the directory of {self.settings.label} cannot be used",
            hint=f"an admin finds the reason in the log of the API, and checks [ldap.{self.name}]",
        )

    @contextlib.contextmanager
    def connected(self, server: str) -> "Iterator[LDAPObject]":
        """A connection that may search."""
        with self.encrypted(server) as connection:
            if self.settings.bind_dn is not None:
                connection.simple_bind_s(self.settings.bind_dn, self.password)
            yield connection

    @contextlib.contextmanager
    def encrypted(self, server: str) -> "Iterator[LDAPObject]":
        import ldap

        connection = ldap.initialize(server)
        try:
            for option, value in (
                (ldap.OPT_PROTOCOL_VERSION, ldap.VERSION3),
                (ldap.OPT_REFERRALS, ldap.OPT_OFF),
                (ldap.OPT_NETWORK_TIMEOUT, TIME_OUT_S),
                (ldap.OPT_TIMEOUT, TIME_OUT_S),
                # Here and not in ldap.conf, which may say otherwise for the whole machine.
                (ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND),
                (ldap.OPT_X_TLS_PROTOCOL_MIN, ldap.OPT_X_TLS_PROTOCOL_TLS1_2),
            ):
                connection.set_option(option, value)
            if self.settings.ca_file is not None:
                connection.set_option(ldap.OPT_X_TLS_CACERTFILE, self.settings.ca_file)
            connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
            if not server.startswith("ldaps:"):
                connection.start_tls_s()
            yield connection
        finally:
            with contextlib.suppress(ldap.LDAPError):
                connection.unbind_s()


def primary_of(attributes: Attributes) -> bytes:
    """Return the objectSid of the primary group: that of the person, with the group's number at its end.

    Raises Refused: it may be a group that a rule denies.
    """
    sids = raw(attributes, SID)
    numbers = texts(attributes, PRIMARY)
    if len(sids) != 1 or len(sids[0]) < SID_BYTES or len(numbers) != 1 or not is_number(numbers[0]):
        raise Refused(f"the entry has no {SID} and {PRIMARY} that can be read")
    return sids[0][:-4] + int(numbers[0]).to_bytes(4, "little")


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 2**32


def raw(attributes: Attributes, wanted: str) -> list[bytes]:
    """Return the values of an attribute, whose name may be in other letters."""
    return next((v for name, v in attributes.items() if name.lower() == wanted.lower()), [])


def texts(attributes: Attributes, wanted: str) -> list[str]:
    """Return the values of an attribute as texts; binary ones in hexadecimal."""
    return [text(value, wanted.lower()) for value in raw(attributes, wanted)]


def text(value: bytes, name: str) -> str:
    if name == GUID and len(value) == 16:
        return str(uuid.UUID(bytes_le=value))
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def said(error: Any) -> str:
    """Return what a directory or its library says of an error, in one line."""
    detail = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    words = [detail.get("desc"), NOT_ENCRYPTED.get(str(detail.get("info")), detail.get("info"))]
    return ": ".join(str(each) for each in words if each)[:200] or type(error).__name__
