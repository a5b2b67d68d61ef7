"""Names for cron expressions, as Airflow has them."""

from collections.abc import Mapping
from typing import Final

from headway.core.schedules.base import BadSchedule
from headway.core.schedules.continuous import Continuous
from headway.core.schedules.once import Once
from headway.core.words import nearest

PRESETS: Final[Mapping[str, str]] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def expression_of(name: str) -> str:
    """Return the cron expression of a preset, whose name is in lower case. Raises BadSchedule."""
    if name not in PRESETS:
        known = [*PRESETS, Once.form, Continuous.form]
        meant = nearest(name, known)
        hint = f"did you mean {meant}?" if meant else f"known are {', '.join(known)}"
        raise BadSchedule(f'unknown preset "{name}": {hint}')
    return PRESETS[name]
