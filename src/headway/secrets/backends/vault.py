"""HashiCorp Vault, version 2 of its key-value store: ``<mount>/<path>/<team>/connections/<id>``, ``…/variables/<key>``.

The secret has a field ``value``; for a connection also ``conn_uri``, or the fields of Airflow's JSON form.
"""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from headway.errors import UsageError
from headway.secrets.backends.base import (
    CONNECTION,
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


class Vault:
    """``token``: the file with the token, read for each question, because an agent of Vault renews it."""

    def __init__(self, url: str, token: Path, mount: str, path: str, namespace: str | None) -> None:
        hvac: Any = import_module("hvac")
        self.token = token
        self.mount = mount
        self.path = path
        self.client = hvac.Client(
            url=url, timeout=TIMEOUT_S, namespace=namespace, allow_redirects=False
        )

    def get(self, question: Question) -> Found | None:
        exceptions: Any = import_module("hvac.exceptions")
        requests: Any = import_module("requests")
        place = "/".join((self.path, question.team, FOLDERS[question.kind], question.name))
        try:
            self.client.token = self.token.read_text().strip()
            answer = self.client.secrets.kv.v2.read_secret_version(
                place, mount_point=self.mount, raise_on_deleted_version=True
            )
        except exceptions.InvalidPath:
            return None
        except (exceptions.Forbidden, exceptions.Unauthorized) as error:
            raise refused("vault", question, type(error).__name__) from None
        except (exceptions.VaultError, requests.RequestException, OSError) as error:
            raise silent("vault", question, type(error).__name__) from None
        if not isinstance(answer, dict):  # it would be followed with the token
            raise silent("vault", question, "it sends us elsewhere")
        return found(question, text_of(question, answer["data"]["data"]))


def text_of(question: Question, fields: dict[str, Any]) -> str:
    for name in ("value", "conn_uri"):
        if isinstance(fields.get(name), str):
            return str(fields[name])
    if question.kind == CONNECTION:
        return json.dumps(fields)
    raise silent("vault", question, "the secret has no field value")


def opened(settings: Mapping[str, Any], keys: Keys, read: Read) -> Vault:
    try:
        url, token = str(settings["url"]), Path(settings["token_file"])
    except KeyError as error:
        raise UsageError(f"the secret backend vault needs {error.args[0]}") from None
    namespace = settings.get("namespace")
    mount, path = str(settings.get("mount", "secret")), str(settings.get("path", "headway"))
    return Vault(url, token, mount, path, namespace)
