"""Azure Key Vault, the current version of ``<prefix>-<team>-connections-<id>``, ``…-variables-<key>``.

Names have letters, digits and ``-`` there, and case does not count. A ``-`` in the name of a team is doubled, so no
secret of one team is another team's; ``_`` of an id is ``-``, as with Airflow; what has a dot is not looked up.
Credentials are those that Azure's library finds for the scheduler's process.
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

REFUSALS: Final = (401, 403)


class Azure:
    """``ca_file``: who signs the certificate of the vault; None: as the system trusts."""

    def __init__(self, vault_url: str, prefix: str, ca_file: str | None) -> None:
        self.errors: Any = import_module("azure.core.exceptions")
        identity: Any = import_module("azure.identity")
        secrets: Any = import_module("azure.keyvault.secrets")
        self.prefix = prefix
        self.client = secrets.SecretClient(
            vault_url,
            identity.DefaultAzureCredential(),
            connection_verify=True if ca_file is None else ca_file,
            connection_timeout=TIMEOUT_S,
            read_timeout=TIMEOUT_S,
            retry_total=0,
            # Whoever answers says for what a token is asked, but only for a domain that the vault's host is in.
            verify_challenge_resource=True,
        )

    def get(self, question: Question) -> Found | None:
        if "." in question.name:
            return None
        team = question.team.replace("-", "--")
        name = question.name.replace("_", "-")
        place = "-".join((self.prefix, team, FOLDERS[question.kind], name))
        try:
            text = self.client.get_secret(place).value
        except self.errors.ResourceNotFoundError:
            return None
        except self.errors.ClientAuthenticationError as error:
            raise refused("azure", question, type(error).__name__) from None
        except self.errors.HttpResponseError as error:
            tell = refused if error.status_code in REFUSALS else silent
            raise tell("azure", question, type(error).__name__) from None
        except self.errors.AzureError as error:
            raise silent("azure", question, type(error).__name__) from None
        except ValueError:  # of the check of the challenge
            raise refused("azure", question, "it asks for a token of another domain") from None
        return found(question, text or "")


def opened(settings: Mapping[str, Any], keys: Keys, read: Read) -> Azure:
    url = settings.get("url")
    if not isinstance(url, str) or not url.startswith("https://"):
        raise UsageError('the secret backend azure needs url = "https://NAME.vault.azure.net"')
    return Azure(url, str(settings.get("prefix", "headway")), settings.get("ca_file"))
