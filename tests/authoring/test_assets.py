"""Assets in a DAG file, and what its tasks say of them."""

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from headway import Asset, AssetAlias, Fail, Run, dag, task
from headway.authoring.asset_events import Told
from headway.authoring.dag import DAG
from headway.authoring.execute import Inputs, execute
from headway.authoring.loading import load_file
from headway.core.schedules import in_words
from headway.loader.check import check
from headway.spec.model import Asset as Spec
from headway.testing import run_dag
from tests.authoring.files import mistake, spec_of
from tests.tidy.tree import ROOT

EXAMPLES = ROOT / "examples" / "assets"
ORDERS = Asset("orders", uri="s3://shop/orders", group="shop", extra={"owner": "ann"})


def told(function: Any, *outlets: Asset) -> list[tuple[object, ...]]:
    return [tuple(one)[:3] for one in said(function, *outlets)]


def said(function: Any, *outlets: Asset | AssetAlias) -> list[Told]:
    @dag
    def flow() -> None:
        task(outlets=outlets)(function)()

    made: DAG = flow()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    run = Run(
        run_id="r",
        dag_id="flow",
        task_id=function.__name__,
        logical_date=at,
        data_interval=(at, at),
    )
    return list(execute(made, function.__name__, run, Inputs()).told or [])


def test_the_example_names_its_assets() -> None:
    by_id = {
        made.dag_id: made.spec("shop.py") for made in load_file(EXAMPLES / "shop.py", EXAMPLES)
    }
    assert by_id["shop_report"].schedule == {"assets": {"all": ["shop_orders", "shop_rates"]}}
    assert by_id["shop_orders"].tasks[0].outlets == ("shop_orders",)
    assert by_id["shop_report"].tasks[0].inlets == ("shop_orders", "shop_rates")
    assert by_id["shop_orders"].assets == (Spec(name="shop_orders", uri="s3://shop/orders"),)


@pytest.mark.parametrize(
    ("schedule", "condition"),
    [
        ("a", "a"),
        ("[a, b]", {"all": ["a", "b"]}),
        ("a & b & c", {"all": ["a", "b", "c"]}),
        ("a | b | c", {"any": ["a", "b", "c"]}),
        ("(a & b) | c", {"any": [{"all": ["a", "b"]}, "c"]}),
        ("[a | b, c]", {"all": [{"any": ["a", "b"]}, "c"]}),
    ],
)
def test_a_schedule_is_a_condition_on_assets(
    tmp_path: Path, schedule: str, condition: object
) -> None:
    spec = spec_of(
        tmp_path,
        f"""
        from headway import Asset, dag
        a, b, c = map(Asset, "abc")
        @dag(schedule={schedule})
        def flow():
            pass
        """,
    )
    assert spec.schedule == {"assets": condition}
    assert {asset.name for asset in spec.assets} <= {"a", "b", "c"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('Asset("")', "is empty"),
        ("Asset()", "needs a name or a uri"),
        ('Asset("x" * 300)', "the limit is 250"),
        ('Asset("a\\nb")', "control character"),
        ('Asset("a\\ud800")', "lone surrogate"),
        ('Asset("a\\u200bb")', "contains an invisible character ('\\u200b')"),
        ('Asset("a\\x9b2J")', "contains an invisible character ('\\x9b')"),
        ('task(outlets="orders")(len)', "outlets must be an Asset or a list of them"),
        ('DAG("d", schedule=["orders"])', "an asset or a list of assets"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, line: str, message: str) -> None:
    assert message in mistake(
        tmp_path, f"from headway import *\nfrom headway import Asset, DAG, task\n{line}\n"
    )


def test_one_name_is_one_asset(tmp_path: Path) -> None:
    text = """
        from headway import Asset, dag, task
        @dag(schedule=Asset("orders", uri="s3://a"))
        def flow():
            @task(outlets=[Asset("orders", uri="s3://b")])
            def load(): ...
            load()
        """
    assert 'two assets are called "orders"' in mistake(tmp_path, text)


def test_assets_are_joined_by_signs_not_by_words() -> None:
    with pytest.raises(TypeError, match="a & b"):
        bool(Asset("a") and Asset("b"))


def test_a_task_says_what_its_events_carry() -> None:
    def load(run: Run, outlet_events: Any) -> None:
        run.outlet_events[ORDERS].extra = {"rows": 7}
        assert outlet_events["orders"].extra == {"rows": 7}

    def parts(run: Run) -> None:
        run.outlet_events["orders"].add("2026-01-31", {"rows": 7})
        run.outlet_events["orders"].add("2026-02-01")

    assert told(load, ORDERS) == [("orders", b'{"rows": 7}', None)]
    assert told(parts, ORDERS) == [
        ("orders", b'{"rows": 7}', "2026-01-31"),
        ("orders", b"{}", "2026-02-01"),
    ]


@pytest.mark.parametrize(
    ("extra", "outlets", "message"),
    [
        ({"rows": {1, 2}}, (ORDERS,), "not JSON"),
        ({"rows": float("nan")}, (ORDERS,), "not JSON"),
        ({"rows": "\0"}, (ORDERS,), "NUL"),
        ({"rows": "x" * 20_000}, (ORDERS,), "the limit is 16,384"),
        ({"rows": 1}, (), "not an outlet"),
    ],
)
def test_what_cannot_be_sent_fails_the_task(
    extra: dict[str, Any], outlets: tuple[Asset, ...], message: str
) -> None:
    def load(run: Run) -> None:
        run.outlet_events[ORDERS].extra = extra

    with pytest.raises(Fail, match=message):
        told(load, *outlets)


def test_in_a_unit_test_nothing_has_triggered_the_run() -> None:
    @dag(schedule=ORDERS)
    def flow() -> None:
        @task(inlets=[ORDERS])
        def read(run: Run, inlet_events: Any) -> list[object]:
            return [len(run.triggering_asset_events), inlet_events[ORDERS]]

        read()

    assert run_dag(flow)["read"].value == [0, []]


FILES = AssetAlias("files")


def test_an_alias_stands_where_an_asset_does(tmp_path: Path) -> None:
    spec = spec_of(
        tmp_path,
        """
        from headway import Asset, AssetAlias, dag, task
        files = AssetAlias("files", group="in")
        @dag(schedule=files | Asset("a"))
        def flow():
            @task(outlets=files, inlets=[files])
            def one():
                pass
            one()
        """,
    )
    assert spec.schedule == {"assets": {"any": ["@alias:files", "a"]}}
    assert spec.assets == (Spec(name="@alias:files", group="in"), Spec(name="a", uri="a"))
    (one,) = spec.tasks
    assert one.outlets == one.inlets == ("@alias:files",)
    assert in_words(spec.schedule) == "on alias files or a"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('AssetAlias("")', "the name of the alias '' is empty"),
        ("AssetAlias(3)", "an alias needs a name"),
        ('Asset("@alias:files")', "begins with @"),
    ],
)
def test_a_mistake_with_an_alias_is_told(tmp_path: Path, line: str, message: str) -> None:
    assert message in mistake(tmp_path, f"from headway import Asset, AssetAlias\n{line}\n")


