"""The resources that the fake serves."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


KINDS: Final = (
    Kind("", "v1", "namespaces", "Namespace", namespaced=False),
    Kind("", "v1", "nodes", "Node", namespaced=False),
    Kind("", "v1", "pods", "Pod"),
    Kind("", "v1", "events", "Event"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount"),
    Kind("", "v1", "resourcequotas", "ResourceQuota"),
    Kind("", "v1", "limitranges", "LimitRange"),
    Kind("", "v1", "configmaps", "ConfigMap"),
    Kind("", "v1", "secrets", "Secret"),
    Kind("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    Kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    Kind("apps", "v1", "deployments", "Deployment"),
    Kind("coordination.k8s.io", "v1", "leases", "Lease"),
)
BY_PATH: Final = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}
BY_PLURAL: Final = {kind.plural: kind for kind in KINDS}
POD: Final = BY_PATH["", "v1", "pods"]
CONFIG: Final = BY_PATH["", "v1", "configmaps"]
SECRET: Final = BY_PATH["", "v1", "secrets"]
EVENT: Final = BY_PATH["", "v1", "events"]
DEPLOYMENT: Final = BY_PATH["apps", "v1", "deployments"]
NAMESPACE: Final = BY_PATH["", "v1", "namespaces"]
QUOTA: Final = BY_PATH["", "v1", "resourcequotas"]
LIMITS: Final = BY_PATH["", "v1", "limitranges"]
ACCOUNT: Final = BY_PATH["", "v1", "serviceaccounts"]
ROLE: Final = BY_PATH["rbac.authorization.k8s.io", "v1", "roles"]
BINDING: Final = BY_PATH["rbac.authorization.k8s.io", "v1", "rolebindings"]
POLICY: Final = BY_PATH["networking.k8s.io", "v1", "networkpolicies"]
