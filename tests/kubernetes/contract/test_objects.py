"""What the API server does with objects."""

from tests.kubernetes.contract.conftest import Api


def test_what_is_created_has_an_identity(api: Api) -> None:
    made = api.config_map("identity")
    assert made["metadata"]["uid"]
    assert made["metadata"]["namespace"] == api.namespace
    assert api.ask("GET", api.path("configmaps", "identity"))["data"] == {"a": "1"}
    again = api.ask(
        "POST", api.path("configmaps"), made | {"metadata": {"name": "identity"}}, code=409
    )
    assert again["reason"] == "AlreadyExists"
    assert api.ask("GET", api.path("configmaps", "missing"), code=404)["reason"] == "NotFound"


def test_what_is_not_valid_is_refused(api: Api) -> None:
    bad = {"metadata": {"name": "Not_A_Name"}}
    assert api.ask("POST", api.path("configmaps"), bad, code=422)["reason"] == "Invalid"
    empty = {"metadata": {"name": "empty"}, "spec": {"containers": []}}
    assert api.ask("POST", api.path("pods"), empty, code=422)["reason"] == "Invalid"
    label = {"metadata": {"name": "label", "labels": {"a": "not valid!"}}}
    api.ask("POST", api.path("configmaps"), label, code=422)


def test_an_update_of_an_old_version_is_refused(api: Api) -> None:
    first = api.config_map("versions")
    path = api.path("configmaps", "versions")
    second = api.ask("PUT", path, first | {"data": {"a": "2"}})
    assert second["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"]
    assert api.ask("PUT", path, first | {"data": {"a": "3"}}, code=409)["reason"] == "Conflict"
    same = api.ask("PUT", path, second)
    assert same["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_a_merge_patch_changes_and_removes(api: Api) -> None:
    api.config_map("merge", labels={"one": "1", "two": "2"})
    path = api.path("configmaps", "merge")
    change = {"metadata": {"labels": {"one": None, "three": "3"}}}
    made = api.ask("PATCH", path, change, patch="merge")
    assert made["metadata"]["labels"] == {"two": "2", "three": "3"}
    assert made["data"] == {"a": "1"}


def applied(name: str, data: dict[str, str]) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_server_side_apply_creates_and_changes_nothing_the_second_time(api: Api) -> None:
    path = api.path("configmaps", "apply")
    wanted = applied("apply", {"a": "1", "b": "2"})
    first = api.ask("PATCH", path, wanted, code=201, patch="apply", fieldManager="headway")
    again = api.ask("PATCH", path, wanted, patch="apply", fieldManager="headway")
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    less = api.ask(
        "PATCH", path, applied("apply", {"a": "1"}), patch="apply", fieldManager="headway"
    )
    assert less["data"] == {"a": "1"}
    assert less["metadata"]["uid"] == first["metadata"]["uid"]


def test_server_side_apply_knows_who_owns_a_field(api: Api) -> None:
    path = api.path("configmaps", "owned")
    api.ask(
        "PATCH", path, applied("owned", {"a": "1"}), code=201, patch="apply", fieldManager="one"
    )
    other = applied("owned", {"a": "2"})
    refused = api.ask("PATCH", path, other, code=409, patch="apply", fieldManager="two")
    assert refused["reason"] == "Conflict"
    forced = api.ask("PATCH", path, other, patch="apply", fieldManager="two", force="true")
    assert forced["data"] == {"a": "2"}
    beside = api.ask(
        "PATCH", path, applied("owned", {"b": "3"}), patch="apply", fieldManager="three"
    )
    assert beside["data"] == {"a": "2", "b": "3"}


def test_a_finalizer_holds_what_was_deleted(api: Api) -> None:
    made = api.config_map("held", finalizers=["headway.dev/test"])
    path = api.path("configmaps", "held")
    api.ask("DELETE", path)
    held = api.ask("GET", path)
    assert held["metadata"]["deletionTimestamp"]
    assert held["metadata"]["uid"] == made["metadata"]["uid"]
    api.ask("PATCH", path, {"metadata": {"finalizers": None}}, patch="merge")
    api.ask("GET", path, code=404)


def test_only_the_one_that_is_meant_is_deleted(api: Api) -> None:
    api.config_map("meant")
    path = api.path("configmaps", "meant")
    wrong = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    assert api.ask("DELETE", path, wrong, code=409)["reason"] == "Conflict"
    api.ask("DELETE", path)
    api.ask("DELETE", path, code=404)
