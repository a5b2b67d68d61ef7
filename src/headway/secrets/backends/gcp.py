"""Google Cloud Secret Manager, the latest version of ``<prefix>_<team>_connections_<id>``, ``…_variables_<key>``.

No name of a team has ``_``, so no secret of one team is another team's. Secrets have no dots in their names there: what
has one is not looked up. Credentials are those that Google's library finds for the scheduler's process.
"""

from collections.abc import Mapping
from functools import cached_property
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

TRANSPORT: Final = "rest"  # without threads and files of gRPC in the scheduler


class Gcp:
    """``endpoint``: None: that of Google."""

    def __init__(self, project: str, prefix: str, endpoint: str | None) -> None:
        self.library: Any = import_module("google.cloud.secretmanager_v1")
        self.errors: Any = import_module("google.api_core.exceptions")
        self.signing: Any = import_module("google.auth.exceptions")
        self.folder = f"projects/{project}/secrets/{prefix}"
        self.options = {} if endpoint is None else {"api_endpoint": endpoint}

    @cached_property
    def client(self) -> Any:
        return self.library.SecretManagerServiceClient(
            transport=TRANSPORT, client_options=self.options
        )

    def get(self, question: Question) -> Found | None:
        if "." in question.name:
            return None
        words = (self.folder, question.team, FOLDERS[question.kind], question.name)
        try:
            answer = self.client.access_secret_version(
                name=f"{'_'.join(words)}/versions/latest", retry=None, timeout=TIMEOUT_S
            )
        except self.errors.NotFound:
            return None
        except (
            self.errors.Forbidden,
            self.errors.Unauthorized,
            self.signing.DefaultCredentialsError,
            self.signing.RefreshError,
        ) as error:
            raise refused("gcp", question, type(error).__name__) from None
        except (
            self.errors.GoogleAPIError,
            self.signing.GoogleAuthError,
            OSError,  # of requests, too
        ) as error:
            raise silent("gcp", question, type(error).__name__) from None
        return found(question, answer.payload.data.decode(errors="replace"))


def opened(settings: Mapping[str, Any], keys: Keys, read: Read) -> Gcp:
    project = settings.get("project")
    if not isinstance(project, str) or not project:
        raise UsageError('the secret backend gcp needs project = "the id of a project"')
    return Gcp(project, str(settings.get("prefix", "headway")), settings.get("endpoint"))
