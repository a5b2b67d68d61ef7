"""The report of ``headway import-airflow`` as one HTML page that needs nothing else."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from headway.cli.airflow_exports import Change
from headway.loader.migration import DOES_NOT, REMARK, RUNS, Finding, Report

STYLE: Final = """
:root { color-scheme: light dark; --text: #1c2024; --soft: #60646c; --back: #fff; --card: #f7f8fa; --line: #d9dce1;
  --good: #18794e; --warn: #8a5a00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #edeef0; --soft: #b0b4ba; --back: #111315; --card: #1a1d20;
  --line: #363a3f; --good: #4cc38a; --warn: #f1b24a; --bad: #ff9592; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.25rem 4rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 2.25rem 0 .5rem; }
p { margin: .25rem 0; } .soft { color: var(--soft); }
.counts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; padding: 0; list-style: none; }
.counts li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem;
  min-width: 9rem; }
.counts b { display: block; font-size: 1.6rem; line-height: 1.2; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .5rem .75rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; min-width: 7.5rem; }
td:nth-child(n+3) { min-width: 13rem; } tr:last-child td { border-bottom: 0; }
th { background: var(--card); font-weight: 600; white-space: nowrap; }
td:first-child, code { font-family: ui-monospace, monospace; font-size: .92em; }
@media print { body { max-width: none; padding: 0; } }
"""
VERDICTS: Final = (
    (DOES_NOT, "Do not run", "bad"),
    (REMARK, "Run with a remark", "warn"),
    (RUNS, "Run as they are", "good"),
)


def page(folder: str, report: Report, plan: Sequence[Change]) -> str:
    """Return the page: what does not run first."""
    counts = "".join(
        f'<li class="{hue}"><b>{report.count(verdict)}</b>{title.lower()}</li>'
        for verdict, title, hue in reversed(VERDICTS)
    )
    parts = [
        f"<h1>DAGs of Airflow in {escape(folder)}</h1>",
        '<p class="soft">Judged by their definitions. No task has run.</p>',
        f'<ul class="counts">{counts}</ul>',
        *(section(report, verdict, title) for verdict, title, _ in VERDICTS),
        named("Pools that they use", report.pools, "headway pool set {} SLOTS"),
        named("Queues that they use", report.queues, "headway up --queue {}"),
        planned(plan),
        others(report.others),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>DAGs of Airflow</title><style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def section(report: Report, verdict: str, title: str) -> str:
    found = [each for each in report.findings if each.verdict == verdict]
    if not found:
        return ""
    rows = [
        (each.dag_id or "the file", place(each), each.reason or "–", each.hint or "–")
        for each in found
    ]
    head = ("DAG", "Where", "Why", "What to do")
    width = 2 if verdict == RUNS else len(head)
    return f"<h2>{title}</h2>{table(head[:width], [row[:width] for row in rows])}"


def place(finding: Finding) -> str:
    return f"{finding.file}:{finding.line}" if finding.line else finding.file


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table></div>'


def named(title: str, names: Sequence[str], command: str) -> str:
    if not names:
        return ""
    rows = [(name, command.format(name)) for name in names]
    return f"<h2>{title}</h2>{table(('Name', 'Command'), rows)}"


def planned(plan: Sequence[Change]) -> str:
    if not plan:
        return ""
    rows = [(each.name, each.kind, each.action, ", ".join(each.fields) or "–") for each in plan]
    head = ("Name", "Kind", "Action", "What differs")
    return f"<h2>Connections, variables and pools</h2>{table(head, rows)}"


def others(files: Sequence[str]) -> str:
    if not files:
        return ""
    listed = ", ".join(f"<code>{escape(file)}</code>" for file in files)
    return f'<h2>Not read for DAGs</h2><p class="soft">{listed}</p>'
