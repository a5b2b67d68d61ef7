"""The door of the API server inside of the cluster: who asks shows a token, and may do what roles say."""

from typing import Any, Final

from tests.kubernetes.fake.kinds import BINDING, ROLE
from tests.kubernetes.fake.status import Refused
from tests.kubernetes.fake.store import Store
from tests.kubernetes.fake.tokens import Issued, Tokens

VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
AUDIENCE: Final = "api"


def check(tokens: Tokens, store: Store, headers: dict[str, str], method: str, target: Any) -> None:
    """Raise Refused (401, 403) where the token of the request does not allow it."""
    token = headers.get("authorization", "").removeprefix("Bearer ")
    found = tokens.issued.get(token)
    if found is None or AUDIENCE not in found.audiences or not tokens.is_there(found):
        raise Refused(401, "Unauthorized", "Unauthorized")
    verb = VERBS.get(method) or ("get" if target.name else "list")
    resource = target.kind.plural + (f"/{target.sub}" if target.sub else "")
    asked = (target.kind.group, resource, verb)
    if not allows(store, found, target.namespace, asked, target.name):
        who = f"system:serviceaccount:{found.namespace}:{found.account}"
        why = (
            f'{target.kind.plural} "{target.name}" is forbidden: User "{who}" cannot {verb} resource '
            f'"{resource}" in API group "{target.kind.group}" in the namespace "{target.namespace}"'
        )
        raise Refused(403, "Forbidden", why)


def allows(
    store: Store, who: Issued, namespace: str, asked: tuple[str, str, str], name: str
) -> bool:
    for binding in store.every(BINDING, namespace)[0] if namespace else ():
        subjects = [
            (each["kind"], each.get("namespace"), each["name"]) for each in binding["subjects"]
        ]
        if ("ServiceAccount", who.namespace, who.account) not in subjects:
            continue
        for rule in store.get(ROLE, namespace, binding["roleRef"]["name"]).get("rules", ()):
            parts = (rule["apiGroups"], rule["resources"], rule["verbs"])
            names = rule.get("resourceNames")
            if names is not None and name not in names:
                continue
            if all(wanted in given for given, wanted in zip(parts, asked, strict=True)):
                return True
    return False
