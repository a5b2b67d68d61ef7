"""The Helm charts, made from the objects of ``headway manifests``: ``python -m headway.executors.kubernetes.chart``.

The objects are made with a mark in place of each value, and once more without each value that may be left out. A mark
becomes a reference to the value; what is there only with a value stands in an ``if``, what is of a team or of another
list in a ``range``.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from headway.executors.kubernetes import parts
from headway.executors.kubernetes.install import NAME, Install, objects_of
from headway.executors.kubernetes.objects import APPLIED, Object
from headway.executors.kubernetes.shapes import SHAPES
from headway.executors.kubernetes.values import (
    camel,
    schema_of_number,
    schema_of_teams,
    schema_of_text,
)

TEAM: Final = "mark-of-team"
SPACE: Final = "mark-of-space"
NUMBERS: Final = {
    "api": 424201,
    "schedulers": 424202,
    "agents": 424203,
    "agent_slots": 424204,
    "slots": 424205,
    "backups": 424206,
    "canary_seconds": 424207,
    "database_instances": 424208,
    "server_port": 424209,
    "pods": 424210,
    "pending_deadline_seconds": 424220,
    "pending_requeues": 424221,
    "drain_seconds": 424222,
    "run_as_user": 424223,
    "api_rate": 424224,
    "retention_days": 424225,
    "log_days": 424226,
    "log_local_days": 424227,
    "audit_days": 424228,
}
ONE_MORE_POD: Final = "424211"  # the renewer of tickets
OPTIONAL: Final = (
    *("host", "ingress_class", "dags_claim", "storage_class", "log_store", "listen_address"),
    *("sign_in_secret", "metrics_secret", "trusted_proxies", "backup_store", "webhook_networks"),
    *("wal_store", "wal_endpoint", "keytab_secret", "pod_mutation"),
)
OPTIONAL_NUMBERS: Final = ("log_days", "log_local_days", "audit_days")
# Values that go into the objects as JSON. Without one the executor's own default holds, but for ``queues``.
WHOLES: Final = ("policy", "spot", "resources", "sidecar_resources", "queues")
MANY: Final = ("queues", "agent_queues")  # lists with an entry at least
LEFT_OUT: Final = ("policy", "spot", "resources", "sidecar_resources")
# Lists, by the mark of an entry. An object has an entry of ``api_servers``, NETWORK:PORT, in two parts.
NETWORK: Final = "192.0.2.77/32"
PORT: Final = "42477"
LISTS: Final = {
    "egress": "mark-of-egress",
    "api_servers": f"{NETWORK}:{PORT}",
    "agent_queues": "mark-of-agent-queues",
}
PARTS: Final = {
    "egress": ("mark-of-egress",),
    "api_servers": (NETWORK, PORT),
    "agent_queues": ("mark-of-agent-queues",),
}
SET: Final = (
    "image",
    "server",
    "storage",
    "database_secret",
    "gateway_secret",
    "keys_secret",
    "agent_secret",
    "database_storage",
)
OF_OPTIONAL: Final = (
    *("log_store_secret", "ingress_secret", "backup_store_secret"),
    "wal_store_secret",
)
NAMING: Final = ("name", "type")  # what tells the nodes of a list apart
HEAD: Final = (
    "# Made by: python -m headway.executors.kubernetes.chart, from the objects beside it.\n"
)
RANGE: Final = "{{- range $team := $.Values.teams }}"
EACH: Final = "{{- range $each := $.Values.%s }}"
ENDED: Final = "{{- end }}"


@dataclass(frozen=True, slots=True)
class Chart:
    """``fields``: which settings of ``kind`` are values; ``usual``: what these are, other than in the whole;
    ``required``: values without a usual one.
    """

    folder: str
    kind: type[Install]
    objects: Callable[[Any], list[Object]]
    fields: tuple[str, ...]
    required: tuple[str, ...] = ()
    usual: Mapping[str, Any] = field(default_factory=dict)
    counted: tuple[str, ...] = ()  # 0: their objects are not there
    rules: tuple[Any, ...] = ()  # of the schema

    @property
    def file(self) -> str:
        return f"{self.folder}/templates/{self.folder.rpartition('/')[2]}.yaml"

    def of(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self.fields]


Variants = Mapping[str, Any]  # by the value that is left out


def mark(name: str) -> str:
    return f"mark-of-{name.replace('_', '-')}"


def marked(chart: Chart) -> Install:
    texts: dict[str, Any] = {name: mark(name) for name in chart.of((*SET, *OPTIONAL, *OF_OPTIONAL))}
    numbers = {name: NUMBERS[name] for name in chart.of(NUMBERS)}
    lists = {name: (LISTS[name],) for name in chart.of(LISTS)}
    wholes = {name: mark(name) for name in chart.of(WHOLES)}
    teams = {"teams": (TEAM,)} if "teams" in chart.fields else {}
    every = {**texts, **numbers, **lists, **wholes, **teams}
    return chart.kind(**{"image": "", "namespace": SPACE, **every})


def template(chart: Chart) -> str:
    """Return the template of all objects but the namespace of the release, which Helm makes."""
    whole = marked(chart)
    without: dict[str, Install] = {
        name: msgspec.structs.replace(whole, **{name: None})
        for name in chart.of((*OPTIONAL, *OPTIONAL_NUMBERS, *LEFT_OUT))
    }
    without |= {name: msgspec.structs.replace(whole, **{name: 0}) for name in chart.counted}
    if "api_servers" in chart.fields:  # a policy is there only for them
        without["api_servers"] = msgspec.structs.replace(whole, api_servers=())
    variants = {name: by_key(chart.objects(each)) for name, each in without.items()}
    documents = []
    for key, each in by_key(chart.objects(whole)).items():
        if key == ("Namespace", "", SPACE):
            continue
        missing = [name for name, found in variants.items() if key not in found]
        others = {name: found[key] for name, found in variants.items() if key in found}
        lines = ["---", *emit(each, others, 0, of_team=TEAM in "/".join(key))]
        if TEAM in "/".join(key):
            lines = [RANGE, *lines, ENDED]
        documents += conditional(lines, missing)
    return HEAD + referring("\n".join(documents)) + "\n"


def by_key(objects: list[Object]) -> dict[tuple[str, str, str], Object]:
    for each in objects:
        each["metadata"].get("annotations", {}).pop(APPLIED, None)  # it is of the final objects
    return {
        (e["kind"], e["metadata"].get("namespace", ""), e["metadata"]["name"]): e for e in objects
    }


def emit(node: Any, variants: Variants, indent: int, *, of_team: bool) -> list[str]:
    """Return the lines of a node. ``variants``: the same node without a value."""
    space = " " * indent
    if isinstance(node, dict) and node:
        lines = []
        for key, inner in node.items():
            missing = [name for name, other in variants.items() if key not in other]
            others = {name: other[key] for name, other in variants.items() if key in other}
            name = msgspec.json.encode(key).decode()
            if isinstance(inner, dict | list) and inner:
                found = [f"{space}{name}:", *emit(inner, others, indent + 2, of_team=of_team)]
            elif isinstance(inner, str) and "\n" in inner:
                found = [f"{space}{name}: |", *block(inner, others, indent + 2)]
            else:
                found = scalar(f"{space}{name}: ", inner, others)
            lines += conditional(found, missing)
        return lines
    assert isinstance(node, list), node
    lines = []
    for inner in node:
        same = {name: like(inner, other) for name, other in variants.items()}
        missing = [name for name, other in same.items() if other is None]
        others = {name: other for name, other in same.items() if other is not None}
        if isinstance(inner, dict | list) and inner:
            first, *rest = emit(inner, others, indent + 2, of_team=of_team)
            found = [f"{space}- {first.lstrip()}", *rest]
        else:
            found = scalar(f"{space}- ", inner, others)
        lines += conditional(ranged(found, of_team=of_team), missing)
    return lines


def like(node: Any, others: list[Any]) -> Any:
    """Return the node of a list that stands for the same, or None."""
    for other in others:
        both = isinstance(node, dict) and isinstance(other, dict)
        if other == node or (both and any(node[w] == other.get(w) for w in NAMING if w in node)):
            return other
    return None


def scalar(before: str, value: Any, variants: Variants) -> list[str]:
    """Return the line of a value, or two where it is another one without a value of the chart."""
    line = f"{before}{msgspec.json.encode(value).decode()}"
    others = [(name, other) for name, other in variants.items() if other != value]
    if not others:
        return [line]
    ((name, other),) = others  # of two, four lines would be needed
    without = f"{before}{msgspec.json.encode(other).decode()}"
    missing = [f"{{{{- if not $.Values.{camel(name)} }}}}", without, ENDED]
    return [*conditional([line], [name]), *missing]


def conditional(lines: list[str], names: list[str]) -> list[str]:
    for name in names:
        lines = [f"{{{{- if $.Values.{camel(name)} }}}}", *lines, ENDED]
    return lines


def ranged(lines: list[str], *, of_team: bool) -> list[str]:
    """Repeat the node of a list for each entry of the value that it stands for: the innermost list is that."""
    text = "".join(lines)
    marks = {EACH % camel(name): marked for name, marked in PARTS.items()}
    if not of_team:
        marks[RANGE] = (TEAM,)
    for begin, wanted in marks.items():
        if begin not in text and all(each in text for each in wanted):
            lines = [begin, *lines, ENDED]
    return lines


def block(text: str, variants: Variants, indent: int) -> list[str]:
    """Return the lines of a text, each with the value that it needs."""
    others = {name: other.splitlines() for name, other in variants.items()}
    lines = []
    for line in text.splitlines():
        missing = [name for name, other in others.items() if line not in other]
        lines += conditional([" " * indent + line], missing)
    return lines


def referring(text: str) -> str:
    """Put references in the place of marks, the longer ones first."""
    references = {mark(n): f"$.Values.{camel(n)}" for n in (*SET, *OPTIONAL, *OF_OPTIONAL)}
    references |= {TEAM: "$team", SPACE: "$.Release.Namespace"}
    references |= {
        LISTS["agent_queues"]: "$each",
        NETWORK: 'regexReplaceAll ":[0-9]+$" $each ""',
        PORT: 'regexFind "[0-9]+$" $each',
        ONE_MORE_POD: "add1 (int $.Values.pods)",
    }
    json = {LISTS["egress"]: "$each"} | {mark(n): f"$.Values.{camel(n)}" for n in WHOLES}
    for name, value in json.items():  # in quotes, or a line of a text
        text = re.sub(rf'"{name}"|(?<=: ){name}$', f"{{{{ toJson {value} }}}}", text, flags=re.M)
    for name in sorted(references, key=len, reverse=True):
        text = text.replace(name, f"{{{{ {references[name]} }}}}")
    for name, number in NUMBERS.items():
        text = text.replace(str(number), f"{{{{ int $.Values.{camel(name)} }}}}")
    return text


def values(chart: Chart) -> dict[str, Any]:
    """Return all values as they are when nobody sets them. The image has no usual one."""
    given = {camel(name): value for name, value in chart.usual.items()}
    usual = msgspec.to_builtins(chart.kind(image="")) | given
    return {name: usual[name] for name in usual if name in map(camel, chart.fields)}


def schema(chart: Chart) -> dict[str, Any]:
    """Return the JSON Schema of the values."""
    of_texts = chart.of((*SET, *OF_OPTIONAL))
    properties: dict[str, Any] = {camel(n): schema_of_text(n, optional=False) for n in of_texts}
    optional = chart.of(OPTIONAL)
    properties |= {camel(n): schema_of_text(n, optional=True) for n in optional}
    properties |= {camel(n): schema_of_number(n) for n in chart.of(NUMBERS)}
    properties |= {camel(n): schema_of_number(n, optional=True) for n in chart.of(OPTIONAL_NUMBERS)}
    properties |= {camel(n): SHAPES[n] for n in chart.of(SHAPES)}
    if "teams" in chart.fields:
        properties["teams"] = schema_of_teams()
    # A release that keeps the values of an older chart has none of them, and no number is not 0.
    always = [camel(name) for name in chart.of((*NUMBERS, *MANY)) if name not in OPTIONAL_NUMBERS]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "required": [*chart.required, *always],
        "additionalProperties": False,
        "properties": {**properties, "global": {"type": "object"}},
        "allOf": list(chart.rules),
    }


def together(name: str, rule: dict[str, Any], other: str, demand: dict[str, Any]) -> dict[str, Any]:
    """Return the rule that one value demands another."""
    return {
        "if": {"properties": {name: rule}, "required": [name]},
        "then": {"properties": {other: demand}, "required": [other]},
    }


GIVEN: Final = {"type": "string", "minLength": 1}
WHOLE: Final = Chart(
    folder="deploy/helm/headway",
    kind=Install,
    objects=objects_of,
    fields=tuple(name for name in Install.__struct_fields__ if name != "namespace"),
    required=("image", "teams"),
    counted=("agents", "database_instances"),
    rules=(
        together("databaseInstances", {"minimum": 1}, "listenAddress", GIVEN),
        together("walStore", GIVEN, "databaseInstances", {"minimum": 2}),
    ),
)
AGENT: Final = Chart(
    folder="deploy/helm/headway-agent",
    kind=parts.Agents,
    objects=parts.agents,
    fields=(
        *("image", "server", "server_port", "agent_secret", "agents", "agent_slots"),
        *("agent_queues", "egress"),
    ),
    required=("image", "server"),
    usual={"server": ""},
    rules=({"properties": {"agents": {"minimum": 1}}},),
)
POSTGRESQL: Final = Chart(
    folder="deploy/helm/headway-postgresql",
    kind=Install,
    objects=parts.database,
    fields=(
        *("database_instances", "database_storage", "storage_class"),
        *("wal_store", "wal_store_secret", "wal_endpoint"),
    ),
    usual={"database_instances": 3},
    rules=({"properties": {"databaseInstances": {"minimum": 2}}},),
)
CHARTS: Final = (WHOLE, AGENT, POSTGRESQL)


def files() -> dict[str, str]:
    """Return the files of the charts that are made, by their path."""
    return {name: text for chart in CHARTS for name, text in files_of(chart).items()}


def files_of(chart: Chart) -> dict[str, str]:
    pretty = msgspec.json.format(msgspec.json.encode(schema(chart)), indent=2).decode()
    listed = msgspec.yaml.encode(values(chart)).decode()
    needs = f" {NAME} needs an image." if "image" in chart.fields else ""
    return {
        chart.file: template(chart),
        f"{chart.folder}/values.yaml": f"# docs/kubernetes.md says what each value is.{needs}\n{listed}",
        f"{chart.folder}/values.schema.json": f"{pretty}\n",
    }


def main() -> int:
    """Write the files; with --check, compare only."""
    wrong = []
    for name, text in files().items():
        file = Path(name)
        if "--check" not in sys.argv:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            wrong.append(name)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
