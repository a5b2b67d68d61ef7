"""What the fake API server demands of an object: names, limit ranges, and quotas, which are counted and enforced."""

import re
from decimal import Decimal
from typing import Any, Final

from tests.kubernetes.fake.amounts import amount, cost, plain
from tests.kubernetes.fake.kinds import (
    ACCOUNT,
    BINDING,
    LIMITS,
    NAMESPACE,
    POD,
    POLICY,
    QUOTA,
    ROLE,
    Kind,
)
from tests.kubernetes.fake.status import Refused, invalid
from tests.kubernetes.fake.store import Object, Store

NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
LABEL: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")


def check(kind: Kind, given: Object, known: Object | None = None) -> None:
    """``known``: the object that it replaces. Raises Refused (422)."""
    meta = given.get("metadata", {})
    name = str(meta.get("name", ""))
    if not meta.get("generateName") and not NAME.fullmatch(name):
        why = "metadata.name: Invalid value: a lowercase RFC 1123 subdomain must consist of lower case characters"
        raise invalid(kind.kind, name, why)
    for label in meta.get("labels", {}).values():
        if not isinstance(label, str) or not LABEL.fullmatch(label):
            raise invalid(kind.kind, name, f"metadata.labels: Invalid value: {label!r}")
    if kind is POD:
        check_pod(name, given.get("spec") or {})
    if kind in (ROLE, BINDING):
        check_access(kind, name, given, known)
    if kind is POLICY:
        check_policy(name, given.get("spec") or {})
    if kind in (QUOTA, LIMITS):
        check_amounts(kind, name, given.get("spec") or {})


def check_access(kind: Kind, name: str, given: Object, known: Object | None) -> None:
    for number, rule in enumerate(given.get("rules", ())):
        for part in ("verbs", "apiGroups", "resources"):
            if not rule.get(part):
                raise invalid(kind.kind, name, f"rules[{number}].{part}: Required value")
    if kind is BINDING:
        if not given.get("roleRef", {}).get("name"):
            raise invalid(kind.kind, name, "roleRef.name: Required value")
        if known is not None and known["roleRef"] != given["roleRef"]:
            raise invalid(kind.kind, name, "roleRef: Invalid value: cannot change roleRef")


def check_policy(name: str, spec: dict[str, Any]) -> None:
    if "podSelector" not in spec:
        raise invalid("NetworkPolicy", name, "spec.podSelector: Required value")
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for number, rule in enumerate(spec.get(side, ())):
            for peer in rule.get(peers, ()):
                if not isinstance(peer, dict) or not peer:
                    where = f"spec.{side}[{number}].{peers}"
                    raise invalid("NetworkPolicy", name, f"{where}: must specify a peer")


def check_amounts(kind: Kind, name: str, spec: dict[str, Any]) -> None:
    sides = ("default", "defaultRequest", "min", "max")
    ranges = [each.get(side, {}) for each in spec.get("limits", ()) for side in sides]
    for amounts in (spec.get("hard", {}), *ranges):
        for value in amounts.values():
            try:
                amount(value)
            except ValueError as error:
                raise invalid(kind.kind, name, f"spec: Invalid value: {error}") from None


def check_pod(name: str, spec: dict[str, Any]) -> None:
    if not spec.get("containers"):
        raise invalid("Pod", name, "spec.containers: Required value")
    volumes = {volume.get("name") for volume in spec.get("volumes", [])}
    parts = [(f"spec.containers[{n}]", each) for n, each in enumerate(spec["containers"])]
    first = enumerate(spec.get("initContainers", ()))
    parts += [(f"spec.initContainers[{n}]", each) for n, each in first]
    for where, container in parts:
        if not container.get("image"):
            raise invalid("Pod", name, f"{where}.image: Required value")
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                raise invalid("Pod", name, f'{where}.volumeMounts: Not found: "{mount["name"]}"')
        resources = container.get("resources", {})
        try:
            for side in ("requests", "limits"):
                for value in resources.get(side, {}).values():
                    amount(value)
            for what, limit in resources.get("limits", {}).items():
                if amount(resources.get("requests", {}).get(what, 0)) > amount(limit):
                    raise invalid(
                        "Pod",
                        name,
                        f"{where}.resources.requests: must be less than or equal to {what} limit",
                    )
        except ValueError as error:
            raise invalid("Pod", name, f"{where}.resources: {error}") from None


def admit(store: Store, pod: Object) -> None:
    """Fill in what the namespace says of pods, and refuse what its quota has no room for."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"].get("name", "")
    pod["spec"].setdefault("serviceAccountName", "default")
    account = (ACCOUNT.plural, namespace, pod["spec"]["serviceAccountName"])
    if (NAMESPACE.plural, "", namespace) in store.objects and account not in store.objects:
        who = pod["spec"]["serviceAccountName"]
        why = f'pods "{name}" is forbidden: error looking up service account {namespace}/{who}: '
        raise Refused(403, "Forbidden", f'{why}serviceaccount "{who}" not found')
    apply_limits(store, namespace, pod)
    zero = Decimal(0)
    for quota in store.every(QUOTA, namespace)[0]:
        used, asked = store.used.of(namespace), cost(pod)
        for what in quota["spec"].get("hard", {}):
            if counts(what) and what != "pods" and what not in asked:
                why = f'pods "{name}" is forbidden: failed quota: {quota["metadata"]["name"]}: must specify {what}'
                raise Refused(403, "Forbidden", why)
        over = [
            (what, plain(asked.get(what, zero)), plain(used.get(what, zero)), hard)
            for what, hard in quota["spec"].get("hard", {}).items()
            if asked.get(what, zero) and used.get(what, zero) + asked.get(what, zero) > amount(hard)
        ]
        if over:
            sides = [",".join(f"{each[0]}={each[n]}" for each in over) for n in (1, 2, 3)]
            why = (
                f'pods "{name}" is forbidden: exceeded quota: {quota["metadata"]["name"]}, '
                f"requested: {sides[0]}, used: {sides[1]}, limited: {sides[2]}"
            )
            raise Refused(403, "Forbidden", why)


def apply_limits(store: Store, namespace: str, pod: Object) -> None:
    for limits in store.every(LIMITS, namespace)[0]:
        for each in limits["spec"].get("limits", []):
            if each.get("type") != "Container":
                continue
            for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]:
                resources = container.setdefault("resources", {})
                for side, default in (("limits", "default"), ("requests", "defaultRequest")):
                    resources[side] = {**each.get(default, {}), **resources.get(side, {})}


def counts(what: str) -> bool:
    return what == "pods" or what.startswith(("requests.", "limits.")) or what in ("cpu", "memory")


def counted(store: Store, quota: Object) -> Object:
    """Return the status of a quota, as its controller counts it."""
    hard = quota.get("spec", {}).get("hard", {})
    used = store.used.of(quota["metadata"]["namespace"])
    return {"hard": hard, "used": {what: plain(used.get(what, Decimal(0))) for what in hard}}
