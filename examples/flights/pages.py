"""The report of a day and the index of all days: self-contained HTML, whole at every moment."""

import fcntl
import json
from datetime import date
from html import escape
from pathlib import Path
from typing import Any, Final

import charts
from work import ORIGINS, written

STYLE: Final = Path(__file__).with_name("report.css").read_text(encoding="utf-8")


def publish(root: Path, day: date, cleaned: dict[str, Any], figures: dict[str, Any]) -> Path:
    """Write the page of one day and bring the index up to date. Returns the page's path."""
    facts = {"day": day.isoformat(), **cleaned, **figures["totals"]}
    page = root / "reports" / f"{day}.html"
    with written(page) as temporary:
        temporary.write_text(day_page(facts, figures), encoding="utf-8")
    with written(page.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    # Days end in any order, some at once: whoever reads the list last also writes it last.
    with (root / ".index.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with written(root / "index.html") as temporary:
            temporary.write_text(index_page(published(root)), encoding="utf-8")
    return page


def published(root: Path) -> list[dict[str, Any]]:
    """The facts of every day that has a report, in order."""
    files = sorted(root.glob("reports/*.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def day_page(facts: dict[str, Any], figures: dict[str, Any]) -> str:
    rejected = facts["rejected"]
    flown = facts["flights"] - facts["cancelled"]
    tiles = [
        (f"{facts['flights']:,}", "flights believed"),
        (f"{facts['cancelled']:,}", "cancelled"),
        (percent(facts["late"], flown), "left 15 minutes late or more"),
        (minutes(facts["median_delay_min"]), "median delay"),
        (minutes(facts["worst_delay_min"]), f"worst: {facts['worst_flight'] or 'none'}"),
        (f"{sum(rejected.values()):,}", "rows rejected"),
    ]
    carriers = [
        (row["airline"], row["mean_delay_min"], f"{row['flights']} flights, {row['late']} late")
        for row in figures["carriers"]
        if row["mean_delay_min"] is not None
    ]
    body = [
        f"<h1>Departures from New York, {date.fromisoformat(facts['day']):%A %-d %B %Y}</h1>",
        '<p>Newark, JFK and LaGuardia. <a href="../index.html">All days</a></p>',
        tile_row(tiles),
        '<div class="charts">',
        card(
            "When delays build up",
            f"Mean departure delay in minutes by scheduled hour {legend()}",
            charts.points(
                dots(figures["hours"], "hour"),
                "scheduled hour of departure",
                "mean delay",
                lines=True,
            ),
        ),
        card("Who is late", "Mean departure delay in minutes", charts.bars(carriers, "mean delay")),
        card(
            "Wind and delay",
            f"Each dot: one hour at one airport {legend()}",
            charts.points(
                dots(figures["weather"], "wind_mph"), "wind, miles per hour", "mean delay"
            ),
        ),
        card(
            "Sight and delay",
            f"Each dot: one hour at one airport {legend()}",
            charts.points(
                dots(figures["weather"], "visibility_mi"), "visibility, miles", "mean delay"
            ),
        ),
        card("Rejected rows", "Why a row of the source was not believed", rejects(rejected)),
        "</div>",
    ]
    return html(f"Flights of {facts['day']}", body)


def index_page(days: list[dict[str, Any]]) -> str:
    flights = sum(day["flights"] for day in days)
    cancelled = sum(day["cancelled"] for day in days)
    late = sum(day["late"] for day in days)
    tiles = [
        (f"{len(days):,}", "days"),
        (f"{flights:,}", "flights believed"),
        (f"{cancelled:,}", "cancelled"),
        (percent(late, flights - cancelled), "left 15 minutes late or more"),
        (f"{sum(sum(day['rejected'].values()) for day in days):,}", "rows rejected"),
    ]
    strip = [
        (f"{day['day']}: {day['late']} late of {day['flights']}", day["late"], link(day))
        for day in days
    ]
    rows = "".join(
        f'<tr><td><a href="{link(day)}">{day["day"]}</a></td><td>{day["flights"]:,}</td>'
        f"<td>{day['cancelled']:,}</td><td>{day['late']:,}</td>"
        f"<td>{minutes(day['median_delay_min'])}</td><td>{minutes(day['worst_delay_min'])}</td>"
        f"<td>{sum(day['rejected'].values()):,}</td></tr>"
        for day in days
    )
    heads = ("day", "flights", "cancelled", "late", "median delay", "worst delay", "rejected")
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = [
        "<h1>Departures from New York</h1>",
        "<p>Newark, JFK and LaGuardia, day by day.</p>",
        tile_row(tiles),
        card("Late flights a day", "Choose a day to see why", charts.columns(strip)),
        f'<div class="card" style="margin-top:12px"><table><tr>{head}</tr>{rows}</table></div>',
    ]
    return html("Departures from New York", body)


def dots(rows: list[dict[str, Any]], measure: str) -> list[charts.Point]:
    """Mean delay over a measure, one dot for each airport and hour where it is known."""
    return [
        charts.Point(
            row[measure],
            row["mean_delay_min"],
            ORIGINS.index(row["origin"]),
            f"{row['origin']} {row['hour']}:00, {row['flights']} flights, "
            f"{row['mean_delay_min']} min",
        )
        for row in rows
        if row[measure] is not None
    ]


def legend() -> str:
    return "".join(
        f'<i class="key" style="background:var(--s{n})"></i>{name}'
        for n, name in enumerate(ORIGINS)
    )


def rejects(rejected: dict[str, int]) -> str:
    rows = sorted(rejected.items(), key=lambda item: (-item[1], item[0]))
    return (
        "<table><tr><th>reason</th><th>rows</th></tr>"
        + "".join(f"<tr><td>{escape(reason)}</td><td>{count}</td></tr>" for reason, count in rows)
        + "</table>"
    )


def card(title: str, subtitle: str, content: str) -> str:
    return f'<section class="card"><h2>{title}</h2><p>{subtitle}</p>{content}</section>'


def tile_row(tiles: list[tuple[str, str]]) -> str:
    cells = (
        f'<div class="card tile"><b>{n}</b><span>{escape(what)}</span></div>' for n, what in tiles
    )
    return f'<div class="tiles">{"".join(cells)}</div>'


def link(day: dict[str, Any]) -> str:
    return f"reports/{day['day']}.html"


def percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"


def minutes(value: float | None) -> str:
    return "–" if value is None else f"{value:g} min"


def html(title: str, body: list[str]) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>\n"
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )
