"""AWS Secrets Manager, or the Parameter Store of SSM: ``<prefix>/<team>/connections/<id>``, ``…/variables/<key>``.

Credentials are those that boto3 finds for the scheduler's process: a role of the machine or the service account.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from headway.errors import UsageError
from headway.secrets.backends.base import (
    FOLDERS,
    TIMEOUT_S,
    Found,
    Question,
    Read,
    found,
    refused,
    silent,
)
from headway.secrets.keys import Keys

MISSING: Final = {"ResourceNotFoundException", "ParameterNotFound"}
SERVICES: Final = ("secretsmanager", "ssm")


class Aws:
    def __init__(self, service: str, prefix: str, options: Mapping[str, Any]) -> None:
        boto3: Any = import_module("boto3")
        config: Any = import_module("botocore.config")
        self.service = service
        self.prefix = prefix.rstrip("/")
        limits = config.Config(
            connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"max_attempts": 1}
        )
        self.client = boto3.client(service, config=limits, **options)

    def get(self, question: Question) -> Found | None:
        exceptions: Any = import_module("botocore.exceptions")
        place = "/".join((self.prefix, question.team, FOLDERS[question.kind], question.name))
        try:
            text = self.read(place)
        except exceptions.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in MISSING:
                return None
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status in (401, 403) or "Denied" in code or "Token" in code:
                raise refused("aws", question, code) from None
            raise silent("aws", question, code) from None
        except exceptions.BotoCoreError as error:
            raise silent("aws", question, type(error).__name__) from None
        if text is None:
            raise silent("aws", question, "it holds bytes, no text")
        return found(question, text)

    def read(self, place: str) -> str | None:
        if self.service == "ssm":
            answer = self.client.get_parameter(Name=place, WithDecryption=True)
            return str(answer["Parameter"]["Value"])
        text: str | None = self.client.get_secret_value(SecretId=place).get("SecretString")
        return text


def opened(settings: Mapping[str, Any], keys: Keys, read: Read) -> Aws:
    service = settings.get("service", "secretsmanager")
    if service not in SERVICES:
        raise UsageError(f"the secret backend aws needs service = one of {', '.join(SERVICES)}")
    known = {"region": "region_name", "endpoint": "endpoint_url"}
    options = {known[name]: value for name, value in settings.items() if name in known}
    return Aws(service, str(settings.get("prefix", "/headway")), options)
