"""What nobody who writes DAGs may get into a pod, each as an overlay that asks for it."""

from typing import Any, Final

CONTAINER: Final = "task"


def spec(**fields: Any) -> dict[str, Any]:
    return {"spec": fields}


def in_task(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": CONTAINER, **fields}]}}


def meta(**fields: Any) -> dict[str, Any]:
    return {"metadata": fields}


def volume(**source: Any) -> dict[str, Any]:
    return {"spec": {"volumes": [{"name": "x", **source}]}}


def mount(path: str, name: str = "x", **more: Any) -> dict[str, Any]:
    overlay = in_task(volumeMounts=[{"name": name, "mountPath": path, **more}])
    overlay["spec"]["volumes"] = [{"name": "x", "emptyDir": {}}]
    return overlay


def tolerates(**taint: Any) -> dict[str, Any]:
    return spec(tolerations=[taint])


TOKEN: Final = {"serviceAccountToken": {"path": "t", "audience": "headway"}}
OVERLAYS: Final[dict[str, dict[str, Any]]] = {
    "namespace": meta(namespace="kube-system"),
    "name": meta(name="another"),
    "generated name": meta(generateName="another-"),
    "owner": meta(ownerReferences=[{"kind": "Node", "name": "n", "uid": "u", "apiVersion": "v1"}]),
    "finalizer": meta(finalizers=["a/b"]),
    "label of Headway": meta(labels={"headway.dev/team": "rivals"}),
    "other label of Headway": meta(labels={"headway.dev/more": "x"}),
    "label below Headway": meta(labels={"x.headway.dev/a": "x"}),
    "managed by": meta(labels={"app.kubernetes.io/managed-by": "me"}),
    "annotation of Headway": meta(annotations={"headway.dev/task-id": "other"}),
    "safe to evict": meta(annotations={"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}),
    "AppArmor": meta(
        annotations={"container.apparmor.security.beta.kubernetes.io/task": "unconfined"}
    ),
    "role by annotation": meta(annotations={"iam.amazonaws.com/role": "admin"}),
    "network by annotation": meta(annotations={"k8s.v1.cni.cncf.io/networks": "hosts"}),
    "mesh by annotation": meta(annotations={"sidecar.istio.io/inject": "false"}),
    "mesh of Kuma": meta(labels={"kuma.io/sidecar-injection": "disabled"}),
    "mesh of Consul": meta(annotations={"consul.hashicorp.com/connect-inject": "false"}),
    "another address": meta(annotations={"cni.projectcalico.org/ipAddrs": '["10.1.2.3"]'}),
    "another network": meta(annotations={"networking.gke.io/interfaces": "[]"}),
    "service account": spec(serviceAccountName="admin"),
    "service account, old": spec(serviceAccount="admin"),
    "token": spec(automountServiceAccountToken=True),
    "host network": spec(hostNetwork=True),
    "host processes": spec(hostPID=True),
    "host IPC": spec(hostIPC=True),
    "host users": spec(hostUsers=True),
    "shared processes": spec(shareProcessNamespace=True),
    "node": spec(nodeName="node-1"),
    "pod security": spec(securityContext={"runAsUser": 0, "runAsNonRoot": False}),
    "other scheduler": spec(schedulerName="mine"),
    "runtime class": spec(runtimeClassName="weak"),
    "restart": spec(restartPolicy="Always"),
    "no end": spec(terminationGracePeriodSeconds=86_400),
    "deadline": spec(activeDeadlineSeconds=1),
    "pull secret": spec(imagePullSecrets=[{"name": "theirs"}]),
    "service links": spec(enableServiceLinks=True),
    "priority number": spec(priority=2_000_000_000),
    "host aliases": spec(hostAliases=[{"ip": "10.0.0.1", "hostnames": ["db"]}]),
    "init container": spec(initContainers=[{"name": "x", "image": "x"}]),
    "ephemeral container": spec(ephemeralContainers=[{"name": "x", "image": "x"}]),
    "sidecar": spec(containers=[{"name": "x", "image": "x"}]),
    "resource claim": spec(resourceClaims=[{"name": "gpu"}]),
    "taints of all nodes": tolerates(operator="Exists"),
    "taint of the control plane": tolerates(
        key="node-role.kubernetes.io/control-plane", operator="Exists"
    ),
    "taint of lost nodes": tolerates(key="node.kubernetes.io/unreachable", operator="Exists"),
    "other namespaces": spec(
        affinity={
            "podAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "kubernetes.io/hostname", "namespaces": ["rivals"]}
                ]
            }
        }
    ),
    "image": in_task(image="x"),
    "command": in_task(command=["sh"]),
    "arguments": in_task(args=["-c", "x"]),
    "resources": in_task(resources={"limits": {"cpu": "999"}}),
    "privileged": in_task(securityContext={"privileged": True}),
    "capabilities": in_task(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}),
    "port of the node": in_task(ports=[{"containerPort": 80, "hostPort": 80}]),
    "lifecycle": in_task(lifecycle={"preStop": {"exec": {"command": ["sleep", "999"]}}}),
    "device": in_task(volumeDevices=[{"name": "x", "devicePath": "/dev/sda"}]),
    "variable of Headway": in_task(env=[{"name": "HEADWAY_POD_CONNECT", "value": "tls:evil:1"}]),
    "variable of the node": in_task(
        env=[{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]
    ),
    "host path": volume(hostPath={"path": "/"}),
    "token volume": volume(projected={"sources": [TOKEN]}),
    "network file system": volume(nfs={"server": "s", "path": "/"}),
    "driver": volume(csi={"driver": "d"}),
    "generic volume": volume(ephemeral={"volumeClaimTemplate": {"spec": {}}}),
    "two sources": volume(emptyDir={}, hostPath={"path": "/"}),
    "no source": {"spec": {"volumes": [{"name": "x"}]}},
    "volume of Headway": {"spec": {"volumes": [{"name": "headway-token", "emptyDir": {}}]}},
    "mount of Headway's volume": mount("/stolen", "headway-token"),
    "mount over Headway": mount("/headway/token"),
    "mount over processes": mount("/proc/1"),
    "mount over everything": mount("/"),
    "mount upwards": mount("/a/../headway"),
    "path upwards": mount("/a", subPath="../../etc"),
    "mounts of the node": mount("/a", mountPropagation="Bidirectional"),
    "unknown field of the future": spec(hostSomething=True),
    "status": {"status": {"phase": "Succeeded"}},
    "directive": spec(**{"$patch": "replace"}),
    "null": spec(tolerations=None),
}
