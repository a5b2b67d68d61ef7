"""The master keys of ``headway up``: taken out of our environment before anything else is started."""

from headway.agent.processes import take_environment
from headway.config import Layout
from headway.secrets.keys import FILE as FILE
from headway.secrets.keys import VARIABLE, Keys
from headway.secrets.kms import keys_of


def take_keys(layout: Layout) -> tuple[Keys, str]:
    """Return the keys, and those of the environment as one line for the scheduler ("": they are in the file)."""
    given = take_environment(VARIABLE)
    return keys_of(layout.data, given), "" if given is None else ",".join(given.split("\n"))
