"""``make mutants [MODULE=core/retry] [SAMPLE=50]``: plant small mistakes one at a time; a test must notice each.

``survivors.txt`` names those that need not be noticed, with the reason. The rest of a module is killed to 90 % or
more, or the command fails. Each is a line of the report: where it is, what it was, and what it became. A sample is
the same mutants each time.
"""

import argparse
import random
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.mutants.planting import Mutant
from tests.mutants.trial import Finder, Switch, Trial

CORE: Final = ("tests/core",)
BACKENDS: Final = (
    "tests/secrets/test_backend_answers.py",
    "tests/secrets/test_cloud_answers.py",
    "tests/secrets/test_backends.py",
)
# The tests that know a module best: those of them that reach a mutant are tried on it, the shortest first.
TESTS: Final = {
    "core/plan": CORE,
    "core/upstream": CORE,
    "core/admission": CORE,
    "core/mapping": CORE,
    "core/retry": CORE,
    "core/verdicts": CORE,
    "core/branches": CORE,
    "core/ready": CORE,
    "core/judging": CORE,
    "core/sight": CORE,
    "core/lending": CORE,
    "core/setups": CORE,
    "core/roles": CORE,
    "core/role_map": CORE,
    "core/grants": CORE,
    "core/outbound": ("tests/core/test_outbound.py",),
    "core/webhooks": ("tests/core/test_webhooks.py",),
    "core/answering": ("tests/core/test_answers.py",),
    "core/questions": ("tests/core/test_answers.py",),
    "core/globs": ("tests/core/test_role_map.py", "tests/core/test_pod_policy.py"),
    "core/connections": ("tests/core/test_connections.py",),
    "core/foreign": ("tests/core/test_foreign.py",),
    "core/pod_policy": ("tests/core/test_pod_policy.py", "tests/kubernetes/test_pod_rules.py"),
    "agent/masking": (
        "tests/agent/test_masking.py",
        "tests/agent/test_text.py",
        "tests/agent/test_shown.py",
    ),
    "agent/shown": ("tests/agent/test_shown.py",),
    "agent/logs": ("tests/agent/test_attempt_log.py", "tests/agent/test_budget.py"),
    "agent/rendered": ("tests/agent/test_rendered.py",),
    "api/peers": ("tests/api/test_peers.py",),
    "api/record": ("tests/api/test_record.py",),
    "api/origins": ("tests/api/test_origins.py",),
    "api/principal": ("tests/api/test_principal.py",),
    "api/guests": ("tests/api/test_guests.py",),
    "api/door": ("tests/api/test_door.py",),
    "api/scopes": ("tests/api/test_rights.py",),
    "api/refused": ("tests/api/test_refused.py",),
    "api/cookies": ("tests/api/test_cookies.py",),
    "api/guard": ("tests/api/test_guard_rules.py",),
    "api/signin": ("tests/api/test_signin.py", "tests/api/test_sign_in_rates.py"),
    "api/rates": ("tests/api/test_rates.py",),
    "api/team_rates": ("tests/api/test_rates.py",),
    "api/renewal": ("tests/api/test_renewal.py",),
    "api/repeats": ("tests/api/test_repeats.py",),
    "api/context": ("tests/api/test_context.py",),
    "api/access": (
        "tests/api/test_admission.py",
        "tests/api/test_access.py",
        "tests/api/test_identity.py",
        "tests/api/test_session.py",
        "tests/api/test_members.py",
        "tests/api/test_hardening.py",
    ),
    "identity/id_token": ("tests/identity/test_id_token.py",),
    "identity/logout_token": ("tests/identity/test_logout_token.py",),
    "identity/proxy": ("tests/identity/test_proxy.py",),
    "identity/external": (
        "tests/identity/test_external.py",
        "tests/api/test_sign_in_by_proxy.py",
    ),
    "identity/rule_lines": ("tests/identity/test_settings.py",),
    "identity/accounts": ("tests/identity/test_accounts.py",),
    "identity/password": ("tests/identity/test_passwords.py",),
    "identity/link": ("tests/identity/test_passwords.py",),
    "identity/passwords": ("tests/identity/test_passwords.py",),
    "identity/settings": ("tests/identity/test_settings.py",),
    "identity/sections": ("tests/identity/test_sections.py",),
    "identity/directory": (
        "tests/identity/test_directory_rules.py",
        "tests/identity/test_directory.py",
    ),
    "identity/ldap": ("tests/identity/test_ways_of_directories.py",),
    "identity/kerberos": ("tests/identity/test_ways_of_directories.py",),
    "identity/provider": ("tests/identity/test_provider.py", "tests/identity/test_outbound.py"),
    "identity/oidc": ("tests/identity/test_oidc.py",),
    "store/api_tokens": (
        "tests/store/test_agent_tokens.py",
        "tests/identity/test_accounts.py",
        "tests/api/test_admission.py",
    ),
    "store/browser_sessions": ("tests/identity/test_accounts.py", "tests/api/test_session.py"),
    "store/people": (
        "tests/identity/test_accounts.py",
        "tests/store/test_teams.py",
        "tests/api/test_members.py",
    ),
    "store/roles": ("tests/identity/test_accounts.py", "tests/api/test_rights.py"),
    "store/grants": ("tests/scenarios/test_grants.py", "tests/api/test_grants.py"),
    "store/sign_in_rates": ("tests/api/test_sign_in_rates.py",),
    "store/api_login": ("tests/store/test_walls.py", "tests/api/test_walls.py"),
    "store/run_links": ("tests/api/test_run_links.py", "tests/api/test_answer_links.py"),
    "store/sessions": ("tests/scenarios/test_gateway.py", "tests/scenarios/test_strangers.py"),
    "api/routes/session": (
        "tests/api/test_session.py",
        "tests/api/test_ways.py",
        "tests/api/test_identity.py",
    ),
    "api/routes/users": ("tests/api/test_identity.py", "tests/api/test_members.py"),
    "api/routes/tokens": (
        "tests/api/test_token_rights.py",
        "tests/api/test_identity.py",
        "tests/api/test_rights.py",
    ),
    "api/routes/roles": ("tests/api/test_rights.py",),
    "api/routes/run_links": (
        "tests/api/test_token_rights.py",
        "tests/api/test_run_links.py",
    ),
    "api/routes/answer_links": ("tests/api/test_answer_links.py",),
    "executors/agents/refusals": ("tests/scenarios/test_strangers.py",),
    "executors/agents/link": ("tests/executors/test_crowding.py",),
    "executors/agents/handing": ("tests/executors/test_handing.py",),
    "executors/agents/doors": ("tests/executors/test_doors.py",),
    "agent/users": ("tests/agent/test_users.py",),
    "executors/agents/flaws": ("tests/executors/test_flaws.py",),
    "executors/agents/errands": ("tests/executors/test_rights_to_files.py",),
    "executors/agents/asks": ("tests/executors/test_questions.py", "tests/executors/test_asks.py"),
    "executors/agents/standing": (
        "tests/executors/test_standing.py",
        "tests/executors/test_watchers.py",
    ),
    "executors/agents/rights": ("tests/executors/test_letting_in.py",),
    "executors/agents/gateway": (
        "tests/scenarios/test_gateway.py",
        "tests/executors/test_floods.py",
        "tests/executors/test_hostile_agents.py",
    ),
    "executors/agents/files": (
        "tests/executors/test_files.py",
        "tests/executors/test_log_bounds.py",
    ),
    "executors/kubernetes/arrivals": ("tests/kubernetes/test_letting_in.py",),
    "agent/asks": ("tests/agent/test_asks.py",),
    "agent/budget": ("tests/agent/test_budget.py",),
    "agent/tls": ("tests/agent/test_tls.py",),
    "actions/grants": ("tests/api/test_granting.py",),
    "actions/answers": ("tests/api/test_questions.py", "tests/api/test_answer_links.py"),
    "actions/teams": ("tests/api/test_teams.py",),
    "actions/webhooks": ("tests/api/test_webhooks.py",),
    "outbound/post": ("tests/outbound/test_post.py",),
    "api/live/watcher": ("tests/api/test_stream_holders.py",),
    "api/routes/webhooks": (
        "tests/api/test_token_rights.py",
        "tests/api/test_webhooks.py",
    ),
    "core/crowds": ("tests/core/test_crowds.py",),
    "core/teams": ("tests/core/test_teams.py",),
    "secrets/envelope": ("tests/secrets/test_keys.py", "tests/secrets/test_kms.py"),
    "secrets/keys": ("tests/secrets/test_keys.py", "tests/secrets/test_kms.py"),
    "secrets/kms": ("tests/secrets/test_kms.py",),
    "secrets/settings": BACKENDS,
    "secrets/runs": ("tests/secrets/test_runs_rights.py",),
    "secrets/asset_events": (
        "tests/secrets/test_service.py",
        "tests/scenarios/test_assets.py",
        "tests/scenarios/test_asset_aliases.py",
    ),
    "secrets/stored": ("tests/secrets/test_stored.py",),
    "secrets/backends/base": BACKENDS,
    "secrets/backends/builtin": BACKENDS,
    "secrets/backends/environment": BACKENDS,
    "secrets/backends/files": BACKENDS,
    "secrets/backends/vault": BACKENDS,
    "secrets/backends/aws": BACKENDS,
    "secrets/backends/gcp": BACKENDS,
    "secrets/backends/azure": BACKENDS,
    "secrets/service": ("tests/secrets/test_service.py", "tests/secrets/test_askers.py"),
    "secrets/askers": ("tests/secrets/test_askers.py",),
    "secrets/results": (
        "tests/secrets/test_results.py",
        "tests/secrets/test_runs.py",
        "tests/secrets/test_service.py",
    ),
}
# Modules whose tests need a database or a server for each mistake: of them so many are tried when all modules are.
SAMPLES: Final = {
    module: 40
    for module in TESTS
    if module.startswith(("store/", "api/routes/", "actions/", "api/live/"))
    or module == "secrets/asset_events"
    or module in ("executors/agents/gateway", "executors/agents/files", "executors/agents/standing")
}
WANTED: Final = 0.9
WORKERS: Final = 2
KNOWN: Final = Path(__file__).with_name("survivors.txt")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("module", nargs="?", choices=TESTS, metavar="MODULE")
    parser.add_argument("--sample", type=int, metavar="N", help="judge N mutants of a module only")
    parser.add_argument("--workers", type=int, default=WORKERS)
    asked = parser.parse_args(arguments)
    if asked.module:
        return judge(asked.module, asked.workers, asked.sample)
    return max(judged_alone(module, arguments) for module in TESTS)


