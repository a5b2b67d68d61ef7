"""Operators of installed packages: ``from headway import Greet``, where a package has the entry point

[project.entry-points."headway.operators"]
Greet = "acme.operators:Greet"
"""

from typing import Any, Final

GROUP: Final = "headway.operators"


def found(name: str) -> Any:
    """Return the operator class that a package has under this name; None: no package has it.

    Raises ImportError, with the package, for one that cannot be imported, or is not an operator.
    """
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP, name=name):
        package = entry.dist.name if entry.dist is not None else entry.value
        try:
            made = entry.load()
        except Exception as error:
            raise ImportError(
                f"the operator {name} of the package {package} cannot be imported: {type(error).__name__}: {error}"
            ) from error
        from headway.authoring.custom import Operator

        if not isinstance(made, type(Operator)):
            raise ImportError(f"{entry.value} of the package {package} is not an operator")
        return made
    return None
