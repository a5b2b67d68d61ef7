"""A DAG whose form has a field of each kind."""

from headway import DAG, Param, Run, task

with DAG(
    "asked",
    params={
        "shop": Param("fr", enum=["fr", "de"], values_display={"fr": "France", "de": "Germany"}),
        "days": Param(7, type="integer", minimum=1, maximum=31, examples=[1, 7]),
        "full": Param(None, type=["boolean", "null"], title="All of it"),
        "day": Param(None, type=["string", "null"], format="date", section="Period"),
        "until": Param("2026-01-31T05:00:00Z", type="string", format="date-time", section="Period"),
        "to": Param([], type="array", items={"type": "string"}, section="Mail"),
        "note": Param("", type="string", format="multiline", section="Mail"),
        "code": Param("A-1", type="string", pattern=r"^[A-Z]-\d$"),
    },
):

    @task
    def show(run: Run):
        print(dict(run.params))

    show()
