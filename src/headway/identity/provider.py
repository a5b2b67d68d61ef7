"""An OpenID provider: what it says of itself, its keys, and the exchange of a code for tokens.

Nothing that a browser or a token brings decides whom we ask: all addresses come from the issuer of the settings.
Answers are bounded in time and size, and no redirect is followed.
"""

import asyncio
import base64
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from headway import clock
from headway.errors import NotReachable
from headway.identity.id_token import Refused, key_set
from headway.identity.sections import Oidc

if TYPE_CHECKING:
    import httpx
    from joserfc.jwk import KeySet

T = TypeVar("T")

TIME_OUT_S: Final = 10.0
BYTES_MAX: Final = 1 << 20
FRESH_S: Final = 600.0  # a key that the provider gave up is believed no longer than this
AGAIN_S: Final = 10.0  # tokens with made-up keys make us ask no more often
WELL_KNOWN: Final = "/.well-known/openid-configuration"


class Metadata(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Tokens(msgspec.Struct, frozen=True):
    access_token: str
    id_token: str | None = None  # of a refresh there may be none
    refresh_token: str | None = None


class Provider:
    def __init__(self, name: str, settings: Oidc, secret: str) -> None:
        self.name = name
        self.settings = settings
        self.secret = secret
        self._client: httpx.AsyncClient | None = None
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def metadata(self) -> Metadata:
        now = clock.monotonic()
        if self._metadata is None or self._metadata[0] + FRESH_S < now:
            url = self.settings.issuer.rstrip("/") + WELL_KNOWN
            found = self.read(await self.ask("GET", url), Metadata)
            self.check(found)
            self._metadata = (now, found)
        return self._metadata[1]

    def check(self, found: Metadata) -> None:
        """Raises NotReachable: the document is of another issuer, or leads to where nothing is encrypted."""
        if found.issuer != self.settings.issuer:
            raise self.trouble(f"it says that its issuer is {found.issuer!r}")
        wanted = urlsplit(self.settings.issuer).scheme
        for url in (
            found.authorization_endpoint,
            found.token_endpoint,
            found.jwks_uri,
            found.userinfo_endpoint or self.settings.issuer,
            found.end_session_endpoint or self.settings.issuer,
        ):
            if urlsplit(url).scheme not in ("https", wanted):
                raise self.trouble(f"{url!r} is not an https address")

    async def keys(self, older_than_s: float = FRESH_S) -> "KeySet":
        """Return the provider's keys, asked for anew if those in memory are older."""
        now = clock.monotonic()
        if self._keys is None or self._keys[0] + older_than_s <= now:
            answer = await self.ask("GET", (await self.metadata()).jwks_uri)
            self._keys = (now, key_set(self.read(answer, dict[str, Any])))
        return self._keys[1]

    async def exchange(self, code: str, verifier: str, back: str) -> Tokens:
        """Raises Refused: the code is not good (any more)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        return await self.tokens(form, "code")

    async def refresh(self, token: str) -> Tokens:
        """Raises Refused: the provider's session is over."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.tokens(form, "refresh")

    async def tokens(self, form: Mapping[str, str], what: str) -> Tokens:
        metadata = await self.metadata()
        headers = {}
        if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            pair = f"{quote(self.settings.client_id, safe='')}:{quote(self.secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form = {
                **form,
                "client_id": self.settings.client_id,
                "client_secret": self.secret,
            }
        answer = await self.ask("POST", metadata.token_endpoint, form, headers, what)
        return self.read(answer, Tokens)

    async def userinfo(self, access_token: str) -> Mapping[str, Any]:
        url = (await self.metadata()).userinfo_endpoint
        if url is None:
            return {}
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.read(await self.ask("GET", url, headers=headers), dict[str, Any])

    def read(self, body: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.MsgspecError as error:
            raise self.trouble(f"it answered what is not understood: {error}") from error

    async def ask(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        what: str = "",
    ) -> bytes:
        """Return the body of an answer. Raises Refused: the provider said no. NotReachable: it said nothing of use."""
        import httpx

        # Nothing is unpacked: a short answer could be made into one of any size, before its bytes are counted.
        plain = {**(headers or {}), "Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(TIME_OUT_S),
                self.client().stream(method, url, data=form, headers=plain) as answer,
            ):
                body = b""
                async for part in answer.aiter_raw():
                    body += part
                    if len(body) > BYTES_MAX:
                        raise self.trouble(f"its answer is longer than {BYTES_MAX:,} bytes")
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise self.trouble(str(error) or type(error).__name__) from error
        if status in (400, 401, 403) and method == "POST":
            raise Refused(f"the provider refused the {what}: {error_of(body)}")
        if status != 200:
            raise self.trouble(f"{urlsplit(url).path} answered {status}")
        return body

    def client(self) -> "httpx.AsyncClient":
        import httpx

        if self._client is None:
            trust = ssl.create_default_context(cafile=self.settings.ca_file)
            limits = httpx.Limits(max_connections=20, max_keepalive_connections=0)
            self._client = httpx.AsyncClient(verify=trust, limits=limits, timeout=TIME_OUT_S)
        return self._client

    def trouble(self, what: str) -> NotReachable:
        return NotReachable(
            f"the identity provider of {self.settings.label} cannot be used: {what}",
            hint=f"an admin checks [oidc.{self.name}] in the settings of sign-in",
        )


def error_of(body: bytes) -> str:
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return "no reason given"
    return str(said.get("error", "no reason given"))[:100] if isinstance(said, dict) else "?"
