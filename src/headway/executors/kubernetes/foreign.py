"""The pod of a task whose image has nothing of Headway: the author's container, and an agent beside it. Pure.

Rule 1: the author's container has the author's words and nothing of ours but two folders and what tasks are told: no
token, no address of the scheduler or of the API server.
Rule 2: it begins when the agent has the grant (the startup probe), and lives as long as the agent says (the liveness
probe, which the kubelet asks for at the address of the pod): nothing else may end it on a node that nobody reaches.
Rule 3: no secret is in this object: ``spec.container_tasks`` refuses what could be one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from headway.agent.protocol import AttemptKey
from headway.core.pod_templates import NoValue, facts_of, filled
from headway.executors.kubernetes.final import Denied, Manifest
from headway.executors.kubernetes.manifest import container_of, laid_out, security
from headway.executors.kubernetes.names import COMPONENT, CONTAINER_TASK, pod_name
from headway.executors.kubernetes.settings import Settings
from headway.spec.carried import TAG
from headway.spec.container_tasks import said
from headway.spec.model import Dag, Task
from headway.store.runs import Claimed

SIDECAR: Final = "headway-agent"
API: Final = "/headway/api"
FILES: Final = "/headway/files"
GRANTED: Final = "/headway/data/container/granted"
PORT: Final = 15399
GRACE_S: Final = (
    45  # of the pod: the container's own time to end, and the agent's for what is left to report
)
KILL_GRACE_S: Final = (
    3  # SIGTERM, then SIGKILL, once the agent says that the container may not live
)
FAILURES: Final = 3  # seconds for which an agent may be away: it is started again in less
API_TOKEN_S: Final = 3600
FILES_SIZE: Final = "32Mi"  # more than the files may have (``authoring.containers.files``)
EXISTS: Final = "import os, sys; sys.exit(not os.path.exists(sys.argv[1]))"
Words = Mapping[str, Any]


def told(dag: Dag, task: Task, key: AttemptKey, row: Claimed) -> Manifest:
    """Return command, args and env of an attempt's container. Raises Denied for what has no value in its run."""
    if task.arguments is None:  # the image's own command would run in place of the author's
        raise Denied(
            "this version of the DAG does not know its command: its file has too many arguments"
        )
    params = restored(dag, msgspec.json.decode(row.params))
    facts = facts_of(
        dag_id=row.dag_id,
        run_id=key.run_id,
        task_id=key.task_id,
        map_index=key.map_index,
        try_number=key.number,
        logical_date=row.logical_date,
        interval=(row.interval_start, row.interval_end),
        partition=row.partition,
        params=params,
    )
    given = said(task, key.map_index)
    try:
        found: Manifest = {
            word: [text_of(each, facts) for each in given[word]]
            for word in ("command", "args")
            if given.get(word)
        }
        env = {name: text_of(each, facts) for name, each in (given.get("env") or {}).items()}
    except NoValue as error:
        raise Denied(str(error)) from None
    ours = {
        "HEADWAY_FILES": FILES,
        "HEADWAY_DAG_ID": row.dag_id,
        "HEADWAY_RUN_ID": key.run_id,
        "HEADWAY_TASK_ID": key.task_id,
        "HEADWAY_MAP_INDEX": str(key.map_index),
        "HEADWAY_TRY_NUMBER": str(key.number),
        "HEADWAY_LOGICAL_DATE": facts["ts"],
        "HEADWAY_DATA_INTERVAL_START": row.interval_start.isoformat(),
        "HEADWAY_DATA_INTERVAL_END": row.interval_end.isoformat(),
    }
    every = {"HOME": "/tmp", **{name: literal(value) for name, value in ours.items()}, **env}
    return {**found, "env": [{"name": name, "value": value} for name, value in every.items()]}


def restored(dag: Dag, params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters as tasks have them: times are such again."""
    times = {each.name for each in dag.params if each.format == "date-time"}
    return {
        name: datetime.fromisoformat(value) if name in times and isinstance(value, str) else value
        for name, value in params.items()
    }


def text_of(given: Any, facts: Words) -> str:
    if isinstance(given, Mapping) and given.get(TAG) == "param":
        given = f"{{{{ params['{given['name']}'] }}}}"
    if isinstance(given, Mapping):  # refused when the file was loaded
        raise NoValue("a part of its command is not text")
    if not isinstance(given, str):
        return str(given)
    return filled(given, facts, literal)


def literal(value: str) -> str:
    """Return a value that Kubernetes leaves as it is: in texts of authors ``$(NAME)`` is a variable."""
    return value.replace("$", "$$")


def beside(
    settings: Settings, team: str, dag_id: str, key: AttemptKey, words: Manifest
) -> Manifest:
    """Return Headway's part of the pod, with the words of the author's container."""
    container = {
        **words,
        "volumeMounts": [
            {"name": "headway-files", "mountPath": FILES, "readOnly": True},
            {"name": "headway-task-tmp", "mountPath": "/tmp"},
        ],
        "securityContext": security(),
        "livenessProbe": {
            "httpGet": {"path": "/", "port": PORT, "scheme": "HTTP"},
            "periodSeconds": 1,
            "timeoutSeconds": 1,
            "failureThreshold": FAILURES,
            "terminationGracePeriodSeconds": KILL_GRACE_S,
        },
    }
    found = laid_out(settings, team, dag_id, key, container)
    found["metadata"]["labels"][COMPONENT] = CONTAINER_TASK
    spec = found["spec"]
    spec |= {
        "initContainers": [sidecar(settings, team, key)],
        "terminationGracePeriodSeconds": GRACE_S,
        "volumes": [
            *spec["volumes"],
            {"name": "headway-task-tmp", "emptyDir": {}},
            {"name": "headway-files", "emptyDir": {"medium": "Memory", "sizeLimit": FILES_SIZE}},
            {"name": "headway-api", "projected": {"sources": api_access()}},
        ],
    }
    return found


def sidecar(settings: Settings, team: str, key: AttemptKey) -> Manifest:
    name = pod_name(settings, team, key)
    agent = container_of(
        settings,
        settings.sidecar_command,
        {
            "attempt": msgspec.json.encode(key).decode(),
            "name": name,
            "port": str(PORT),
            "api": API,
            "files": FILES,
            "pending_s": f"{settings.pending_deadline_s:g}",
        },
        {"uid": "metadata.uid", "namespace": "metadata.namespace", "ip": "status.podIP"},
    )
    resources = dict(settings.sidecar_resources)
    asks = [settings.sidecar_command[0], "-ISc", EXISTS, GRANTED]
    return {
        "name": SIDECAR,
        "image": settings.image,
        "restartPolicy": "Always",
        "resources": {"requests": resources, "limits": resources},
        **agent,
        "volumeMounts": [
            *agent["volumeMounts"],
            {"name": "headway-files", "mountPath": FILES},
            {"name": "headway-api", "mountPath": API, "readOnly": True},
        ],
        "startupProbe": {
            "exec": {"command": asks},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 3600,
        },
    }


def api_access() -> list[Manifest]:
    """Return the sources of a folder that a client of the API server needs: a token for it, and whom to trust."""
    ca = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    return [
        {"serviceAccountToken": {"expirationSeconds": API_TOKEN_S, "path": "token"}},
        {"configMap": ca},
    ]
