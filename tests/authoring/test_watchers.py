"""Watchers in a DAG file: what a spec keeps of them, and mistakes with file, line and the next step."""

from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from headway import Asset, FilesArrive, HttpChanges, Watcher
from headway.loader.check import check
from headway.spec.errors import BadSpec
from headway.spec.model import Watcher as Spec
from headway.store.watchers import digest
from tests.authoring.files import spec_of
from tests.tidy.tree import ROOT

HEAD = """\
from headway import Asset, FileExists, FilesArrive, HttpChanges, Watcher, dag, task

async def mail(box):
    yield {"box": box}

async def state(path):
    return path

class Silent: ...

class Site:
    async def run(self):
        yield {}

def plain():
    return 1
"""
FLOW = """
@dag(schedule=orders)
def flow():
    @task
    def use() -> None: ...
    use()
"""


def spec(tmp_path: Path, orders: str) -> tuple[Spec, ...]:
    (asset,) = spec_of(tmp_path, f"{HEAD}\norders = {orders}\n{FLOW}").assets
    return asset.watchers


def test_a_spec_keeps_the_watchers_of_an_asset(tmp_path: Path) -> None:
    files, site, own = spec(
        tmp_path,
        'Asset("orders", watchers=[FilesArrive("/in/*.csv", partition="(.*).csv"),'
        ' HttpChanges("https://rates.example/eu?key=1", every=7),'
        ' Watcher(mail, name="post", box="in", queue="gpu", what="letters")])',
    )
    assert (files.name, files.trigger) == ("/in/*.csv", "headway.authoring.watching:files")
    assert files.kwargs == {
        "path": "/in/*.csv",
        "every_s": 5.0,
        "existing": False,
        "partition": "(.*).csv",
    }
    assert (site.name, site.what) == (
        "https://rates.example/eu",
        "changes of https://rates.example/eu",
    )
    assert (site.shared, own.shared, files.shared) == (True, False, True)
    assert (own.name, own.trigger.endswith(":mail"), own.kwargs) == ("post", True, {"box": "in"})
    assert (own.queue, own.what, own.every_s) == ("gpu", "letters", None)


def test_what_is_the_same_has_one_digest_whatever_its_name() -> None:
    first = FilesArrive("/in/*.csv", every=timedelta(seconds=5))
    assert digest(first.spec) == digest(FilesArrive("/in/*.csv", name="inbox").spec)
    assert digest(first.spec) != digest(FilesArrive("/in/*.csv", every=6).spec)
    assert digest(first.spec) != digest(FilesArrive("/in/*.csv", queue="gpu").spec)
    assert first == FilesArrive("/in/*.csv")
    assert Asset("a", watchers=[first]) != Asset("a")
    assert {first, FilesArrive("/in/*.csv")} == {first}


