"""Teams. One exists so far, made by the migrations."""

from typing import Final

DEFAULT: Final = 1
