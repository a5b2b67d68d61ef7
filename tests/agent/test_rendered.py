"""What an attempt got, told by its own process and kept beside its log."""

import os
from pathlib import Path

import pytest

from headway import ids
from headway.agent import rendered
from headway.agent.masking import Masker
from headway.agent.protocol import AttemptKey, AxisItem, Named, XComRef
from headway.api.logs.rendered import fields_of
from headway.authoring import rendered as authoring
from headway.paths import log_path, rendered_of
from tests.agent.gateway import Gateway


def told(gateway: Gateway, key: AttemptKey) -> dict[str, str]:
    path = gateway.data / log_path(key.run_id, key.task_id, key.map_index, key.number)
    return {field.name: field.value for field in fields_of(path)}


def test_arguments_as_they_came(shared: Gateway) -> None:
    run_id = ids.run_id()
    numbers = shared.run("numbers", run_id=run_id)
    assert told(shared, numbers.key) == {}
    double = shared.run(
        "double", run_id=run_id, map_index=3, axes=[AxisItem(3, XComRef("numbers"))]
    )
    assert told(shared, double.key) == {"number": "3"}


def test_a_command_after_rendering_with_secrets_masked(shared: Gateway) -> None:
    ended = shared.run("commands", run_id=ids.run_id())
    assert ended.outcome == "success", ended.detail
    command = told(shared, ended.key)["command"]
    assert command.startswith("echo commands at 20")
    assert command.endswith("with ***")


def test_names_of_the_environment_without_values(shared: Gateway) -> None:
    ended = shared.run("plain_bash", run_id=ids.run_id())
    assert ended.outcome == "success", ended.detail
    found = told(shared, ended.key)
    assert found["command"].startswith("true 20")
    assert found["env"] == "GATE"
    assert "sesame" not in str(found)


def test_the_name_of_a_mapped_instance_is_told_while_it_runs_and_at_its_end(
    shared: Gateway,
) -> None:
    run_id = ids.run_id()
    shared.run("numbers", run_id=run_id)
    axes = [AxisItem(3, XComRef("numbers"))]
    ended = shared.run("named", run_id=run_id, map_index=3, axes=axes)
    assert (ended.outcome, ended.name) == ("success", "number 3 of ***")
    told = [one.name for one in shared.said if isinstance(one, Named) and one.key == ended.key]
    assert told == ["number 3 of ***"]
    killed = shared.run("named_and_killed", run_id=run_id, map_index=3, axes=axes)
    assert (killed.outcome, killed.name) == ("failed", "number 3")
    assert shared.run("numbers", run_id=ids.run_id()).name == ""


def test_what_is_large_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, str]] = []
    monkeypatch.setattr(authoring, "announce", heard.extend)
    many = {f"k{n}": "x" * 10_000 for n in range(1000)}
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    authoring.show_arguments(["a", "b", "c"], (many, deep, object()), {"d": "y" * 10**7})
    assert [name for name, _ in heard] == ["a", "b", "c", "d"]
    assert all(len(value) <= authoring.VALUE_CHARS_MAX for _, value in heard)


def test_a_line_for_each_attempt_in_the_file_of_the_run(tmp_path: Path) -> None:
    masker = Masker(["open-sesame"])
    first = f"{tmp_path}/{log_path('r', 't', 1, 1)}"
    second = f"{tmp_path}/{log_path('r', 't', 1, 11)}"
    rendered.write(first, masker, [("a", "1")])
    rendered.write(second, masker, [("a", "open-sesame")])
    rendered.write(first, masker, [("b", "2")])
    with open(rendered_of(first)[0], "ab") as file:
        file.write(b'["t/1/1",[["c"')
    assert [(each.name, each.value) for each in fields_of(Path(first))] == [("a", "1"), ("b", "2")]
    assert [each.value for each in fields_of(Path(second))] == ["***"]
    assert fields_of(tmp_path / "logs" / "r" / "u" / "-1" / "1.log") == []


def test_the_file_is_for_our_group_only_and_left_closed(tmp_path: Path) -> None:
    log = f"{tmp_path}/{log_path('r', 't', 1, 1)}"
    file = Path(rendered_of(log)[0])
    for _ in range(2):  # in a folder that is there and in one that is not
        before = len(os.listdir("/proc/self/fd"))
        rendered.write(log, Masker(), [("a", "1")])
        assert len(os.listdir("/proc/self/fd")) == before
        assert file.stat().st_mode & 0o777 in (0o640, 0o600)
        file.unlink()


def test_a_file_that_is_full_takes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = f"{tmp_path}/{log_path('r', 't', 1, 1)}"
    rendered.write(log, Masker(), [("a", "1")])
    file = Path(rendered_of(log)[0])
    size = file.stat().st_size
    for limit, lines in ((size, 1), (size + 1, 2)):
        monkeypatch.setattr(rendered, "FILE_BYTES_MAX", limit)
        rendered.write(log, Masker(), [("a", "1")])
        assert file.read_bytes().count(b"\n") == lines


def test_a_full_or_closed_folder_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("no folder")
    rendered.write(f"{tmp_path}/{log_path('r', 't', -1, 1)}", Masker(), [("a", "1")])
    assert (tmp_path / "logs").read_text() == "no folder"
