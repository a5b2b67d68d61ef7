"""Roles in the namespace of a team, as objects. Pure."""

from typing import Any, Final

Object = dict[str, Any]

RBAC: Final = "rbac.authorization.k8s.io"


def role_of(name: str, rules: list[Object], account: str, namespace: str) -> list[Object]:
    """Return a role and its binding. ``namespace``: of the account; empty: that of the team."""
    role = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": name},
        "rules": rules,
    }
    binding = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name},
    }
    return [role, binding]
