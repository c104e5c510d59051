"""What stands before every route: the token, the names the server answers to, headers, and the count of requests.

Enters and leaves: ASGI messages. Put around the application by `app`.
"""

import base64
import hmac
import time
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastsam.serve.metrics import Metrics

COOKIE = "fastsam"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'",
}


class Guard:
    """Lets requests with the token through (all requests if the service has no token): as `Authorization: Bearer`, as
    the password of `Basic`, or in the cookie that the page's own address with `?token=` sets."""

    def __init__(self, app: ASGIApp, token: str | None, metrics: Metrics, origins: Sequence[str]) -> None:
        self.app, self.token, self.metrics, self.origins = app, token, metrics, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.monotonic(), 500
        bare = scope["method"] == "HEAD"  # answered as GET is, without the body

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            elif bare:
                message = {**message, "body": b""}
            await send(message)

        if bare:
            scope = {**scope, "method": "GET"}
        try:
            await self.answering(scope)(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self.metrics.saw(route, "HEAD" if bare else scope["method"], status, time.monotonic() - start)

    def answering(self, scope: Scope) -> ASGIApp:
        """Who answers a request."""
        if not self.welcome(Headers(scope=scope)):
            return JSONResponse({"detail": "pages of other sites may not call this: --allow-origin lets one"}, 403)
        if self.token is None or self.fits(carried(Headers(scope=scope))):
            return self.app
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and scope["method"] == "GET" and self.fits(given):
            answer = RedirectResponse("/", 303)
            answer.set_cookie(COOKIE, given, httponly=True, samesite="strict", secure=scope["scheme"] == "https")
            return answer
        detail = "a token is needed: send Authorization: Bearer TOKEN, or open the page at /?token=TOKEN"
        return JSONResponse({"detail": detail}, 401, {"WWW-Authenticate": "Bearer"})

    def welcome(self, headers: Headers) -> bool:
        """Whether a request comes from a program, from this server's own page, or from a page of an allowed site."""
        origin = headers.get("origin")
        if origin is None or origin in self.origins or "*" in self.origins:
            return True
        try:
            return urlsplit(origin).netloc == headers["host"] != ""
        except (ValueError, KeyError):  # no address, or no host
            return False

    def fits(self, given: str) -> bool:
        """Whether it is the token. The time taken reveals nothing about the token."""
        assert self.token is not None
        return hmac.compare_digest(given.encode(), self.token.encode())


def carried(headers: Headers) -> str:
    """The token that a request carries, empty if it carries none."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":  # the password: Label Studio sends nothing else
        try:
            return base64.b64decode(value).decode().partition(":")[2]
        except (ValueError, UnicodeDecodeError):
            return ""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie else ""
