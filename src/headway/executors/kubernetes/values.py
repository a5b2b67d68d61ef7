"""The rules for the settings of an install: one table, for ``headway manifests`` and for the schema of the chart.

Patterns are of the part that Python, JSON Schema and Helm read alike, without look-around. Each is of the whole text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from headway.core.cluster import DEADLINE_S_MAX, PODS_MAX, TICKETS
from headway.core.log_retention import DAYS_MAX
from headway.core.retry import LOSSES_MAX
from headway.core.run_retention import DAYS_MIN as RUN_DAYS_MIN
from headway.core.teams import RESERVED, name_trouble
from headway.executors.kubernetes import shapes
from headway.executors.kubernetes.settings import DRAIN_S_MAX, flaw, settings_of

if TYPE_CHECKING:
    from headway.executors.kubernetes.install import Install

TEAM_MAX: Final = 20  # characters
SPACE_MAX: Final = 40  # with a hyphen and the name of a team it is a label of DNS
NUMBER_MAX: Final = 2**31 - 1
REPLICAS_MAX: Final = 1000
INSTANCES_MAX: Final = 9
CANARY_S_MAX: Final = 86_400  # as ``HEADWAY_CANARY_S`` allows
AUDIT_DAYS_MIN: Final = 30  # as ``HEADWAY_AUDIT_DAYS`` allows
# No two hyphens in a row: the namespace of a team is ``SPACE-TEAM`` as it is written, for the server and for the chart.
LABEL: Final = r"[a-z0-9]+(-[a-z0-9]+)*"
OBJECT: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
PORT: Final = (
    r"(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
)
ADDRESS: Final = r"[0-9A-Fa-f.:]+(/[0-9]{1,3})?"
AMOUNT: Final = (
    r"([1-9][0-9]{0,14}(\.[0-9]{1,9})?|0\.[0-9]{0,8}[1-9])(k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?"
)


@dataclass(frozen=True, slots=True)
class Text:
    """``words``: what it must be, behind "must be"."""

    pattern: str
    words: str
    most: int = 253


@dataclass(frozen=True, slots=True)
class Number:
    least: int
    most: int


NAME: Final = Text(OBJECT, "a name of small letters, digits, dots and hyphens")
STORE: Final = Text(
    r"(s3://[a-z0-9][a-z0-9.-]+|file://)(/[A-Za-z0-9._/=-]*)?",
    "s3://bucket/prefix or file:///folder",
)
TEXTS: Final[Mapping[str, Text]] = {
    "image": Text(
        r"[A-Za-z0-9][A-Za-z0-9._/-]*(:[0-9]+/[A-Za-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@sha256:[0-9a-f]{64})?",
        "the name of an image, such as registry.example.org/headway:1",
        255,
    ),
    **dict.fromkeys(
        ("storage", "database_storage"), Text(AMOUNT, "an amount above 0, such as 20Gi")
    ),
    **dict.fromkeys(
        (
            *("host", "ingress_class", "ingress_secret", "dags_claim", "storage_class"),
            *("database_secret", "gateway_secret", "keys_secret", "agent_secret"),
            *("sign_in_secret", "metrics_secret", "log_store_secret", "backup_store_secret"),
            *("wal_store_secret", "keytab_secret"),
        ),
        NAME,
    ),
    "pod_mutation": Text(
        r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*",
        "MODULE:FUNCTION, such as acme.pods:mutate",
    ),
    "server": Text(r"[A-Za-z0-9][A-Za-z0-9.-]*", "a host name"),
    "log_store": STORE,
    "backup_store": STORE,
    "wal_store": Text(r"s3://[a-z0-9][a-z0-9.-]+(/[A-Za-z0-9._/=-]*)?", "s3://bucket/prefix"),
    "wal_endpoint": Text(
        rf"https?://[A-Za-z0-9.-]+(:{PORT})?", "https://HOST or https://HOST:PORT"
    ),
    "listen_address": Text(
        rf"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):{PORT}", "HOST:PORT, with a port from 1 to 65535"
    ),
    **dict.fromkeys(
        ("trusted_proxies", "webhook_networks"),
        Text(
            rf"{ADDRESS}(, ?{ADDRESS})*",
            "addresses or networks with commas between them, such as 10.0.0.0/8",
        ),
    ),
}
NUMBERS: Final[Mapping[str, Number]] = {
    "api": Number(1, REPLICAS_MAX),
    "schedulers": Number(1, REPLICAS_MAX),
    "agents": Number(0, REPLICAS_MAX),
    "agent_slots": Number(1, NUMBER_MAX),
    "slots": Number(1, NUMBER_MAX),
    "backups": Number(1, REPLICAS_MAX),
    "canary_seconds": Number(0, CANARY_S_MAX),
    "database_instances": Number(0, INSTANCES_MAX),
    "server_port": Number(1, 65_535),
    "pods": Number(1, PODS_MAX),
    "pending_deadline_seconds": Number(1, DEADLINE_S_MAX),
    "pending_requeues": Number(0, LOSSES_MAX),
    "drain_seconds": Number(1, DRAIN_S_MAX),
    "run_as_user": Number(1, NUMBER_MAX),
    "api_rate": Number(1, NUMBER_MAX),
    "retention_days": Number(RUN_DAYS_MIN, DAYS_MAX),
    "log_days": Number(1, DAYS_MAX),
    "log_local_days": Number(1, DAYS_MAX),
    "audit_days": Number(AUDIT_DAYS_MIN, DAYS_MAX),
}


def trouble(install: "Install") -> str | None:
    """Return which setting cannot be used and why, or None. Begins with the name of the option."""
    if not is_whole(LABEL, install.namespace, SPACE_MAX):
        return (
            f"namespace: {shown(install.namespace)} must be small letters, digits and single hyphens, "
            f"at most {SPACE_MAX}"
        )
    if not install.teams:
        return "team: there must be at least one"
    for number, team in enumerate(install.teams):
        if team in install.teams[:number]:
            return f"team: {shown(team)} is given twice"
        if (why := name_trouble(team)) is not None:
            return f"team: {why}"
        if not is_whole(LABEL, team, TEAM_MAX):
            return (
                f"team: {shown(team)} must be small letters, digits and single hyphens, at most {TEAM_MAX}, "
                "because the name of its namespace ends with it"
            )
    for name, text in TEXTS.items():
        given = getattr(install, name, None)  # some are of a part alone
        if given is not None and not is_whole(text.pattern, given, text.most):
            return f"{option(name)}: {shown(given)} must be {text.words}"
    for name, number_of in NUMBERS.items():
        value = getattr(install, name, number_of.least)
        if value is not None and not number_of.least <= value <= number_of.most:
            return f"{option(name)}: {value} must be from {number_of.least} to {number_of.most:,}"
    if install.keytab_secret == TICKETS:
        return f"keytab-secret: {TICKETS} is the secret of the tickets, not of the keytab"
    return trouble_of_database(install) or trouble_of_settings(install)


def trouble_of_settings(install: "Install") -> str | None:
    """Return which setting of the executor it would not read, in its words, or what the chart would not take."""
    try:
        why = flaw(settings_of(install.told))
    except msgspec.ValidationError as error:
        found = re.search(r"`\$\.(\w+)", str(error))
        why = f"{option(found[1])}: {error}" if found is not None else str(error)
    return why or shapes.trouble(install)


def trouble_of_database(install: "Install") -> str | None:
    if install.database_instances == 1:
        return "database-instances: 1 must be 0 or at least 2, because each commit is stored by two of them"
    if install.database_instances and install.listen_address is None:
        return (
            "database-instances: also set listen-address to headway-db-rw:5432, "
            "because notifications do not pass the pooler"
        )
    if install.wal_store is not None and not install.database_instances:
        return "wal-store: also set database-instances, because it is the archive of a PostgreSQL of the install's own"
    return None


def is_whole(pattern: str, text: str, most: int) -> bool:
    return len(text) <= most and re.fullmatch(pattern, text) is not None


def camel(name: str) -> str:
    """Return the name that a setting has among the values of a chart."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def option(name: str) -> str:
    return name.replace("_", "-")


def shown(text: str) -> str:
    return f"{text[:100]!a}"


def schema_of_text(name: str, *, optional: bool) -> dict[str, Any]:
    """Return the JSON Schema of a text. What goes into a template cannot leave its quotes: no pattern admits any."""
    text = TEXTS[name]
    if optional:  # for Helm an empty text is none
        found = {
            "type": ["string", "null"],
            "pattern": f"^({text.pattern})?$",
            "maxLength": text.most,
        }
        return found | {"not": {"const": TICKETS}} if name == "keytab_secret" else found
    return {"type": "string", "pattern": f"^({text.pattern})$", "maxLength": text.most}


def schema_of_number(name: str, *, optional: bool = False) -> dict[str, Any]:
    number = NUMBERS[name]
    kind = ["integer", "null"] if optional else "integer"
    found = {"type": kind, "minimum": number.least, "maximum": number.most}
    return found | {"not": {"const": 1}} if name == "database_instances" else found


def schema_of_teams() -> dict[str, Any]:
    team = {
        "type": "string",
        "pattern": f"^{LABEL}$",
        "maxLength": TEAM_MAX,
        "not": {"enum": sorted(RESERVED)},
    }
    return {"type": "array", "items": team, "minItems": 1, "uniqueItems": True}
