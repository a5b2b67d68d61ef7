"""Names that would lead elsewhere in the URL of a secret store: what is asked there, and what never is."""

from pathlib import Path
from typing import Any

import pytest

from headway.agent.protocol import Answer, Ask, AttemptKey, ByAttempt
from headway.secrets.service import Service
from tests.secrets.test_backends import VaultContract, opened, vault
from tests.secrets.test_runs import service

__all__ = ["service", "vault"]

FOLDER = "/v1/secret/data/headway/default/connections/"


@pytest.fixture
def asked(
    service: Service, vault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The paths that the store is asked for."""
    token = tmp_path / "token"
    token.write_text("good\n")
    service.backends = opened(
        {"order": ["vault"], "vault": {"url": vault, "token_file": str(token)}}
    )
    paths: list[str] = []
    answers = VaultContract.do_GET

    def do_get(self: Any) -> None:
        paths.append(self.path)
        answers(self)

    monkeypatch.setattr(VaultContract, "do_GET", do_get)
    return paths


def ask(service: Service, name: str, kind: str = "connection") -> Answer:
    return service.answer(
        1, "s1", Ask(1, ByAttempt(AttemptKey("r1", "t0", -1, 1), "token"), kind, name)
    )


@pytest.mark.parametrize(
    "name",
    [
        *("../b/key", "a%2f..%2fb", "..", ".", "../../a/connections/w", "w/../../../a/connections/w", "/etc/passwd"),
        *("w?version=1", "w#x", "w;x", "w\n", "\x00", "%2e%2e", "..%2f..%2fa%2fconnections%2fw", "a\\..\\b"),
        *(".w", "é", ""),
    ],
)  # fmt: skip
def test_what_is_no_name_is_asked_for_nowhere(
    service: Service, asked: list[str], name: str
) -> None:
    for kind in ("connection", "variable"):
        answer = ask(service, name, kind)
        assert (answer.value, answer.refused) == (None, ""), "as one that does not exist"
    assert asked == []


def test_a_name_is_one_part_of_a_path_below_its_team(service: Service, asked: list[str]) -> None:
    names = ("w", "a..b", "w.", "w..", "x.-_", "a" * 200)
    for name in names:
        assert ask(service, name).value is None
    assert asked == [FOLDER + name for name in names]
    assert ask(service, "w", "../connections").value is None, "no kind that there is"
    assert len(asked) == len(names)
