"""``expand`` and ``expand_kwargs`` as axes of a mapping."""

from typing import Any, Final

from headway.spec import model

COMBINED: Final = {"ZipXComArg": "zip", "ConcatXComArg": "concat"}


def operator_class(task: Any) -> type:
    """The class of the operator, also of a mapped one."""
    kind: type = task.operator_class if task.is_mapped else type(task)
    return kind


def inputs_of(given: Any) -> dict[str, Any]:
    """Return what a task or group is mapped over, by argument; "" for ``expand_kwargs``."""
    if given.EXPAND_INPUT_TYPE == "dict-of-lists":
        return dict(given.value)
    return {"": given.value}


def is_branch(task: Any) -> bool:
    return any(each.__name__ == "SkipMixin" for each in operator_class(task).__mro__)


def chooses_in_vain(task: Any) -> str:
    """Return what kind of branch it is, if Airflow 3.2 and 3.3 run what it does not choose, too; else "".

    Their scheduler looks for its choice at another index than its own, or has forgotten that it skips.
    """
    if not is_branch(task):
        return ""
    if task.get_closest_mapped_task_group() is not None:
        return "a branch in a mapped task group"
    return "a mapped branch" if task.is_mapped and not task.inherits_from_skipmixin else ""


def source_of(value: Any) -> Any:
    """Return what is behind ``.map(…)``, which changes no length."""
    while type(value).__name__ == "MapXComArg":
        value = value.arg
    return value


def mapping_of(task: Any) -> model.Mapping | None:
    group = task.get_closest_mapped_task_group()
    if not task.is_mapped and group is None:
        return None
    given = task._get_specified_expand_input() if group is None else group._expand_input
    axes = tuple(axis(name, value) for name, value in inputs_of(given).items())
    return model.Mapping(axes=axes, group=path_of(group))


def path_of(group: Any) -> str:
    """Return the ids of a group and those around it; empty for the root and for none."""
    ids: list[str] = []
    while group is not None and not group.is_root:
        ids.append(str(group._group_id))
        group = group.parent_group
    return ".".join(reversed(ids))


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
