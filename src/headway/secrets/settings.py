"""``secrets.toml`` in the data directory: the secret backends and their order, and where the master key is."""

import tomllib
from pathlib import Path
from typing import Any, Final

from headway.errors import NotReachable, UsageError

FILE: Final = "secrets.toml"


def settings_of(data: Path) -> dict[str, Any]:
    """Read the settings; empty without a file. Raises UsageError, and NotReachable for a file that cannot be read."""
    file = data / FILE
    try:
        return tomllib.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("the file is not valid TOML", where=str(file)) from error
    except OSError as error:
        raise NotReachable(f"cannot read the file: {error.strerror}", where=str(file)) from error