def test_a_task_adds_assets_to_its_alias() -> None:
    def load(run: Run) -> None:
        files = run.outlet_events[FILES]
        files.add(ORDERS, {"rows": 7})
        files.add("eu", partition="2026-01-31")
        files.add("eu", {"rows": 1}, partition="2026-01-31")

    definition = b'{"uri": "s3://shop/orders", "group": "shop", "extra": {"owner": "ann"}}'
    assert said(load, FILES) == [
        ("orders", b'{"rows": 7}', None, "files", definition),
        ("eu", b'{"rows": 1}', "2026-01-31", "files", b'{"uri": "eu", "group": "", "extra": {}}'),
    ]


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ((3,), "an asset or its name can be added"),
        (("@shop/orders",), "is of the team shop"),
        (("",), "is empty"),
        (("a", {"x": object()}), "is not JSON"),
    ],
)
def test_what_cannot_be_added_is_told(added: tuple[Any, ...], message: str) -> None:
    def load(run: Run) -> None:
        run.outlet_events[FILES].add(*added)

    with pytest.raises(Fail, match=message):
        said(load, FILES)


def test_an_alias_must_be_an_outlet_and_takes_so_many_assets() -> None:
    def load(run: Run) -> None:
        for number in range(101):
            run.outlet_events[FILES].add(f"a{number}")

    with pytest.raises(Fail, match="the limit is 100"):
        said(load, FILES)
    with pytest.raises(Fail, match="the alias 'files' is not an outlet"):
        said(load, ORDERS)


def test_a_folder_is_told_of_an_alias_to_which_nothing_is_added(tmp_path: Path) -> None:
    reads = """
        from headway import AssetAlias, dag, task
        @dag(schedule=AssetAlias("files"))
        def uses():
            @task(inlets=[AssetAlias("others")])
            def one():
                pass
            one()
        uses()
        """
    (tmp_path / "uses.py").write_text(dedent(reads), encoding="utf-8")
    (found,) = check(tmp_path)
    assert [each.message for each in found.warnings] == [
        "DAG uses waits for the alias files, to which no task of this folder adds an asset",
        "DAG uses reads the alias others, to which no task of this folder adds an asset",
    ]
    adds = reads.replace("uses", "adds").replace('schedule=AssetAlias("files")', "")
    adds = adds.replace('inlets=[AssetAlias("others")]', 'outlets=[AssetAlias("files")]')
    (tmp_path / "adds.py").write_text(dedent(adds), encoding="utf-8")
    by_file = {each.file: [one.message for one in each.warnings] for each in check(tmp_path)}
    assert by_file["adds.py"] == []
    assert len(by_file["uses.py"]) == 1
    assert check(tmp_path / "uses.py")[0].warnings == (), "the others are not looked at"
