"""A mail server in a process of its own, with faults to order: told what to do on standard input, a JSON line each.

`{"faults": [...]}` forgets all mail and logins and sets the faults; `{"mails": true}` answers, when nobody is connected
any more, with what was taken. A fault is `{"at": STEP, "do": "reset" | "hang" | "slow" | "450 later", "to":
RECIPIENT, "times": N}`; its step is connect, login, mail, rcpt, data (the command), body, dot (after it, before the
mail is taken) or taken (before the answer is given).
"""

import asyncio
import json
import socket
import ssl
import struct
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

USER, PASSWORD = "kpi@example.com", "s3cret/w:rd%"


class State:
    """What the server was told to do, and what it took."""

    def __init__(self) -> None:
        self.faults: list[dict[str, Any]] = []
        self.mails: list[dict[str, Any]] = []
        self.logins = self.greeted = 0
        self.connected: set[SMTP] = set()

    def fault(self, step: str, recipient: str | None = None) -> str | None:
        """Return what is to go wrong at this step, once more."""
        for fault in self.faults:
            if fault["at"] == step and fault.get("to") in (None, recipient) and fault.get("times", 1):
                fault["times"] = fault.get("times", 1) - 1
                return fault["do"]
        return None


class Faulty(SMTP):
    """aiosmtpd's server, with faults."""

    def __init__(self, state: State, **options: Any) -> None:
        super().__init__(self, hostname="mail.example.com", authenticator=self.log_in, **options)
        self.state, self.body_fault = state, None

    def connection_made(self, transport: Any) -> None:
        self.state.connected.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.state.connected.discard(self)
        super().connection_lost(error)

    def eof_received(self) -> bool:
        super().eof_received()
        return False

    def data_received(self, data: bytes) -> None:
        if self.body_fault == "reset":
            self.reset()
        elif not self.body_fault:
            super().data_received(data)

    def reset(self) -> None:
        """End the connection as a crash would: with a TCP reset."""
        at_once = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.transport.abort()

    async def do(self, fault: str) -> str:
        """Reset, hang, think for a second, or return what to say."""
        if fault == "reset":
            self.reset()
        if fault in ("reset", "hang"):
            await asyncio.Event().wait()
        if fault == "slow":
            await asyncio.sleep(1)
            return "250 at last"
        return fault

    async def _handle_client(self) -> None:
        self.state.greeted += 1
        if fault := self.state.fault("connect"):
            await self.push(await self.do(fault))
            self.transport.close()
            return
        await super()._handle_client()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if fault := self.state.fault("data", self.envelope.rcpt_tos[0]):
            await self.push(await self.do(fault))
            return
        self.body_fault = self.state.fault("body", self.envelope.rcpt_tos[0])
        await super().smtp_DATA(arg)

    def log_in(self, server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        self.state.logins += 1
        if fault := self.state.fault("login"):
            return AuthResult(success=False, handled=False, message=fault.replace("PASSWORD", PASSWORD))
        return AuthResult(success=data == LoginPassword(USER.encode(), PASSWORD.encode()), handled=False)

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list) -> str:  # noqa: N802
        if fault := self.state.fault("mail"):
            return await self.do(fault)
        envelope.mail_from, envelope.mail_options = address, options
        return "250 sender ok"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list) -> str:  # noqa: N802
        if fault := self.state.fault("rcpt", address):
            return await self.do(fault)
        envelope.rcpt_tos.append(address)
        return "250 recipient ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        if fault := self.state.fault("dot", recipient):
            return await self.do(fault)
        mail = {"to": recipient, "from": envelope.mail_from, "options": envelope.mail_options}
        self.state.mails.append(mail | {"content": envelope.content.decode("utf-8", "surrogateescape")})
        if fault := self.state.fault("taken", recipient):
            return await self.do(fault)
        return f"250 queued as {len(self.state.mails)}"


async def serve(folder: Path) -> None:
    """Listen on a port for each kind of server, say which, and do as told until standard input ends."""
    state, loop = State(), asyncio.get_running_loop()
    good, stranger = (ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) for _ in range(2))
    good.load_cert_chain(folder / "good.pem")
    stranger.load_cert_chain(folder / "stranger.pem")
    login = {"auth_required": True, "auth_require_tls": False}
    kinds: dict[str, tuple[ssl.SSLContext | None, dict[str, Any]]] = {
        "plain": (None, {"enable_SMTPUTF8": True}),
        "ascii": (None, {"data_size_limit": 2000}),
        "login": (None, login),
        "starttls": (None, {"tls_context": good, "require_starttls": True, **login}),
        "implicit": (good, login),
        "stranger": (stranger, login),
    }
    ports = {}
    for kind, (context, options) in kinds.items():
        listening = await loop.create_server(lambda options=options: Faulty(state, **options), "127.0.0.1", ssl=context)
        ports[kind] = listening.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        order = json.loads(line)
        while state.connected and not order.get("faults"):
            await asyncio.sleep(0.001)
        if "faults" in order:
            state.faults, state.mails, state.logins, state.greeted = order["faults"], [], 0, 0
        told = {"mails": state.mails, "logins": state.logins, "connections": state.greeted}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
