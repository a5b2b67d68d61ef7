"""``expand`` and ``expand_kwargs`` as axes of a mapping."""

from typing import Any, Final

from headway.spec import model

COMBINED: Final = {"ZipXComArg": "zip", "ConcatXComArg": "concat"}


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
    from airflow.sdk.definitions._internal.types import is_arg_set

    source = source_of(value)
    kind = type(source).__name__
    if kind in COMBINED:
        parts = tuple(axis("", part) for part in source.args)
        filled = kind == "ZipXComArg" and is_arg_set(source.fillvalue)
        combine: Any = "zip_longest" if filled else COMBINED[kind]
        return model.Axis(argument=argument, combine=combine, parts=parts)
    if hasattr(source, "operator"):
        return model.Axis(argument=argument, task_id=source.operator.task_id, key=source.key)
    return model.Axis(argument=argument, length=len(value))
