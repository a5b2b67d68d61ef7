"""In every process that has this folder on its PYTHONPATH: the registry has one front end more."""

from tests.frontends import tiny

from headway import frontends

frontends.FRONT_ENDS = (*frontends.FRONT_ENDS, tiny.FRONT_END)  # type: ignore[misc]
