"""What a wheel carries beside the Python files."""

import tomllib
from typing import Final

from headway.api.site import BUILT
from tests.tidy.tree import ROOT

WHEEL: Final = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"][
    "build"
]["targets"]["wheel"]


def test_the_web_interface_is_built_into_the_package_and_the_wheel_takes_it() -> None:
    """git ignores what is built, and the builder of wheels leaves out what git ignores."""
    place = BUILT.relative_to(ROOT).as_posix()
    assert f"/{place}/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert any(place.startswith(package) for package in WHEEL["packages"])
    assert any(place == artifact.removesuffix("/**") for artifact in WHEEL["artifacts"])
