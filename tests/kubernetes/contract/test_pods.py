"""What the cluster does with pods: quotas, lives, ends, and proofs of who they are."""

from typing import Any

from tests.kubernetes.contract.conftest import IMAGE, Api, Object, until


def pod(name: str, script: str = "exit 0", **spec: Any) -> Object:
    container = {
        "name": "task",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", script],
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "100m", "memory": "64Mi"},
        },
    }
    made = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 5, "containers": [container]}
    return {"metadata": {"name": name}, "spec": made | spec}


def phase(api: Api, name: str) -> str:
    return str(api.ask("GET", api.path("pods", name))["status"]["phase"])


def terminated(api: Api, name: str) -> Object:
    until(lambda: phase(api, name) in ("Succeeded", "Failed"))
    status = api.ask("GET", api.path("pods", name))["status"]
    found: Object = status["containerStatuses"][0]["state"]["terminated"]
    return found


def test_a_pod_begins_as_pending_and_ends_with_its_process(api: Api) -> None:
    made = api.ask("POST", api.path("pods"), pod("good", "echo hello"), code=201)
    assert made["status"]["phase"] == "Pending"
    ended = terminated(api, "good")
    assert (ended["exitCode"], ended["reason"]) == (0, "Completed")
    assert api.ask("GET", api.path("pods", "good/log")) == "hello\n"
    assert phase(api, "good") == "Succeeded"


def test_a_pod_fails_with_the_exit_code_of_its_process(api: Api) -> None:
    api.ask("POST", api.path("pods"), pod("bad", "exit 3"), code=201)
    ended = terminated(api, "bad")
    assert (ended["exitCode"], ended["reason"]) == (3, "Error")
    assert phase(api, "bad") == "Failed"


def test_a_deleted_pod_has_its_grace(api: Api) -> None:
    api.ask("POST", api.path("pods"), pod("long", "sleep 300"), code=201)
    path = api.path("pods", "long")
    until(lambda: phase(api, "long") == "Running")
    found = api.ask("DELETE", path)
    assert found["metadata"]["deletionGracePeriodSeconds"] == 5
    until(lambda: api.http.request("GET", path).status_code == 404)


def test_a_pod_that_has_ended_is_deleted_at_once(api: Api) -> None:
    api.ask("POST", api.path("pods"), pod("over"), code=201)
    terminated(api, "over")
    api.ask("DELETE", api.path("pods", "over"))
    until(lambda: api.http.request("GET", api.path("pods", "over")).status_code == 404)


def test_a_quota_is_enforced_when_a_pod_is_created(api: Api) -> None:
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"requests.memory": "40Mi"}}}
    api.ask("POST", api.path("resourcequotas"), quota, code=201)
    path = api.path("resourcequotas", "small")
    until(lambda: "hard" in api.ask("GET", path).get("status", {}))
    until(lambda: phase_counts(api) == 0)
    for name in ("fits-1", "fits-2"):
        api.ask("POST", api.path("pods"), pod(name, "sleep 300"), code=201)
    refused = api.ask("POST", api.path("pods"), pod("more", "sleep 300"), code=403)
    assert refused["reason"] == "Forbidden"
    assert "exceeded quota: small" in refused["message"]
    unsaid = pod("unsaid")
    del unsaid["spec"]["containers"][0]["resources"]
    assert "must specify" in api.ask("POST", api.path("pods"), unsaid, code=403)["message"]
    for name in ("fits-1", "fits-2"):
        api.ask("DELETE", api.path("pods", name), gracePeriodSeconds="0")
    api.ask("DELETE", path)


def phase_counts(api: Api) -> int:
    """How many pods are not over."""
    items = api.ask("GET", api.path("pods"))["items"]
    return sum(each["status"]["phase"] not in ("Succeeded", "Failed") for each in items)


def test_a_pod_of_an_unknown_account_is_refused(api: Api) -> None:
    found = api.ask("POST", api.path("pods"), pod("who", serviceAccountName="nobody"), code=403)
    assert 'serviceaccount "nobody" not found' in found["message"]


def test_a_token_proves_which_pod_has_it(api: Api) -> None:
    made = api.ask("POST", api.path("pods"), pod("proof", "sleep 300"), code=201)
    spec = {
        "audiences": ["headway"],
        "expirationSeconds": 600,
        "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "proof"},
    }
    account = api.path("serviceaccounts", "default/token")
    token = api.ask("POST", account, {"spec": spec}, code=201)["status"]["token"]
    status = review(api, token, "headway")
    assert status["authenticated"] is True
    assert status["audiences"] == ["headway"]
    assert status["user"]["username"] == f"system:serviceaccount:{api.namespace}:default"
    extra = status["user"]["extra"]
    assert extra["authentication.kubernetes.io/pod-name"] == ["proof"]
    assert extra["authentication.kubernetes.io/pod-uid"] == [made["metadata"]["uid"]]
    assert not review(api, token, "somebody-else").get("authenticated")
    assert not review(api, "nonsense", "headway").get("authenticated")
    api.ask("DELETE", api.path("pods", "proof"), gracePeriodSeconds="0")
    until(lambda: not review(api, token, "headway").get("authenticated"))


