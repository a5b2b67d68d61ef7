"""A PostgreSQL of the install's own, as objects of the operator CloudNativePG: cluster, pooler, backups. Pure.

The field names are those of CloudNativePG 1.30 and its plugin Barman Cloud. An install whose database is given has none
of them.
"""

from typing import Any, Final

from headway.executors.kubernetes.install import NAME, Install
from headway.executors.kubernetes.objects import Object

GROUP: Final = "postgresql.cnpg.io/v1"
PLUGIN: Final = "barman-cloud.cloudnative-pg.io"
CLUSTER: Final = f"{NAME}-db"
POOLER: Final = f"{CLUSTER}-pooler"
LOGIN: Final = f"{CLUSTER}-login"  # secrets: of the owner, and of the API
API_LOGIN: Final = f"{CLUSTER}-api"
PORT: Final = 5432
STATUS_PORT: Final = 8000  # of the operator
POOLERS: Final = 2
CLIENTS_MAX: Final = 1_000
AT: Final = "0 37 0 * * *"  # with seconds
# What an administrator of a server of one's own runs (docs/operating.md).
ROLES: Final = (
    "CREATE ROLE headway_engine NOLOGIN NOINHERIT NOBYPASSRLS",
    "CREATE ROLE headway_app NOLOGIN NOINHERIT NOBYPASSRLS",
    f"GRANT headway_engine, headway_app TO {NAME}",
    f"ALTER ROLE {NAME} CREATEDB",
)
REQUESTS: Final = {"cpu": "1", "memory": "2Gi"}
LIMITS: Final = {"memory": "4Gi"}


def objects(install: Install) -> list[Object]:
    """Return the objects of the database, none where it is given."""
    if install.database_instances == 0:
        return []
    archive = [] if install.wal_store is None else [store(install, install.wal_store), backup()]
    return [cluster(install), pooler(), policy(), *archive]


def cluster(install: Install) -> Object:
    """Return the instances. A commit is acknowledged when another instance has it, too."""
    storage: Object = {"size": install.database_storage}
    if install.storage_class is not None:
        storage["storageClass"] = install.storage_class
    login = {"name": "headway_api", "ensure": "present", "login": True, "inherit": False}
    spec: Object = {
        "instances": install.database_instances,
        "storage": storage,
        "resources": {"requests": dict(REQUESTS), "limits": dict(LIMITS)},
        "bootstrap": {
            "initdb": {
                "database": NAME,
                "owner": NAME,
                "secret": {"name": LOGIN},
                "postInitSQL": list(ROLES),
                "postInitApplicationSQL": [f"REVOKE TEMPORARY ON DATABASE {NAME} FROM PUBLIC"],
            }
        },
        "managed": {
            "roles": [{**login, "inRoles": ["headway_app"], "passwordSecret": {"name": API_LOGIN}}]
        },
        "postgresql": {"synchronous": {"method": "any", "number": 1, "dataDurability": "required"}},
        "affinity": {
            "podAntiAffinityType": "preferred",
            "topologyKey": "kubernetes.io/hostname",
        },
    }
    if install.wal_store is not None:
        archiver: dict[str, Any] = {"name": PLUGIN, "isWALArchiver": True}
        spec["plugins"] = [{**archiver, "parameters": {"barmanObjectName": CLUSTER}}]
    return made(GROUP, "Cluster", CLUSTER, spec)


def pooler() -> Object:
    """Return what schedulers, loaders and API servers connect to; they listen directly (``listen_address``)."""
    bouncer = {"poolMode": "transaction", "parameters": {"max_client_conn": str(CLIENTS_MAX)}}
    spec = {"cluster": {"name": CLUSTER}, "instances": POOLERS, "type": "rw", "pgbouncer": bouncer}
    return made(GROUP, "Pooler", POOLER, spec)


def store(install: Install, url: str) -> Object:
    """Return where the write-ahead log and base backups go."""
    keys = (("accessKeyId", "AWS_ACCESS_KEY_ID"), ("secretAccessKey", "AWS_SECRET_ACCESS_KEY"))
    configuration: Object = {
        "destinationPath": url,
        "s3Credentials": {
            word: {"name": install.wal_store_secret, "key": key} for word, key in keys
        },
        "wal": {"compression": "gzip"},
        "data": {"compression": "gzip"},
    }
    if install.wal_endpoint is not None:
        configuration["endpointURL"] = install.wal_endpoint
    spec = {"configuration": configuration, "retentionPolicy": "14d"}
    return made("barmancloud.cnpg.io/v1", "ObjectStore", CLUSTER, spec)


def backup() -> Object:
    spec = {
        "schedule": AT,
        "cluster": {"name": CLUSTER},
        "backupOwnerReference": "self",
        "immediate": True,
        "method": "plugin",
        "pluginConfiguration": {"name": PLUGIN},
    }
    return made(GROUP, "ScheduledBackup", CLUSTER, spec)


def policy() -> Object:
    """Return who may connect: components of the install, instances and poolers, and the operator for their status."""
    peers: list[Object] = [
        {"podSelector": {"matchLabels": {"app.kubernetes.io/name": NAME}}},
        {"podSelector": {"matchLabels": {"cnpg.io/cluster": CLUSTER}}},
    ]
    rules = [
        {"from": peers, "ports": [{"port": PORT, "protocol": "TCP"}]},
        {"ports": [{"port": STATUS_PORT, "protocol": "TCP"}]},
    ]
    spec = {
        "podSelector": {"matchLabels": {"cnpg.io/cluster": CLUSTER}},
        "policyTypes": ["Ingress"],
        "ingress": rules,
    }
    return made("networking.k8s.io/v1", "NetworkPolicy", CLUSTER, spec)


def made(version: str, kind: str, name: str, spec: Object) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
