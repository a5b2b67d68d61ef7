"""A master key of a key service, which never leaves it: AWS KMS wraps and unwraps the data keys of rows.

``[kms]`` of ``secrets.toml`` names it. What is wrapped says by which key, so what local keys wrapped before stays
readable as long as their file is here, and ``headway secrets rotate`` moves everything to the key of the service.
"""

import base64
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from headway.errors import HeadwayError, NotAllowed, NotReachable, UsageError
from headway.secrets.keys import FILE, WRONG, KeyMissing, Keys, LocalKeys, local_keys
from headway.secrets.settings import FILE as SETTINGS
from headway.secrets.settings import settings_of

TIMEOUT_S: Final = 5.0
ARN: Final = "arn:"
PLACE: Final = "headway"  # of the encryption context: the row that an envelope is bound to
REFUSALS: Final = (401, 403)
FOREIGN: Final = {"InvalidCiphertextException", "IncorrectKeyException"}
OPTIONS: Final = {"region": "region_name", "endpoint": "endpoint_url"}


class AwsKms:
    """Credentials are those that boto3 finds for this process. ``older``: keys that wrapped rows before."""

    def __init__(self, key: str, options: Mapping[str, Any], older: LocalKeys | None) -> None:
        boto3: Any = import_module("boto3")
        config: Any = import_module("botocore.config")
        self.key = key
        self.older = older
        limits = config.Config(
            connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"max_attempts": 1}
        )
        self.client = boto3.client("kms", config=limits, **options)

    @cached_property
    def current(self) -> str:
        """Return the whole name of the key, also where the settings have an alias."""
        return str(self.ask("describe_key", KeyId=self.key)["KeyMetadata"]["Arn"])

    def rotate(self) -> str:
        """Return the current key: the service makes new material for it, and keeps the older."""
        return self.current

    def wrap(self, data_key: bytes, bound_to: bytes) -> tuple[str, bytes]:
        key_id = self.current
        answer = self.ask(
            "encrypt", KeyId=key_id, Plaintext=data_key, EncryptionContext=context(bound_to)
        )
        return key_id, bytes(answer["CiphertextBlob"])

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: bytes) -> bytes:
        if key_id.startswith(ARN):
            answer = self.ask(
                "decrypt",
                KeyId=key_id,
                CiphertextBlob=wrapped,
                EncryptionContext=context(bound_to),
            )
            return bytes(answer["Plaintext"])
        if self.older is None:
            raise KeyMissing(
                f"the master key {key_id} is not here, so its secrets cannot be decrypted",
                where=FILE,
                hint="put the file of this key back, and run: headway secrets rotate",
            )
        return self.older.unwrap(key_id, wrapped, bound_to)

    def ask(self, method: str, **values: Any) -> Any:
        """Raises NotAllowed, NotReachable, and HeadwayError for what the key did not wrap for this row."""
        exceptions: Any = import_module("botocore.exceptions")
        try:
            return getattr(self.client, method)(**values)
        except exceptions.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in FOREIGN:
                raise HeadwayError(WRONG, hint="set the secret again") from None
            if status in REFUSALS or "Denied" in code:
                raise NotAllowed(
                    f"the key service refused the master key: {code}",
                    hint="the server's own credentials need kms:DescribeKey, kms:Encrypt and kms:Decrypt",
                ) from None
            raise NotReachable(f"the key service cannot use the master key: {code}") from None
        except exceptions.BotoCoreError as error:
            name = type(error).__name__
            raise NotReachable(f"the key service does not answer: {name}") from None


def context(bound_to: bytes) -> dict[str, str]:
    return {PLACE: base64.b64encode(bound_to).decode()}


def keys_of(data: Path, given: str | None) -> Keys:
    """Return the master keys of a data directory. ``given``: those of the environment.

    Raises UsageError for settings that are wrong.
    """
    settings = settings_of(data).get("kms")
    if settings is None:
        return local_keys(data, given)
    if not isinstance(settings, dict) or settings.get("service", "aws") != "aws":
        raise UsageError('[kms] needs service = "aws"', where=SETTINGS)
    if not isinstance(settings.get("key"), str):
        raise UsageError('[kms] needs key = "arn:aws:kms:…", or an alias', where=SETTINGS)
    file = data / FILE
    older = LocalKeys(file, given) if given is not None or file.exists() else None
    options = {OPTIONS[name]: value for name, value in settings.items() if name in OPTIONS}
    try:
        return AwsKms(settings["key"], options, older)
    except ImportError as error:
        raise UsageError(f"[kms] needs the package {error.name}", where=SETTINGS) from error
