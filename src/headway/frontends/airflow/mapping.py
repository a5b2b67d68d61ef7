"""``expand`` and ``expand_kwargs`` as axes of a mapping."""

from typing import Any

from headway.spec import model

CHAINED = ("ZipXComArg", "ConcatXComArg")


def operator_class(task: Any) -> type:
    """The class of the operator, also of a mapped one."""
    kind: type = task.operator_class if task.is_mapped else type(task)
    return kind


def inputs_of(task: Any) -> dict[str, Any]:
    """Return what a mapped task is mapped over, by argument; "" for ``expand_kwargs``."""
    given = task._get_specified_expand_input()
    if given.EXPAND_INPUT_TYPE == "dict-of-lists":
        return dict(given.value)
    return {"": given.value}


def refused(task: Any) -> str:
    """Return why its instances cannot be counted here, or ""."""
    if not task.is_mapped:
        return ""
    if any(each.__name__ == "SkipMixin" for each in operator_class(task).__mro__):
        return "is a mapped branch"
    for value in inputs_of(task).values():
        kind = type(source_of(value)).__name__
        if kind in CHAINED:
            return f"is mapped over the result of {kind.removesuffix('XComArg').lower()}()"
    return ""


def source_of(value: Any) -> Any:
    """Return what is behind ``.map(…)``, which changes no length."""
    while type(value).__name__ == "MapXComArg":
        value = value.arg
    return value


def mapping_of(task: Any) -> model.Mapping | None:
    if not task.is_mapped:
        return None
    return model.Mapping(axes=tuple(axis(name, value) for name, value in inputs_of(task).items()))


def axis(argument: str, value: Any) -> model.Axis:
    source = source_of(value)
    if hasattr(source, "operator"):
        return model.Axis(argument=argument, task_id=source.operator.task_id, key=source.key)
    return model.Axis(argument=argument, length=len(value))
