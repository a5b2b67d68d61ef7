"""The workloads of an install: API servers, schedulers, loaders, shipper, agents of each team, and backups. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from headway.executors.kubernetes.install import (
    AGENTS_PORT,
    API_PORT,
    CERTIFICATE,
    CONFIG,
    HEALTH_PORT,
    NAME,
    PODS_PORT,
    Install,
    agents_policy,
    selector,
    to_schedulers,
)
from headway.executors.kubernetes.names import namespace_of
from headway.executors.kubernetes.objects import Object
from headway.executors.kubernetes.tickets import FOLDER, source, variables

DATA: Final = "/data"
TOKEN: Final = "/etc/headway-agent"
SIGN_IN: Final = "/etc/headway-sign-in"
UID: Final = 1000
REQUESTS: Final = {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "100Mi"}
BACKUP_AT: Final = "17 1 * * *"  # by the clock of the cluster
DRILL_AT: Final = "17 4 * * 0"
LIMITS: Final = {"memory": "2Gi", "ephemeral-storage": "1Gi"}

Place = tuple[Object, Object]  # a volume, and where it is mounted


def deployments(install: Install) -> list[Object]:
    """Return those of the namespace of the install."""
    return [
        api(install),
        scheduler(install),
        *(loader(install, team) for team in install.teams),
        *([] if install.log_store is None else [shipper(install)]),
    ]


def api(install: Install) -> Object:
    command = ["api", "--host", "0.0.0.0", "--port", str(API_PORT), "--dags", "/dags"]
    command += ["--api-rate", str(install.api_rate)]
    told = {} if install.host is None else {"HEADWAY_PUBLIC_URL": f"https://{install.host}"}
    places = [*shared(), *sign_in(install)]
    if install.sign_in_secret is not None:
        told["HEADWAY_SIGN_IN"] = f"{SIGN_IN}/sign-in.toml"
    if install.trusted_proxies is not None:
        told["HEADWAY_TRUSTED_PROXIES"] = install.trusted_proxies
    own = secret("HEADWAY_API_DATABASE_URL", install.database_secret, "api-url", optional=True)
    told |= kept(install)
    env = [*database(install), own, *keys(install), *logs(install), *plain(told)]
    found = container("api", install, command, env, places)
    found["ports"] = [{"name": "api", "containerPort": API_PORT}]
    found |= probes(API_PORT)
    return deployment("api", install, found, places, replicas=install.api)


def scheduler(install: Install) -> Object:
    listening = f"tls://0.0.0.0:{AGENTS_PORT}"
    files = ["--certificate", f"{CERTIFICATE}/tls.crt", "--key", f"{CERTIFICATE}/tls.key"]
    command = [
        *("scheduler", "--agents", listening, *files),
        *("--slots", str(install.slots), "--health-port", str(HEALTH_PORT)),
    ]
    secret = {"secretName": install.gateway_secret, "defaultMode": 0o440}
    places = [
        *shared(),
        place("config", CONFIG, read_only=True, configMap={"name": NAME}),
        place("gateway", CERTIFICATE, read_only=True, secret=secret),
    ]
    told = {
        "HEADWAY_KUBERNETES": f"{CONFIG}/kubernetes.yaml",
        "HEADWAY_CANARY_S": str(install.canary_seconds),
    }
    if install.log_store is not None:  # it ships nothing itself
        told["HEADWAY_LOG_STORE"] = install.log_store
    if install.webhook_networks is not None:
        told["HEADWAY_WEBHOOK_NETWORKS"] = install.webhook_networks
    told |= kept(install)
    env = [*database(install), *keys(install), *plain(told)]
    found = container("scheduler", install, command, env, places)
    found["ports"] = [
        {"name": "pods", "containerPort": PODS_PORT},
        {"name": "agents", "containerPort": AGENTS_PORT},
        {"name": "health", "containerPort": HEALTH_PORT},
    ]
    found |= probes(HEALTH_PORT)
    return deployment("scheduler", install, found, places, replicas=install.schedulers)


def kept(install: Install) -> dict[str, str]:
    """Return for how many days runs, logs and the audit are kept, where that is said.

    Schedulers remove what is older. The API says so, and takes no older runs of Airflow.
    """
    days = {
        "HEADWAY_RETENTION_DAYS": install.retention_days,
        "HEADWAY_LOG_DAYS": install.log_days,
        "HEADWAY_LOG_LOCAL_DAYS": install.log_local_days,
        "HEADWAY_AUDIT_DAYS": install.audit_days,
    }
    return {name: str(number) for name, number in days.items() if number is not None}


def loader(install: Install, team: str) -> Object:
    command = [
        "loader",
        "--team",
        team,
        "--dags",
        f"/dags/{team}",
        "--health-port",
        str(HEALTH_PORT),
    ]
    places = shared()
    if install.dags_claim is not None:
        source = {"claimName": install.dags_claim, "readOnly": True}
        places.append(place("dags", "/dags", read_only=True, persistentVolumeClaim=source))
    found = container("loader", install, command, database(install), places)
    found["ports"] = [{"name": "health", "containerPort": HEALTH_PORT}]
    found |= probes(HEALTH_PORT)
    name = namespace_of(install.settings, team).removeprefix(f"{install.namespace}-")
    one = deployment("loader", install, found, places, replicas=1, name=f"loader-{name}")
    one["spec"]["strategy"] = {"type": "Recreate"}
    one["spec"]["template"]["spec"]["initContainers"] = [preparing(install, (team,))]
    labels = {**selector("loader"), "headway.dev/team-loader": name}
    one["spec"]["selector"] = {"matchLabels": labels}
    one["spec"]["template"]["metadata"]["labels"] = labels
    return one


def shipper(install: Install) -> Object:
    places = shared()
    env = [*plain({"HEADWAY_DATA": DATA}), *logs(install)]
    command = ["shipper", "--health-port", str(HEALTH_PORT)]
    found = container("shipper", install, command, env, places)
    found["ports"] = [{"name": "health", "containerPort": HEALTH_PORT}]
    found |= probes(HEALTH_PORT)
    one = deployment("shipper", install, found, places, replicas=1, account="loader")
    one["spec"]["strategy"] = {"type": "Recreate"}
    return one


def cron_jobs(install: Install) -> list[Object]:
    """Return what makes a backup each night, and tries each week whether the newest one can be restored."""
    if install.backup_store is None:
        return []
    env = [*database(install), *backup_store(install.backup_store, install.backup_store_secret)]
    if install.log_store is not None:  # which has the logs
        env += plain({"HEADWAY_LOG_STORE": install.log_store})
    return [
        cron_job("backup", BACKUP_AT, ["backup", "--keep", str(install.backups)], install, env),
        cron_job("drill", DRILL_AT, ["restore", "--drill"], install, env),
    ]


def cron_job(name: str, at: str, command: list[str], install: Install, env: list[Object]) -> Object:
    places = shared()
    spec = pod("loader", container(name, install, command, env, places), places)
    spec["restartPolicy"] = "Never"
    template = {"metadata": {"labels": selector("backup")}, "spec": spec}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": f"{NAME}-{name}", "labels": selector("backup")},
        "spec": {
            "schedule": at,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {"spec": {"backoffLimit": 2, "template": template}},
        },
    }


def agents(install: Install) -> list[Object]:
    """Return the agents of each team, with their triggerers, in its namespace: its quota counts them."""
    made: list[Object] = []
    if install.agents == 0:
        return made
    for team in install.teams:
        server = f"{install.gateway}:{AGENTS_PORT}"
        one = agent(install, server, install.settings.service_account)
        for each in (one, agents_policy(install, to_schedulers(install))):
            each["metadata"]["namespace"] = namespace_of(install.settings, team)
            made.append(each)
    return made


def agent(install: Install, server: str, account: str) -> Object:
    """Return agents that connect to ``server``, with the token of one team."""
    secret = {"secretName": install.agent_secret, "defaultMode": 0o440}
    places = [
        place("data", DATA, emptyDir={}),
        place("tmp", "/tmp", emptyDir={}),
        place("token", TOKEN, read_only=True, secret=secret),
    ]
    to = ["--server", f"tls://{server}", "--ca", f"{TOKEN}/ca.crt"]
    command = [
        *("agent", *to, "--token-file", f"{TOKEN}/token", "--data", DATA),
        *("--slots", str(install.agent_slots), "--health-port", str(HEALTH_PORT)),
        *(f"--queue={queue}" for queue in install.agent_queues),
    ]
    told = {"HOME": "/tmp"}
    if install.keytab_secret is not None:
        places.append(place("tickets", FOLDER, read_only=True, **source()))
        told |= variables()
    found = container("agent", install, command, plain(told), places)
    found["ports"] = [{"name": "health", "containerPort": HEALTH_PORT}]
    found["resources"]["limits"] = {**REQUESTS, "cpu": "2", "memory": "4Gi"}
    found |= probes(HEALTH_PORT)
    one = deployment("agent", install, found, places, replicas=install.agents)
    pod = one["spec"]["template"]["spec"]
    pod["serviceAccountName"] = account
    pod["automountServiceAccountToken"] = False
    return one


# -- a pod


def deployment(
    component: str,
    install: Install,
    container: Object,
    places: list[Place],
    *,
    replicas: int,
    name: str | None = None,
    account: str | None = None,
) -> Object:
    labels = selector(component)
    spec = pod(account or component, container, places)
    spec["affinity"] = apart(labels)
    if component in ("api", "scheduler"):
        spec["initContainers"] = [preparing(install, install.teams)]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{NAME}-{name or component}", "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def pod(account: str, container: Object, places: list[Place]) -> Object:
    return {
        "serviceAccountName": f"{NAME}-{account}",
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": UID,
            "fsGroup": UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [volume for volume, _ in places],
    }


def apart(labels: Mapping[str, str]) -> Object:
    """Spread those of a kind over nodes, where there are several."""
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def preparing(install: Install, teams: Sequence[str]) -> Object:
    """Make what all components need, before any of them: the first that comes does it."""
    named = [f"--create-team={team}" for team in teams]
    env = [*database(install), *keys(install)]
    return container("prepare", install, ["migrate", "--prepare", *named], env, shared())


def container(
    name: str, install: Install, command: list[str], env: list[Object], places: list[Place]
) -> Object:
    return {
        "name": name,
        "image": install.image,
        "command": ["headway", *command],
        "env": env,
        "resources": {"requests": dict(REQUESTS), "limits": dict(LIMITS)},
        "volumeMounts": [mount for _, mount in places],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def probes(port: int) -> Object:
    """Ask the process itself. Whether everything else is there is no reason to restart it."""

    def probe(period_s: int, failures: int) -> Object:
        get = {"path": "/healthz", "port": port}
        return {"httpGet": get, "periodSeconds": period_s, "failureThreshold": failures}

    return {
        "startupProbe": probe(5, 60),
        "livenessProbe": probe(10, 6),
        "readinessProbe": probe(5, 3),
    }


def shared() -> list[Place]:
    """Return the data directory, which all components share, and a place for drafts."""
    return [
        place("data", DATA, persistentVolumeClaim={"claimName": f"{NAME}-data"}),
        place("tmp", "/tmp", emptyDir={}),
    ]


def sign_in(install: Install) -> list[Place]:
    if install.sign_in_secret is None:
        return []
    secret = {"secretName": install.sign_in_secret, "defaultMode": 0o440}
    return [place("sign-in", SIGN_IN, read_only=True, secret=secret)]


def place(name: str, path: str, *, read_only: bool = False, **source: Any) -> Place:
    mount: Object = {"name": name, "mountPath": path}
    return {"name": name, **source}, {**mount, "readOnly": True} if read_only else mount


# -- its environment


def plain(told: Mapping[str, str]) -> list[Object]:
    return [{"name": name, "value": value} for name, value in told.items()]


def secret(name: str, of: str, key: str, **more: bool) -> Object:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": of, "key": key, **more}}}


def database(install: Install) -> list[Object]:
    told = {"HEADWAY_DATA": DATA, "HEADWAY_INSTALL": install.namespace, "HOME": "/tmp"}
    if install.listen_address is not None:
        told["HEADWAY_LISTEN_ADDRESS"] = install.listen_address
    return [
        *plain(told),
        secret("HEADWAY_DATABASE_URL", install.database_secret, "url"),
    ]


def keys(install: Install) -> list[Object]:
    return [secret("HEADWAY_SECRETS_KEY", install.keys_secret, "keys", optional=True)]


def logs(install: Install) -> list[Object]:
    if install.log_store is None:
        return []
    return [
        *plain({"HEADWAY_LOG_STORE": install.log_store}),
        *credentials(install.log_store_secret),
    ]


def backup_store(url: str, secret: str) -> list[Object]:
    return [*plain({"HEADWAY_BACKUP_STORE": url}), *credentials(secret)]


def credentials(of: str) -> list[Object]:
    """Return the variables of a store in S3."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_REGION")
    return [secret(name, of, name, optional=True) for name in names]
