"""A report that people ask for by a form: each parameter has a schema, which every value obeys."""

from typing import Any

from headway import DAG, Param, Run, task

LIMITS = {
    "rows": {"type": "integer", "minimum": 1},
    "columns": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
}

with DAG(
    "report",
    params={
        "day": Param(None, type=["string", "null"], format="date", title="Day", section="Period"),
        "days": Param(
            7, type="integer", minimum=1, maximum=31, examples=[1, 7, 31], section="Period"
        ),
        "shop": Param("fr", enum=["fr", "de"], values_display={"fr": "France", "de": "Germany"}),
        "code": Param(
            "A-1", type="string", pattern=r"^[A-Z]-\d+$", description="As on the invoice."
        ),
        "to": Param([], type="array", items={"type": "string", "format": "email"}, section="Mail"),
        "note": Param("", type="string", format="multiline", section="Mail"),
        "limits": Param({"rows": 10}, type="object", properties=LIMITS, additionalProperties=False),
    },
):

    @task
    def make(run: Run) -> dict[str, Any]:
        return {"from": run.params.day or run.ds, **run.params}

    make()