def judged_alone(module: str, options: list[str]) -> int:
    """Judge a module in a process of its own, which imports it with its mistakes."""
    most = SAMPLES.get(module)
    sample = [] if most is None else ["--sample", str(most)]
    command = [sys.executable, "-m", "tests.mutants", module, *sample, *options]
    return subprocess.run(command, check=False).returncode


def judge(module: str, workers: int, sample: int | None) -> int:
    finder = Finder(f"headway.{module.replace('/', '.')}", Switch())
    sys.meta_path.insert(0, finder)
    trial = Trial(finder, workers, lambda mutants: sampled(module, mutants, sample))
    options = ["-s", "-m", "not stress", "-p", "no:randomly", "-p", "no:cacheprovider"]
    options += [
        "--timeout",
        "0",
    ]  # its alarm would take the place of the one for mutants without end
    code = pytest.main([*options, *TESTS[module]], [trial])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return int(code)
    return report(module, trial, reasons())


def sampled(module: str, mutants: list[Mutant], most: int | None) -> list[Mutant]:
    """Return that many, drawn by the module's name, in their order."""
    if most is None or most >= len(mutants):
        return mutants
    drawn = random.Random(module).sample(mutants, most)
    return sorted(drawn, key=lambda mutant: mutant.number)


def report(module: str, trial: Trial, known: dict[str, str]) -> int:
    keys = {mutant.key(module) for mutant in trial.survivors}
    tried = {mutant.key(module) for mutant in trial.tried}
    planted = {mutant.key(module) for mutant in trial.finder.mutants}
    stale = [
        key
        for key in known
        if key.startswith(f"{module} ") and key not in keys and (key in tried or key not in planted)
    ]
    left = [mutant for mutant in trial.survivors if mutant.key(module) not in known]
    for mutant in left:
        unreached = "  (no test comes here)" if mutant in trial.unreached else ""
        print(f"src/headway/{module}.py:{mutant.line}: {mutant.function}{unreached}")
        print(f"    - {mutant.before}\n    + {mutant.after}")
    for key in stale:
        print(f"killed or gone, to be taken from {KNOWN.name}: {key}")
    judged = len(trial.tried) - (len(trial.survivors) - len(left))
    killed = judged - len(left)
    drawn = len(trial.tried) < len(trial.finder.mutants)
    print(
        f"{module}: {killed} of {judged} killed, {killed / judged:.1%};"
        f" {len(trial.tried) - judged} known to be harmless"
        + f"; a sample of {len(trial.finder.mutants)}"
        * drawn
    )
    return int(killed < WANTED * judged or bool(stale))


def reasons() -> dict[str, str]:
    """By a mutant's key why it need not be killed: a line of its own, and below it, indented, the reason."""
    found: dict[str, str] = {}
    key = ""
    for line in KNOWN.read_text("utf-8").splitlines():
        if line.startswith("    "):
            found[key] += line.strip()
        elif line and not line.startswith("#"):
            key = line
            found[key] = ""
    assert all(found.values()), "each needs a reason"
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
