"""Words for entries of the audit: what was done, after the name of who did it. Pure.

The details of an entry are the request and what it changed, as JSON of any shape and age: a part that is not there is
left out.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any, Final

from headway.core.grants import GrantKind
from headway.core.words import counted, listed

Detail = Mapping[str, Any]

UNKNOWN: Final = 401
NOT_FOUND: Final = 404
TOO_MANY: Final = 429

# By action; ``{}`` is the subject.
PLAIN: Final[Mapping[str, str]] = {
    "dags.pause": "paused the DAG {}",
    "dags.resume": "resumed the DAG {}",
    "runs.cancel": "cancelled run {}",
    "pools.delete_pool": "deleted the pool {}",
    "health.look_at_folder": "asked for a look at the DAG folder",
    "connections.set_connection": "wrote the connection {}",
    "connections.delete_connection": "deleted the connection {}",
    "connections.test_connection": "tested the connection {}",
    "variables.set_variable": "wrote the variable {}",
    "variables.delete_variable": "deleted the variable {}",
    "secret_keys.rotate_key": "changed the master key of secrets",
    "backfills.cancel_backfill": "cancelled backfill {}",
    "backfills.pause_backfill": "paused backfill {}",
    "backfills.resume_backfill": "resumed backfill {}",
    "webhooks.create_webhook": "created the webhook {}",
    "webhooks.change_webhook": "changed the webhook {}",
    "webhooks.rotate_webhook": "changed the secret of the webhook {}",
    "webhooks.delete_webhook": "deleted the webhook {}",
    "webhooks.receive": "sent a delivery to a webhook",
    "webhooks.replay_delivery": "replayed a delivery of the webhook {}",
    "outbound.create_outbound_webhook": "created the outbound webhook {}",
    "outbound.change_outbound_webhook": "changed the outbound webhook {}",
    "outbound.delete_outbound_webhook": "deleted the outbound webhook {}",
    "outbound.redeliver": "sent a delivery of the outbound webhook {} again",
    "outbound.ping": "sent a ping to the outbound webhook {}",
    "run_links.create_run_link": "created a link to run {}",
    "answer_links.create_answer_link": "created a link that answers the question of {}",
    "run_links.revoke_run_link": "revoked the link {} to a run",
    "run_links.show_linked_run": "opened a link to a run",
    "answer_links.show_linked_question": "opened a link to a question",
    "answer_links.answer_by_link": "answered the question of a link",
    "session.sign_out": "signed out",
    "session.ended": "ended the sessions of {}",
    "users.set_password": "set the password of {}",
    "members.remove_member": "removed {} from the team",
    "roles.delete_role": "deleted the role {}",
    "tokens.revoke_token": "revoked the token {}",
    "teams.delete_team": "deleted the team {}",
    "cluster.apply": "set up the namespace {} in the cluster",
    "cluster.repair": "repaired the namespace {} in the cluster",
    "cluster.delete": "removed the namespace {} from the cluster",
    "airflow_runs.forget_airflow_runs": "removed the runs of Airflow of DAG {}",
    "audit.prune": "removed the oldest entries of the audit, by its retention",
}


def sentence(action: str, subject: str, detail: Detail) -> str:
    """Return what an entry tells, without a full stop: ``set the pool `etl` to 8 slots (before: 4)``."""
    done = words_of(action, subject, detail)
    return (
        f"previewed, without a change: {done}" if part(detail, "body", "dry_run") is True else done
    )


def words_of(action: str, subject: str, detail: Detail) -> str:
    named = f"`{subject}`" if subject else ""
    if (tell := TOLD.get(action)) is not None:
        return tell(named, detail).strip()
    if (plain := PLAIN.get(action)) is not None:
        return plain.format(named).replace("  ", " ").strip()
    noun, _, verb = action.partition(".")
    return f"{verb or noun} {named}".replace("_", " ").strip()


def part(detail: Detail, *path: str) -> Any:
    """Return a value within the detail; None: it is not there."""
    found: Any = detail
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def text(value: Any) -> str:
    return f"`{value}`" if isinstance(value, str) and value else ""


def moment(given: str) -> str:
    """Return a date as people write it: at midnight the day alone, else with the time, in UTC."""
    try:
        at = datetime.fromisoformat(given)
        if at.time() == time.min:
            return at.date().isoformat()
        zone = "" if at.tzinfo is None else " UTC"
        at = at if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return given
    return at.replace(tzinfo=None, microsecond=0).isoformat(" ") + zone


def number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def triggered(dag: str, detail: Detail) -> str:
    run, date = text(part(detail, "after", "run_id")), part(detail, "body", "logical_date")
    of = f" for {moment(date)}" if isinstance(date, str) else ""
    return f"triggered run {run} of {dag}{of}" if run else f"triggered a run of {dag}{of}"


def triggered_many(dag: str, detail: Detail) -> str:
    runs = number(part(detail, "after", "runs"))
    return f"triggered {counted(runs, 'run') if runs is not None else 'runs'} of {dag}"


def backfilled(dag: str, detail: Detail) -> str:
    first, last = part(detail, "body", "from"), part(detail, "body", "to")
    both = isinstance(first, str) and isinstance(last, str)
    span = f" from {moment(first)} to {moment(last)}" if both else ""
    runs = number(part(detail, "after", "runs"))
    return f"started a backfill of {dag}{span}" + (
        f": {counted(runs, 'run')}" if runs is not None else ""
    )


def cleared(run: str, detail: Detail) -> str:
    verb = "retried the failed tasks" if part(detail, "body", "failed_only") else "cleared tasks"
    code = ", with the latest code" if part(detail, "code") == "latest" else ""
    return f"{verb} of run {run}{instances(detail)}{code}"


def marked(run: str, detail: Detail) -> str:
    task, state = text(part(detail, "body", "task_id")), part(detail, "body", "state")
    what = f"task {task} of run {run}" if task else f"run {run}"
    return f"marked {what} as {state}" if isinstance(state, str) else f"marked {what}"


def answered(place: str, detail: Detail) -> str:
    run, _, task = place.strip("`").partition("/")
    chosen = part(detail, "body", "chosen_options")
    said = (
        f": {listed([text(option) for option in chosen])}"
        if isinstance(chosen, list) and chosen
        else ""
    )
    again = " again" if part(detail, "repeated") is True else ""
    return f"answered the question of task `{task}` of run `{run}`{again}{said}"


def instances(detail: Detail) -> str:
    """Return how many task instances were changed."""
    found = number(part(detail, "instances"))
    return "" if found is None else f" ({counted(found, 'task instance')})"


def noted(run: str, detail: Detail) -> str:
    note = part(detail, "after", "note")
    return f"wrote a note on run {run}: {note}" if note else f"removed the note of run {run}"


def pool_set(pool: str, detail: Detail) -> str:
    slots, before = number(part(detail, "after", "slots")), part(detail, "before", "slots")
    if slots is None:
        return f"set the pool {pool}"
    if number(before) is None:
        return f"created the pool {pool} with {counted(slots, 'slot')}"
    return f"set the pool {pool} to {counted(slots, 'slot')} (before: {before})"


def retention_set(_: str, detail: Detail) -> str:
    days = number(part(detail, "after", "days"))
    kept = f"to {counted(days, 'day')}" if days is not None else "to the default"
    return f"set how long logs are kept {kept}"


def run_retention_set(_: str, detail: Detail) -> str:
    days = number(part(detail, "body", "days"))
    kept = f"to {counted(days, 'day')}" if days is not None else "to the default"
    return f"set how long runs are kept {kept}"


def airflow_runs_imported(dag: str, detail: Detail) -> str:
    stored, changed = (number(part(detail, "after", name)) or 0 for name in ("stored", "changed"))
    return f"imported {counted(stored + changed, 'run')} of DAG {dag} from Airflow"


def emitted(_: str, detail: Detail) -> str:
    return f"reported an event of the asset {text(part(detail, 'body', 'asset'))}"


def replayed(run: str, detail: Detail) -> str:
    made = text(part(detail, "after", "run_id"))
    return f"replayed run {run}" + (f" as {made}" if made else "")


def user_made(_: str, detail: Detail) -> str:
    return f"created the user {text(part(detail, 'body', 'name'))}{with_role(detail, 'body')}"


def user_changed(user: str, detail: Detail) -> str:
    disabled = part(detail, "body", "disabled")
    if isinstance(disabled, bool):
        return f"{'disabled' if disabled else 'enabled'} the user {user}"
    role = text(part(detail, "body", "role"))
    return f"gave {user} the role {role}" if role else f"changed the user {user}"


def member_added(_: str, detail: Detail) -> str:
    return f"added {text(part(detail, 'body', 'name'))} to the team{with_role(detail, 'body')}"


def role_mapped(user: str, detail: Detail) -> str:
    before, after = text(part(detail, "before")), text(part(detail, "after"))
    if not after:
        return f"took the role {before} from {user}"
    return f"gave {user} the role {after}" + (f" (before: {before})" if before else "")


def role_made(_: str, detail: Detail) -> str:
    return f"created the role {text(part(detail, 'body', 'name'))}"


def account_made(_: str, detail: Detail) -> str:
    name = text(part(detail, "body", "name"))
    return f"created the service account {name}{with_role(detail, 'body')}"


def token_made(_: str, detail: Detail) -> str:
    of = text(part(detail, "body", "user"))
    name = text(part(detail, "body", "name"))
    return f"created the token {name}" + (f" for {of}" if of else "") + with_role(detail, "body")


def team_made(team: str, detail: Detail) -> str:
    return f"created the team {text(part(detail, 'body', 'name')) or team}"


def granted(_: str, detail: Detail) -> str:
    return f"let {text(part(detail, 'body', 'grantee'))} {kind_of_grant(detail)}"


def asked_for_grant(_: str, detail: Detail) -> str:
    return f"asked {text(part(detail, 'body', 'owner'))} to {kind_of_grant(detail)}"


def kind_of_grant(detail: Detail) -> str:
    name = text(part(detail, "body", "name") or part(detail, "body", "dag_id"))
    kind = part(detail, "body", "kind")
    known = next((each for each in GrantKind if each == kind), None)
    return f"use {name}" if known is None else f"{known.word} the {known.subject} {name}"


def with_role(detail: Detail, where: str) -> str:
    role = text(part(detail, where, "role"))
    return f" with the role {role}" if role else ""


def signed_in(_: str, detail: Detail) -> str:
    return "signed in"


def sign_in_refused(user: str, detail: Detail) -> str:
    reason = part(detail, "reason")
    who = f" as {user}" if user else " by a link"
    return f"failed to sign in{who}" + (f": {reason}" if isinstance(reason, str) else "")


def refused(request: str, detail: Detail) -> str:
    """To a reader a 404 does not refuse anything. Both causes are named, because the entry cannot tell them apart."""
    times, status = number(part(detail, "times")) or 1, part(detail, "status")
    often = f" {counted(times, 'time')}" if times > 1 else ""
    if status == UNKNOWN:
        many = counted(times, "request") if times > 1 else "a request"
        return f"sent {many} without a valid session or token"
    if status == NOT_FOUND:
        return (
            f"asked{often} for something that does not exist, or is not visible to them: {request}"
        )
    if status == TOO_MANY:
        return f"sent too many requests, and was refused {request}{often}"
    return f"was refused {request}{often}"


def guessed(subject: str, detail: Detail) -> str:
    """``subject``: the run; of a watcher, which has none, the DAG that names it."""
    names = number(part(detail, "names"))
    many = counted(names, "name") if names is not None else "names"
    where = f"for DAG {subject}" if part(detail, "watcher") else f"in run {subject}"
    return f"asked for {many} of secrets that do not exist, {where}"


def start_refused(run: str, detail: Detail) -> str:
    reason = part(detail, "reason")
    why = f": {reason}" if isinstance(reason, str) else ""
    return f"was refused a DAG of another team, in run {run}{why}"


def agent_refused(host: str, detail: Detail) -> str:
    reason, times = part(detail, "reason"), number(part(detail, "times")) or 1
    often = f" {counted(times, 'time')}" if times > 1 else ""
    why = f": {reason}" if isinstance(reason, str) else ""
    return f"asked{often} on {host} to be let in, and was refused{why}"


def sign_in_link(_: str, detail: Detail) -> str:
    of = text(part(detail, "body", "user"))
    return "created a sign-in link" + (f" for {of}" if of else "")


def grant_changed(grant: str, detail: Detail) -> str:
    state = part(detail, "body", "state")
    return f"{state} the grant {grant}" if isinstance(state, str) else f"changed the grant {grant}"


def fields_changed(what: str) -> Callable[[str, Detail], str]:
    def tell(name: str, detail: Detail) -> str:
        given = part(detail, "body")
        fields = sorted(given) if isinstance(given, Mapping) else []
        return f"changed {what} {name}" + (f": {listed(fields)}" if fields else "")

    return tell


TOLD: Final[Mapping[str, Callable[[str, Detail], str]]] = {
    "dags.trigger": triggered,
    "dags.trigger_many": triggered_many,
    "dags.backfill": backfilled,
    "runs.clear": cleared,
    "runs.mark": marked,
    "questions.answer": answered,
    "runs.write_note": noted,
    "replays.replay": replayed,
    "pools.set_pool": pool_set,
    "log_retention.set_log_retention": retention_set,
    "run_retention.set_run_retention": run_retention_set,
    "assets.emit_asset_event": emitted,
    "users.create_user": user_made,
    "users.change_user": user_changed,
    "members.add_member": member_added,
    "members.role_map": role_mapped,
    "roles.create_role": role_made,
    "roles.change_role": fields_changed("the role"),
    "service_accounts.create_service_account": account_made,
    "tokens.create_token": token_made,
    "teams.create_team": team_made,
    "teams.change_team": fields_changed("the team"),
    "grants.give_grant": granted,
    "grants.ask_for_grant": asked_for_grant,
    "grants.change_grant": grant_changed,
    "session.sign_in": signed_in,
    "session.refused": sign_in_refused,
    "session.offer_link": sign_in_link,
    "access.refused": refused,
    "airflow_runs.import_airflow_runs": airflow_runs_imported,
    "secrets.guess": guessed,
    "agents.refuse": agent_refused,
    "dags.refuse": start_refused,
}