@pytest.mark.parametrize(
    ("orders", "message", "hint"),
    [
        (
            'Asset("orders", watchers=[FileExists("/in/x")])',
            "FileExists is not a watcher",
            "FileExists waits once, for a task; write FilesArrive(…), which tells of each change",
        ),
        ('Asset("orders", watchers=[mail])', "mail is not a watcher", "or Watcher(function)"),
        ('Asset("orders", watchers=mail)', "watchers must be a list of watchers", None),
        (
            'Asset("orders", watchers=[FilesArrive("in/*.csv")])',
            "FilesArrive needs an absolute path, not 'in/*.csv'",
            None,
        ),
        (
            'Asset("orders", watchers=[FilesArrive("/in", partition="x")])',
            "partition must be a regular expression with a group",
            None,
        ),
        (
            'Asset("orders", watchers=[HttpChanges("rates.example")])',
            "HttpChanges needs a URL with http:// or https://",
            None,
        ),
        (
            'Asset("orders", watchers=[FilesArrive("/in", every=0)])',
            "every must be a timedelta or a number of seconds above 0, not 0",
            None,
        ),
        ('Asset("orders", watchers=[Watcher(plain)])', "must be an async function", None),
        (
            'Asset("orders", watchers=[Watcher(lambda: 1)])',
            "a watcher must be a class or an async function at the top level of a module",
            None,
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, orders: str, message: str, hint: str | None
) -> None:
    told(tmp_path, orders, message, hint)


@pytest.mark.parametrize(
    ("watcher", "message", "hint"),
    [
        ("FilesArrive(None)", "FilesArrive needs an absolute path, not None", None),
        ('FilesArrive("/in/")', "FilesArrive needs files, and '/in/' is a folder", "write /in/*"),
        ('FilesArrive("/in", existing="no")', "existing must be True or False, not 'no'", None),
        ('FilesArrive("/in", every=float("nan"))', "at most 10 times a second", None),
        ('FilesArrive("/in", every=0.01)', "at most 10 times a second", None),
        ('FilesArrive("/in", every=10**400)', "every is a number that is too large", None),
        ('FilesArrive("/in", name=7)', "name of the watcher files must be a string, not 7", None),
        ('FilesArrive("/in", queue=None)', "queue of the watcher files must be a string", None),
        ('HttpChanges("http://")', "HttpChanges needs a URL with a host, not 'http://'", None),
        ('HttpChanges("http://[::1")', "cannot read the URL 'http://[::1'", None),
        ('HttpChanges("http://x:99999")', "cannot read the URL 'http://x:99999'", None),
        ('HttpChanges("http://x/a b")', "has characters that a URL cannot have", "%20"),
        ('HttpChanges("http://me:pw@x/y")', "has a login, which everybody", "leave the login out"),
        ('HttpChanges("http://x/y", every=86_400 * 32)', "at least once a month", None),
        ("Watcher(state, path=1)", "the watcher state yields no events", "write yield in it"),
        ("Watcher(mail, box=1, every=9)", "mail yields events and has every", "leave every out"),
        ("Watcher(mail, box=1, every=0.01)", "at most 10 times a second", None),
        ("Watcher(mail)", "cannot be called: missing a required argument: 'box'", None),
        ("Watcher(mail, bok=1, box=1)", "got an unexpected keyword argument 'bok'", None),
        ("Watcher(mail, box=1, cursor=1)", "the argument cursor of the watcher mail", None),
        ("Watcher(Silent)", "the watcher Silent is a class without run", "write async def run"),
        ("Watcher(Site, every=9)", "is a class, which cannot have every", "leave every out"),
        (
            "Watcher(mail, box=[object()])",
            "the argument box of the watcher mail[0] is of type object, which cannot be stored",
            "pass numbers, text, lists, dicts or dates",
        ),
    ],
)
def test_what_could_only_fail_in_an_agent_is_told_with_its_line(
    tmp_path: Path, watcher: str, message: str, hint: str | None
) -> None:
    told(tmp_path, f'Asset("orders", watchers=[{watcher}])', message, hint)


def test_a_class_and_an_address_in_capitals_are_fine(tmp_path: Path) -> None:
    site, page = spec(
        tmp_path, 'Asset("orders", watchers=[Watcher(Site), HttpChanges("HTTPS://x:8443/y")])'
    )
    assert (site.name, page.name) == ("Site", "HTTPS://x:8443/y")


def told(tmp_path: Path, orders: str, message: str, hint: str | None) -> None:
    trouble = mistake_in(tmp_path, orders)
    assert message in trouble.message
    assert trouble.line == HEAD.count("\n") + 2
    assert hint is None or hint in str(trouble.hint)


@pytest.mark.parametrize(
    ("orders", "message", "hint"),
    [
        (
            'Asset("orders", watchers=[FilesArrive("/in"), FilesArrive("/in", every=9)])',
            "the asset 'orders' has two watchers with the name '/in'",
            "give one of them another name",
        ),
        (
            'Asset("@shop/orders", watchers=[FilesArrive("/in")])',
            "has watchers, which only the team shop can give it",
            "leave the watchers out",
        ),
        (
            'Asset("orders", watchers=[Watcher(mail, box="x" * 20_000)])',
            "has arguments of 20,010 bytes as JSON; the limit is 16,384",
            None,
        ),
        (
            'Asset("orders", watchers=[Watcher(mail, name=f"w{n}", box=1) for n in range(21)])',
            "the asset 'orders' has 21 watchers; the limit is 20",
            None,
        ),
        (
            'Asset("orders", watchers=[Watcher(mail, name=" ", box=1)])',
            "has a name that is empty, or begins or ends with a space",
            "give it another name: name=…",
        ),
        (
            'Asset("orders", watchers=[FilesArrive("/" + "a" * 250)])',
            "has a name that is 251 bytes long",
            "give it another name: name=…",
        ),
    ],
)
def test_what_no_spec_may_have_is_told_with_the_dag(
    tmp_path: Path, orders: str, message: str, hint: str | None
) -> None:
    trouble = mistake_in(tmp_path, orders)
    assert message in trouble.message
    assert trouble.line is not None
    assert trouble.line > 0
    assert hint is None or hint in str(trouble.hint)


def mistake_in(tmp_path: Path, orders: str) -> BadSpec:
    with pytest.raises(BadSpec) as caught:
        spec(tmp_path, orders)
    return caught.value


def test_two_dags_may_not_mean_different_watchers_by_one_asset(tmp_path: Path) -> None:
    source = dedent("""
        from headway import Asset, FilesArrive, dag, task
        @dag(schedule=Asset("orders"))
        def flow():
            @task(inlets=[Asset("orders", watchers=[FilesArrive("/in")])])
            def use() -> None: ...
            use()
    """)
    with pytest.raises(BadSpec, match="with another uri, group, extra or watchers"):
        spec_of(tmp_path, source)


def test_the_example_is_right() -> None:
    (found,) = check(ROOT / "examples" / "assets" / "inbox.py")
    assert (found.error, [dag.dag_id for dag in found.dags]) == (None, ["read_mail"])


def test_names_are_those_of_the_code() -> None:
    assert repr(Watcher("flow:mail")) == "Watcher('mail')"
    assert HttpChanges("http://x/y?z=1").spec.name == "http://x/y"
