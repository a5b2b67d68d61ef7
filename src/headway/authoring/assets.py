"""Assets as a DAG file names them: ``Asset("orders")``, ``outlets=[orders]``, ``schedule=orders & rates``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headway.authoring.frames import call_site
from headway.core import aliases
from headway.core.schedules.on_assets import ALL, ANY, Condition
from headway.spec.assets import SHOWN, flaw_of_name, flaw_of_words
from headway.spec.errors import BadSpec

if TYPE_CHECKING:
    from headway.authoring.watchers import Watcher


class BaseAsset:
    """An asset, or a condition on several. ``a & b``: both have new events; ``a | b``: one of them has."""

    def condition(self) -> Condition:
        """Return the condition as a spec keeps it."""
        raise NotImplementedError

    def __and__(self, other: "BaseAsset") -> "AssetAll":
        if not isinstance(other, BaseAsset):
            return NotImplemented
        return AssetAll(*parts(self, AssetAll), *parts(other, AssetAll))

    def __or__(self, other: "BaseAsset") -> "AssetAny":
        if not isinstance(other, BaseAsset):
            return NotImplemented
        return AssetAny(*parts(self, AssetAny), *parts(other, AssetAny))

    def __bool__(self) -> bool:
        raise TypeError(
            "an asset is neither true nor false; write `a & b` or `a | b`, not `and` or `or`"
        )


class Asset(BaseAsset):
    """Data that tasks update and DAGs wait for. Its name is unique in a team.

    Give a name, a URI or both: of one alone the other is made. ``watchers`` tell of its events outside of Headway.
    Raises BadSpec for a name that cannot be used.
    """

    def __init__(
        self,
        name: str | None = None,
        uri: str | None = None,
        *,
        group: str = "",
        extra: Mapping[str, Any] | None = None,
        watchers: "Sequence[Watcher]" = (),
    ) -> None:
        known = name if name is not None else uri
        if not isinstance(known, str):
            raise bad("an asset needs a name or a uri, which are strings")
        if (flaw := flaw_of_name(known)) is not None:
            raise bad(f"the name of the asset {known[:SHOWN]!a} {flaw}")
        self.name = known
        self.uri = known if uri is None else uri
        self.group = group
        self.extra = dict(extra or {})
        self.watchers: tuple[Watcher, ...] = ()
        if watchers:
            from headway.authoring.watchers import watchers_of  # few assets have any

            self.watchers = watchers_of(watchers)

    def condition(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Asset({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.name)


class AssetAlias(BaseAsset):
    """A name for assets that are known only while a task runs: ``run.outlet_events[alias].add(Asset(…))``.

    A DAG that has an alias as its schedule runs when an asset that was added through it has a new event. Raises BadSpec
    for a name that cannot be used.
    """

    uri = ""
    watchers = ()

    def __init__(self, name: str, *, group: str = "") -> None:
        if not isinstance(name, str):
            raise bad("an alias needs a name, which is a string")
        if (flaw := flaw_of_words(name)) is not None:
            raise bad(f"the name of the alias {name[:SHOWN]!a} {flaw}")
        self.alias = name
        self.name = aliases.key(name)  # as a spec names it
        self.group = group
        self.extra: dict[str, Any] = {}

    def condition(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"AssetAlias({self.alias!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetAlias) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.name)


class Several(BaseAsset):
    word = ""

    def __init__(self, *assets: BaseAsset) -> None:
        if not assets or not all(isinstance(asset, BaseAsset) for asset in assets):
            raise bad(f"{type(self).__name__} takes assets: {type(self).__name__}(orders, rates)")
        self.assets = assets

    def condition(self) -> Condition:
        return {self.word: [asset.condition() for asset in self.assets]}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.assets))})"


class AssetAll(Several):
    """All of these have new events."""

    word = ALL


class AssetAny(Several):
    """One of these has new events."""

    word = ANY


def parts(asset: BaseAsset, kind: type[Several]) -> tuple[BaseAsset, ...]:
    return asset.assets if isinstance(asset, kind) else (asset,)


def assets_in(given: object) -> Iterator[Asset | AssetAlias]:
    """Yield the assets and aliases of a schedule, as a DAG file gives it."""
    if isinstance(given, Asset | AssetAlias):
        yield given
    elif isinstance(given, Several):
        for asset in given.assets:
            yield from assets_in(asset)
    elif isinstance(given, (list, tuple)):
        for one in given:
            yield from assets_in(one)
    elif (inner := getattr(given, "assets", None)) is not None:
        yield from assets_in(inner)  # of a schedule on partitions


def bad(message: str) -> BadSpec:
    site = call_site()
    return BadSpec(message, file=site.file, line=site.line)