def review(api: Api, token: str, audience: str) -> Object:
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    body = {"spec": {"token": token, "audiences": [audience]}}
    found: Object = api.ask("POST", path, body, code=201)["status"]
    return found


# -- agents beside containers: native sidecars

STAY = 'trap "echo told to end; exit 0" TERM; while true; do sleep 0.1; done'
GATE = f"while [ ! -e /shared/go ]; do sleep 0.1; done; touch /shared/ready; {STAY}"


def with_sidecar(name: str, script: str, beside: str, **main: Any) -> Object:
    """A pod whose container begins when a file of its sidecar is there."""
    made = pod(name, script)
    spec = made["spec"]
    mount = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}
    sidecar = {**spec["containers"][0], **mount, "name": "beside", "restartPolicy": "Always"}
    sidecar["command"] = ["sh", "-c", placed(beside)]
    sidecar["env"] = [{"name": "SHARED", "value": "/shared"}]
    sidecar["startupProbe"] = {
        "exec": {"command": ["test", "-e", "/shared/ready"]},
        "periodSeconds": 1,
        "failureThreshold": 300,
    }
    spec["containers"][0] |= {"env": sidecar["env"], **mount, **main}
    spec["containers"][0]["command"] = ["sh", "-c", placed(script)]
    spec |= {"volumes": [{"name": "shared", "emptyDir": {}}], "initContainers": [sidecar]}
    return made


def placed(script: str) -> str:
    """A path in the middle of a script is not made to fit by the fake: by a variable it is."""
    return script.replace("/shared/", "$SHARED/")


def state(api: Api, name: str, container: str) -> Object:
    status = api.ask("GET", api.path("pods", name)).get("status", {})
    every = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    found: Object = next((e for e in every if e["name"] == container), {})
    return found


def test_a_container_waits_for_its_sidecar_and_ends_it(api: Api) -> None:
    closed = with_sidecar("closed", "echo ran", GATE)
    api.ask("POST", api.path("pods"), closed, code=201)
    until(lambda: "running" in state(api, "closed", "beside").get("state", {}))
    assert state(api, "closed", "task")["state"]["waiting"]["reason"] == "PodInitializing"
    refused = api.ask("GET", api.path("pods", "closed/log"), container="task", code=400)
    assert "waiting to start" in str(refused)
    api.ask("DELETE", api.path("pods", "closed"), gracePeriodSeconds="0")
    beside = f"touch /shared/ready; {STAY}"
    api.ask("POST", api.path("pods"), with_sidecar("open", "echo ran; exit 3", beside), code=201)
    until(lambda: phase(api, "open") == "Failed")
    assert state(api, "open", "task")["state"]["terminated"]["exitCode"] == 3
    assert "terminated" in state(api, "open", "beside")["state"]
    assert api.ask("GET", api.path("pods", "open/log"), container="task") == "ran\n"
    assert api.ask("GET", api.path("pods", "open/log"), container="beside") == "told to end\n"


def test_a_sidecar_that_ends_is_started_again(api: Api) -> None:
    beside = "touch /shared/ready; if [ ! -e /shared/once ]; then touch /shared/once; sleep 1; exit 1; fi; "
    beside += STAY
    script = "while [ ! -e /shared/over ]; do sleep 0.1; done"
    api.ask("POST", api.path("pods"), with_sidecar("again", script, beside), code=201)
    until(lambda: state(api, "again", "beside").get("restartCount", 0) == 1)
    assert "running" in state(api, "again", "task")["state"]
    assert state(api, "again", "task")["restartCount"] == 0
    api.ask("DELETE", api.path("pods", "again"), gracePeriodSeconds="0")


def test_a_container_that_may_not_live_is_ended(api: Api) -> None:
    """Nobody answers its liveness probe."""
    probe = {
        "httpGet": {"path": "/", "port": 15399},
        "periodSeconds": 1,
        "failureThreshold": 2,
        "terminationGracePeriodSeconds": 1,
    }
    made = pod("dead", "trap 'echo asked; exit 7' TERM; while true; do sleep 0.1; done")
    made["spec"]["containers"][0]["livenessProbe"] = probe
    api.ask("POST", api.path("pods"), made, code=201)
    assert terminated(api, "dead")["exitCode"] == 7
    assert api.ask("GET", api.path("pods", "dead/log")) == "asked\n"


def test_a_log_is_read_from_a_second_on_and_followed(api: Api) -> None:
    script = "echo one; sleep 2; echo two; sleep 1; printf three"
    api.ask("POST", api.path("pods"), pod("log", script), code=201)
    until(lambda: phase(api, "log") != "Pending")
    path = api.path("pods", "log/log")
    followed = api.ask("GET", path, container="task", timestamps="true", follow="true")
    lines = [each.partition(" ") for each in followed.splitlines()]
    assert [text for _, _, text in lines] == ["one", "two", "three"]
    assert all(stamp[10] == "T" and "." in stamp for stamp, _, _ in lines)
    since = f"{lines[1][0][:19]}Z"
    later = api.ask("GET", path, container="task", sinceTime=since)
    assert later.splitlines() == ["two", "three"]
