"""The log store as ``headway up`` has it: whose variables they are, and what is said when it is away."""

import json
import os
import threading

import pytest

from headway.up.logstore import log_store
from tests.logs.s3 import Store

OWN = "HEADWAY_LOG_STORE_AWS_"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if "AWS_" in name]:
        monkeypatch.delenv(name)


def test_what_is_the_stores_is_in_no_environment_any_more(
    monkeypatch: pytest.MonkeyPatch, s3_server: Store, bucket: str
) -> None:
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(name, value)
    store = log_store(bucket)
    assert [name for name in os.environ if "AWS_" in name] == []
    assert json.loads(store.line) == {"url": bucket, "variables": s3_server.variables}
    store.remote.check()


def test_with_names_of_its_own_the_others_stay_for_tasks(
    monkeypatch: pytest.MonkeyPatch, s3_server: Store, bucket: str
) -> None:
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(f"{OWN}{name.removeprefix('AWS_')}", value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-tasks")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    store = log_store(bucket)
    left = {name: value for name, value in os.environ.items() if "AWS_" in name}
    assert left == {"AWS_ACCESS_KEY_ID": "of-tasks", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    assert set(json.loads(store.line)["variables"]) == {
        f"{OWN}ENDPOINT_URL",
        f"{OWN}ACCESS_KEY_ID",
        f"{OWN}SECRET_ACCESS_KEY",
    }
    store.remote.check()


def test_a_store_that_is_away_is_a_warning_and_no_refusal(
    monkeypatch: pytest.MonkeyPatch, s3_server: Store, bucket: str
) -> None:
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(name, value)
    store, said, told = log_store(bucket), list[str](), threading.Event()

    def say(text: str) -> None:
        said.append(text)
        told.set()

    with s3_server.trouble(403, "AccessDenied"):
        store.warn_if_away(say)
        assert told.wait(60)
    assert len(said) == 1
    assert "access denied (AccessDenied); logs stay on this machine" in said[0]
