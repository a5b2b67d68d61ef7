"""The settings of sign-in: one TOML file, which ``HEADWAY_SIGN_IN`` names. It is read once, at the start.

What is wrong in it is told with file and line, and the server does not start: a rule that is left out would
let somebody in, or lock everybody out.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from headway.core.role_map import Rule
from headway.errors import UsageError
from headway.identity.rule_lines import RuleLine, rules_of
from headway.identity.sections import (
    Kerberos,
    Ldap,
    Oidc,
    Proxy,
    anchored,
    check_kerberos,
    check_ldap,
    check_oidc,
    check_proxy,
    secret_in,
)
from headway.spec.errors import did_you_mean

T = TypeVar("T")

VARIABLE: Final = "HEADWAY_SIGN_IN"
OURS: Final = frozenset({"password", "link", "local", "session", "callback"})
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,23}")
HINT: Final = "docs/sign-in.md shows all settings of this file"
WORDS: Final = ("proxy", "oidc", "ldap", "kerberos", "rule")
# What a section imports, and the extra that brings it: they are compiled, so that not everybody needs a compiler.
LIBRARIES: Final = {"ldap": "ldap", "kerberos": "gssapi"}


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """Ways by their names. ``secrets`` are by the name of the way, too; ``rules`` are the role map."""

    proxies: Mapping[str, Proxy] = field(default_factory=dict)
    oidcs: Mapping[str, Oidc] = field(default_factory=dict)
    ldaps: Mapping[str, Ldap] = field(default_factory=dict)
    kerberoses: Mapping[str, Kerberos] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()


NONE: Final = SignInSettings()


def from_environment() -> SignInSettings:
    """Return the settings of the file that ``HEADWAY_SIGN_IN`` names, or none. Raises UsageError."""
    named = os.environ.get(VARIABLE)
    if not named:
        return NONE
    found = load(Path(named))
    require_libraries(found, named)
    return found


def require_libraries(settings: SignInSettings, where: str) -> None:
    """Raises UsageError: a way needs a library that is not installed."""
    for word, names in (("ldap", settings.ldaps), ("kerberos", settings.kerberoses)):
        if names and find_spec(LIBRARIES[word]) is None:
            raise UsageError(
                f"[{word}.{next(iter(names))}] needs a library that is not installed",
                where=where,
                hint=f'install it: pip install "headway[{word}]"; docs/sign-in.md says what that needs',
            )


def load(path: Path) -> SignInSettings:
    """Raises UsageError: the file is missing or something in it is wrong."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"the settings of sign-in cannot be read: {reason}",
            where=str(path),
            hint=f"correct the path in {VARIABLE}, or unset it",
        ) from error
    try:
        return checked(text, path.parent)
    except UsageError as error:
        line = f":{error.where}" if error.where else ""
        raise UsageError(error.message, where=f"{path}{line}", hint=error.hint) from error


def checked(text: str, folder: Path = Path()) -> SignInSettings:
    """Raises UsageError; its ``where`` is the line, if it is known."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(str(error), hint=HINT) from error
    unknown = next((word for word in raw if word not in WORDS), None)
    if unknown is not None:
        hint = did_you_mean(unknown, WORDS) or HINT
        raise UsageError(
            f"there is no setting [{unknown}]", where=line_of(text, unknown), hint=hint
        )
    secrets: dict[str, str] = {}

    def check_oidc_here(name: str, oidc: Oidc) -> None:
        check_oidc(name, oidc)
        secrets[name] = secret_in(folder, oidc.client_secret_file)

    def check_ldap_here(name: str, ldap: Ldap) -> None:
        check_ldap(name, ldap)
        if ldap.bind_password_file is not None:
            secrets[name] = secret_in(folder, ldap.bind_password_file)

    ldaps = sections(raw, text, "ldap", Ldap, check_ldap_here)
    proxies = sections(raw, text, "proxy", Proxy, check_proxy)
    oidcs = sections(raw, text, "oidc", Oidc, check_oidc_here)

    def check_kerberos_here(name: str, kerberos: Kerberos) -> None:
        check_kerberos(kerberos, folder)
        if kerberos.directory not in ldaps:
            raise UsageError(f"there is no [ldap.{kerberos.directory}]", hint=HINT)

    kerberoses = sections(raw, text, "kerberos", Kerberos, check_kerberos_here)
    if len(kerberoses) > 1:
        raise UsageError(
            "there can be one [kerberos.NAME]", hint="one keytab may have keys of several realms"
        )
    check_twice(text, {"proxy": proxies, "oidc": oidcs, "ldap": ldaps, "kerberos": kerberoses})
    try:
        lines = msgspec.convert(raw.get("rule", []), list[RuleLine])
    except msgspec.ValidationError as error:
        raise UsageError(f"rule: {error}", hint=HINT) from error
    if (proxies or oidcs or ldaps) and not lines:
        raise UsageError(
            "there is no rule, so nobody could sign in by these ways",
            hint='add one: [[rule]] group = "everybody" grant = "default:viewer"',
        )
    return SignInSettings(
        proxies=proxies,
        oidcs={name: anchored(oidc, folder) for name, oidc in oidcs.items()},
        ldaps={name: anchored(ldap, folder) for name, ldap in ldaps.items()},
        kerberoses={
            name: msgspec.structs.replace(each, keytab=str(folder / each.keytab))
            for name, each in kerberoses.items()
        },
        secrets=secrets,
        rules=tuple(rules_of(lines, text)),
    )


def check_twice(text: str, kinds: Mapping[str, Mapping[str, object]]) -> None:
    """Raises UsageError: two ways have one name, by which requests and the audit know them."""
    seen: set[str] = set()
    for word, names in kinds.items():
        for name in names:
            if name in seen:
                raise UsageError(
                    f"two ways to sign in have the name {name!r}",
                    where=line_of(text, f"{word}.{name}"),
                )
            seen.add(name)


def sections(
    raw: Mapping[str, Any], text: str, word: str, kind: type[T], check: Callable[[str, T], None]
) -> dict[str, T]:
    """Return the sections ``[word.NAME]``. Raises UsageError, with the line of the section."""
    given = raw.get(word, {})
    if not isinstance(given, dict) or not all(isinstance(each, dict) for each in given.values()):
        raise UsageError(
            f"[{word}] needs a name",
            where=line_of(text, word),
            hint=f"for instance [{word}.company]",
        )
    found: dict[str, T] = {}
    for name, fields in given.items():
        try:
            found[name] = msgspec.convert(fields, kind)
            check_name(name)
            check(name, found[name])
        except (msgspec.ValidationError, UsageError) as error:
            is_ours = isinstance(error, UsageError)
            raise UsageError(
                f"[{word}.{name}]: {error.message if isinstance(error, UsageError) else error}",
                where=line_of(text, f"{word}.{name}"),
                hint=error.hint if isinstance(error, UsageError) else HINT,
            ) from (None if is_ours else error)
    return found


def line_of(text: str, section: str) -> str | None:
    """Return the number of the line in which a section begins, if it has one of its own."""
    dotted = r"\s*\.\s*".join(re.escape(part) for part in section.split("."))
    found = re.search(rf"^\s*\[+\s*{dotted}\s*[\].]", text, re.MULTILINE)
    return None if found is None else str(text.count("\n", 0, found.end()) + 1)


def check_name(name: str) -> None:
    if not NAME.fullmatch(name) or name in OURS:
        raise UsageError(
            f"{name!r} cannot be the name of a way to sign in",
            hint="use lower-case letters, digits and -, and none of: " + ", ".join(sorted(OURS)),
        )
