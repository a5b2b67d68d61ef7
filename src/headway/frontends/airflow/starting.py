"""Tasks that start in a trigger (``start_from_trigger``): they defer themselves before they execute anything.

In Airflow the scheduler hands such a task to the triggerer, which renders the templates among the arguments of the
trigger. Here the first process of the attempt makes the trigger from them, and ends.
"""

from functools import partial
from typing import Any, NoReturn


def defer_at_once(instance: Any) -> None:
    """Have the task runner of the instance defer it, unless it goes on after its trigger."""
    task = instance.task
    given = task.start_trigger_args
    if task.start_from_trigger is not True or not given:
        return
    if not instance._ti_context_from_server.next_method:
        task._pre_execute_hook = partial(defer, instance, given)


def defer(instance: Any, given: Any, context: Any) -> NoReturn:
    """Raise TaskDeferred with the trigger that the operator names."""
    from airflow.sdk._shared.module_loading import import_string
    from airflow.sdk.exceptions import TaskDeferred

    trigger = import_string(given.trigger_cls)(**(given.trigger_kwargs or {}))
    trigger.task_instance = instance
    if hasattr(trigger, "render_template_fields"):  # since 3.3
        trigger.render_template_fields(context)
    raise TaskDeferred(
        trigger=trigger,
        method_name=given.next_method,
        kwargs=given.next_kwargs,
        timeout=given.timeout,
    )
