"""Mapping: an instance for each shop and day, lists that are filtered and put together, and a query from a file."""

from headway import dag, sql, task


@dag(template_searchpath="sql")
def shops() -> None:
    @task
    def is_open(shop: str) -> str | None:
        return None if shop == "london" else shop  # None: left out of what is mapped over it

    @task(map_index_template="{{ shop }} {{ day }}", max_active_tis_per_dagrun=4)
    def fetch(shop: str, day: str) -> int:
        return len(shop) * int(day[-2:])

    @task(templated=["note"])
    def add_up(totals: list[int], note: str) -> str:
        return f"{note}: {sum(totals)}"

    @task
    def read(rows: list[dict[str, str]]) -> str:
        return rows[0]["day"]

    # Each shop on each day: 3 times 2 instances.
    opened = is_open.expand(shop=["paris", "berlin", "london", "rome"])
    totals = fetch.expand(shop=opened.map(str.title), day=["2026-01-01", "2026-01-02"])
    add_up(totals, note="all shops, told on {{ ds }}")
    read(sql("calendar", conn_id="calendar", sql="calendar.sql"))
