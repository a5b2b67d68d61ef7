"""Files in a folder, as Kubernetes mounts secrets: ``<folder>/<team>/connections/<id>``, ``…/variables/<key>``.

A link may lead elsewhere in the folder of the team, never out of it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from headway.errors import UsageError
from headway.secrets.backends.base import FOLDERS, Found, Question, Read, found, refused, silent
from headway.secrets.keys import Keys

BYTES_MAX: Final = 1 << 20


class Files:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, question: Question) -> Found | None:
        team = self.folder / question.team
        file = team / FOLDERS[question.kind] / question.name
        try:
            if not file.resolve(strict=True).is_relative_to(team.resolve(strict=True)):
                raise refused("files", question, "its link leads out of the team's folder")
            with file.open("rb") as content:
                text = content.read(BYTES_MAX + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError as error:
            raise refused("files", question, error.strerror or "no permission") from None
        except OSError as error:
            raise silent("files", question, error.strerror or "an error") from None
        if len(text) > BYTES_MAX:
            raise silent("files", question, f"it is longer than {BYTES_MAX:,} bytes")
        return found(question, text.decode(errors="replace").removesuffix("\n"))


def opened(settings: Mapping[str, Any], keys: Keys, read: Read) -> Files:
    folder = settings.get("folder")
    if not isinstance(folder, str) or not Path(folder).is_absolute():
        raise UsageError('the secret backend files needs folder = "/an/absolute/path"')
    return Files(Path(folder))
