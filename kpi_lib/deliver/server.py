"""Where mail is handed in: the server that KPI_SMTP_URL names."""

import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from kpi_lib.errors import ParamsError

VARIABLE = "KPI_SMTP_URL"
EXPECTED = "expected smtps://user:password@host:465 or smtp://host:587"
ESCAPES = "in a user or password, % : / ? # @ are written %25 %3A %2F %3F %23 %40"
PORTS = {"smtps": 465, "smtp": 587}


@dataclass(frozen=True)
class Server:
    """Where mail is handed in; the password is in no text that this makes."""

    host: str
    port: int
    tls: Literal["implicit", "starttls", "off"] = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 20.0  # seconds for each answer
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False, compare=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Server":
        """Read KPI_SMTP_URL: `smtps://` is TLS from the start, `smtp://` is STARTTLS, which must be offered.

        STARTTLS is not asked for on a loopback address or with `?tls=off`; `?tls=on` asks for it there too.
        `?timeout=20` sets the seconds to wait for each answer. A mistake is a ParamsError that quotes no part of the
        address, as any part of it may be a piece of a password that was not escaped.
        """
        read = _read(environ.get(VARIABLE, "").strip())
        if isinstance(read, str):  # raised here, so that no exception that holds the address is its context
            raise ParamsError(read, where=VARIABLE)
        return read

    @property
    def name(self) -> str:
        """The server as messages name it."""
        return f"the mail server {self.host}:{self.port}"


def _read(url: str) -> Server | str:
    """Return the server that an address names, or what is wrong with it in a sentence that quotes none of it."""
    if not url:
        return f"the environment variable is not set; {EXPECTED}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # what no name server could be asked for
        user, password = (text and unquote(text, errors="strict") for text in (parts.username, parts.password))
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        timeout = float(options.pop("timeout", "20"))
    except ValueError:
        return f"not readable; {EXPECTED} ({ESCAPES})"
    tls = options.pop("tls", None)
    if parts.scheme not in PORTS or not host or parts.path.strip("/") or parts.fragment:
        return f"not an address of a mail server; {EXPECTED} ({ESCAPES})"
    if options or tls not in (None, "on", "off") or not 0 < timeout < 3600:
        return f"after ? come only tls=on, tls=off or timeout=SECONDS, joined by & ({ESCAPES})"
    if bool(user) != bool(password):
        return "a user and a password come together, or neither"
    if not f"{user}{password}".isascii():
        return "a user or password with characters beyond ASCII cannot be handed to a mail server"
    here = _is_loopback(host)
    if parts.scheme == "smtps" and tls == "off":
        return "smtps:// is TLS from the start; tls=off belongs to smtp://"
    if user and tls == "off" and not here:
        return "with tls=off the password would be sent in the clear; leave out one of the two"
    kind: Literal["implicit", "starttls", "off"] = "off" if tls == "off" or (here and tls is None) else "starttls"
    return Server(
        host=host,
        port=port or PORTS[parts.scheme],
        tls="implicit" if parts.scheme == "smtps" else kind,
        user=user or None,
        password=password or None,
        timeout=timeout,
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
