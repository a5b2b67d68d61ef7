"""A master key of AWS KMS, at a real server of its protocol (moto)."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from headway.errors import HeadwayError, NotAllowed, NotReachable, UsageError
from headway.secrets import envelope
from headway.secrets.keys import FILE, KeyMissing, LocalKeys, local_keys
from headway.secrets.kms import AwsKms, keys_of

PLACE, OTHER = b"1/connection/w", b"2/connection/w"
SECRET = {"password": "canary"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    yield "http://{}:{}".format(*moto.get_host_and_port())
    moto.stop()


@pytest.fixture
def service(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return import_module("boto3").client("kms", endpoint_url=server, region_name="eu-west-1")


def settings(data: Path, server: str, key: str) -> None:
    lines = ("[kms]", f'key = "{key}"', 'region = "eu-west-1"', f'endpoint = "{server}"')
    (data / "secrets.toml").write_text("\n".join(lines))


def test_what_it_wraps_opens_in_its_own_row_only(service: Any, server: str, tmp_path: Path) -> None:
    arn = service.create_key()["KeyMetadata"]["Arn"]
    service.create_alias(AliasName="alias/headway", TargetKeyId=arn)
    settings(tmp_path, server, "alias/headway")
    keys = keys_of(tmp_path, None)
    assert isinstance(keys, AwsKms)
    sealed = envelope.close(keys, PLACE, SECRET)
    assert sealed.key_id == keys.current == keys.rotate() == arn
    assert b"canary" not in sealed.wrapped + sealed.sealed
    assert envelope.open_envelope(keys_of(tmp_path, None), PLACE, sealed) == SECRET
    with pytest.raises(HeadwayError, match="cannot decrypt"):
        envelope.open_envelope(keys, OTHER, sealed)
    assert not (tmp_path / FILE).exists(), "no local key is made"


def test_rows_of_local_keys_move_to_it(service: Any, server: str, tmp_path: Path) -> None:
    before = envelope.close(local_keys(tmp_path, None), PLACE, SECRET)
    settings(tmp_path, server, service.create_key()["KeyMetadata"]["KeyId"])
    keys = keys_of(tmp_path, None)
    moved = envelope.wrap_again(keys, PLACE, before)
    assert moved.key_id == keys.current != before.key_id
    (tmp_path / FILE).unlink()
    alone = keys_of(tmp_path, None)
    assert envelope.open_envelope(alone, PLACE, moved) == SECRET
    with pytest.raises(KeyMissing):
        envelope.open_envelope(alone, PLACE, before)
    line = "k AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    given = envelope.close(LocalKeys(None, line), PLACE, SECRET)
    assert envelope.open_envelope(keys_of(tmp_path, line), PLACE, given) == SECRET


def test_a_refusal_and_a_failure_are_told_apart(
    service: Any, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(tmp_path, server, service.create_key()["KeyMetadata"]["KeyId"])
    keys = keys_of(tmp_path, None)
    assert isinstance(keys, AwsKms)
    errors = import_module("botocore.exceptions")
    for status, code, expected in (
        (400, "AccessDeniedException", NotAllowed),
        (403, "UnrecognizedClientException", NotAllowed),
        (400, "DisabledException", NotReachable),
        (500, "KMSInternalException", NotReachable),
    ):
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

        def refuse(answer: Any = answer, **_: object) -> None:
            raise errors.ClientError(answer, "Encrypt")

        monkeypatch.setattr(keys.client, "encrypt", refuse)
        with pytest.raises(expected, match=code):
            keys.wrap(b"x" * 32, PLACE)
    settings(tmp_path, "http://127.0.0.1:9", "k")
    with pytest.raises(NotReachable, match="does not answer"):
        keys_of(tmp_path, None).wrap(b"x" * 32, PLACE)


def test_without_settings_the_keys_are_local(tmp_path: Path) -> None:
    assert isinstance(keys_of(tmp_path, None), LocalKeys)
    assert (tmp_path / FILE).exists()


def test_a_library_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(name: str) -> None:
        raise ImportError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("headway.secrets.kms.import_module", none)
    settings(tmp_path, "http://127.0.0.1:9", "k")
    with pytest.raises(UsageError, match="needs the package boto3"):
        keys_of(tmp_path, None)


@pytest.mark.parametrize("text", ['kms = "aws"', "[kms]", '[kms]\nservice = "x"\nkey = "k"'])
def test_wrong_settings_are_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.toml").write_text(text)
    with pytest.raises(UsageError, match="kms"):
        keys_of(tmp_path, None)
