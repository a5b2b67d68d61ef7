"""Lists and watches."""

import pytest

from tests.kubernetes.contract.conftest import Api


def test_lists_are_selected_and_paged(api: Api) -> None:
    for number in range(5):
        api.config_map(f"page-{number}", labels={"set": "pages", "odd": str(number % 2)})
    path = api.path("configmaps")
    odd = api.ask("GET", path, labelSelector="set=pages,odd=1")
    assert [each["metadata"]["name"] for each in odd["items"]] == ["page-1", "page-3"]
    some = api.ask("GET", path, labelSelector="set in (pages),odd!=1")
    assert len(some["items"]) == 3
    found: list[str] = []
    token, versions = "", set()
    while True:
        asked = f"{path}?labelSelector=set%3Dpages&limit=2&continue={token}"
        part = api.ask("GET", asked)
        found += [each["metadata"]["name"] for each in part["items"]]
        versions.add(part["metadata"]["resourceVersion"])
        token = part["metadata"].get("continue", "")
        if not token:
            break
    assert found == [f"page-{number}" for number in range(5)]
    assert len(versions) == 1  # one moment


def test_a_watch_tells_what_came_after_the_list(api: Api) -> None:
    path = api.path("configmaps")
    api.config_map("before", labels={"set": "watch"})
    since = api.ask("GET", path)["metadata"]["resourceVersion"]
    made = api.config_map("watched", labels={"set": "watch"})
    api.config_map("other")
    named = api.path("configmaps", "watched")
    api.ask("PATCH", named, {"data": {"a": "2"}}, patch="merge")
    api.ask("DELETE", named)
    events = api.watch(path, since, labelSelector="set=watch")
    assert [kind for kind, _ in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert {found["metadata"]["uid"] for _, found in events} == {made["metadata"]["uid"]}
    versions = [found["metadata"]["resourceVersion"] for _, found in events]
    assert len(set(versions)) == 3
    later = api.watch(path, versions[0], labelSelector="set=watch")
    assert [kind for kind, _ in later] == ["MODIFIED", "DELETED"]


def test_what_is_no_longer_selected_is_deleted_to_a_watch(api: Api) -> None:
    path = api.path("configmaps")
    since = api.ask("GET", path)["metadata"]["resourceVersion"]
    api.config_map("moved", labels={"set": "moved"})
    api.ask(
        "PATCH",
        api.path("configmaps", "moved"),
        {"metadata": {"labels": {"set": None}}},
        patch="merge",
    )
    events = api.watch(path, since, labelSelector="set=moved")
    assert [kind for kind, _ in events] == ["ADDED", "DELETED"]


def test_bookmarks_say_how_far_a_watch_has_come(api: Api) -> None:
    if api.fake is None:
        pytest.skip("a real API server sends one a minute")
    since = api.ask("GET", api.path("configmaps"))["metadata"]["resourceVersion"]
    api.config_map("marked")
    events = api.watch(api.path("pods"), since, allowWatchBookmarks="true")
    assert {kind for kind, _ in events} == {"BOOKMARK"}
    assert all(mark["kind"] == "Pod" for _, mark in events)
    last = events[-1][1]["metadata"]["resourceVersion"]
    assert api.watch(api.path("pods"), last) == []


def test_what_was_forgotten_is_gone(api: Api) -> None:
    if api.fake is None:
        pytest.skip("a real API server forgets after five minutes")
    since = api.ask("GET", api.path("configmaps"))["metadata"]["resourceVersion"]
    api.config_map("forgotten")
    api.fake.store.compact()
    ((kind, status),) = api.watch(api.path("configmaps"), since)
    assert (kind, status["code"]) == ("ERROR", 410)
