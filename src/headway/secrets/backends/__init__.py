"""The registry of secret backends: one file each, and one line here.

Each opens with its table of ``secrets.toml``; what a library needs is imported when it opens.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from headway.secrets.backends import aws, azure, builtin, environment, files, gcp, vault
from headway.secrets.backends.base import Backend, Read
from headway.secrets.keys import Keys

Open = Callable[[Mapping[str, Any], Keys, Read], Backend]

BACKENDS: Final[Mapping[str, Open]] = {
    "builtin": builtin.opened,
    "environment": environment.opened,
    "files": files.opened,
    "vault": vault.opened,
    "aws": aws.opened,
    "gcp": gcp.opened,
    "azure": azure.opened,
}
