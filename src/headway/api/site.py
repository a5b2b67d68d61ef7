"""The web interface: prebuilt files, listed by path at the start.

Every other path is a page of the interface and gets ``index.html``. Request paths are never joined
to a folder, so no path can leave it.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from litestar.types import HTTPScope, Receive, Send

BUILT: Final = Path(__file__).parents[1] / "ui_dist"
IMMUTABLE: Final = b"public, max-age=31536000, immutable"  # below /assets/ a name holds a hash
ENCODINGS: Final = ((b"br", ".br"), (b"gzip", ".gz"))
KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
NOT_BUILT: Final = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Headway</title>
<h1>Headway runs; its web interface is not built</h1>
<p>In a checkout, build it with <code>make ui</code> (it needs Node.js), then start Headway again.</p>
<p>The API is at <code>/api/v1</code>, and the command line has everything: <code>headway --help</code>.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    path: Path
    kind: bytes
    encoded: tuple[tuple[bytes, Path], ...]  # the same, smaller
    immutable: bool


class Site:
    def __init__(self, folder: Path = BUILT) -> None:
        self.assets = found_in(folder)

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await answer(send, 405, [(b"allow", b"GET, HEAD")], b"")
            return
        path = scope["path"]
        asset = self.assets.get(path)
        if asset is None and path.startswith("/assets/"):
            await answer(send, 404, [], b"")
            return
        asset = asset or self.assets.get("/index.html")
        if asset is None:
            await answer(send, 200, [(b"content-type", b"text/html; charset=utf-8")], NOT_BUILT)
            return
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"")
        headers, file = chosen(asset, accepted)
        body = await asyncio.to_thread(file.read_bytes)
        await answer(send, 200, headers, body if scope["method"] == "GET" else b"")


def found_in(folder: Path) -> dict[str, Asset]:
    files = {file for file in folder.rglob("*") if file.is_file()}
    return {
        f"/{file.relative_to(folder).as_posix()}": asset_of(file, folder, files)
        for file in files
        if file.suffix not in (".br", ".gz")
    }


def asset_of(file: Path, folder: Path, files: set[Path]) -> Asset:
    smaller = [(name, file.with_name(file.name + suffix)) for name, suffix in ENCODINGS]
    return Asset(
        path=file,
        kind=KINDS.get(file.suffix, "application/octet-stream").encode(),
        encoded=tuple((name, path) for name, path in smaller if path in files),
        immutable=file.is_relative_to(folder / "assets"),
    )


def chosen(asset: Asset, accepted: bytes) -> tuple[list[tuple[bytes, bytes]], Path]:
    headers = [(b"content-type", asset.kind), (b"vary", b"Accept-Encoding")]
    if asset.immutable:
        headers.append((b"cache-control", IMMUTABLE))
    names = {part.partition(b";")[0].strip() for part in accepted.split(b",")}
    for name, path in asset.encoded:
        if name in names:
            return [*headers, (b"content-encoding", name)], path
    return headers, asset.path


async def answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
