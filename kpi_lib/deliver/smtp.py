"""Handing mail in: one transaction a recipient, and an answer that says what is known of the mail."""

import contextlib
import re
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal, NoReturn

import tenacity

from kpi_lib.deliver.server import Server
from kpi_lib.errors import DeliveryError, plain

ATTEMPTS = 4  # at what may pass
PATIENCE = 10  # timeouts to wait for the answer to a whole mail: giving up on it leaves the mail unknown
Note = Callable[[str, str], None]  # told the state a delivery is now in, `claimed` or `in_data`, and why


@dataclass(frozen=True)
class Answer:
    """What is known of one recipient's mail.

    `sent`: the server took it. `failed`: it did not, and the text says whether for good. `unknown`: the connection was
    lost between the mail and the answer, so the mail may or may not arrive.
    """

    state: Literal["sent", "failed", "unknown"]
    code: int | None
    text: str
    attempts: int = 1


class _TransientError(Exception):
    """Something that another attempt may mend; the server has not taken the mail."""

    def __init__(self, text: str, code: int | None = None) -> None:
        super().__init__(text)
        self.text, self.code = text, code


class Session:
    """A connection that serves many recipients, opened anew when it drops."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.connection: smtplib.SMTP | None = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.connection and kind is None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self.connection.quit()
        self._close()

    def open(self) -> None:
        """Connect unless connected; what no further attempt would mend is a DeliveryError at once."""
        if self.connection:
            return
        retrying = self._retrying(lambda state, text: None)
        try:
            retrying(self._connect)
            return
        except _TransientError as error:
            problem = error.text
        raise DeliveryError(f"{self.server.name} cannot be used, after {self._made(retrying)} attempts: {problem}")

    def deliver(self, message: EmailMessage, recipient: str, note: Note) -> Answer:
        """Hand a mail in for one recipient; `note` is called before the first byte of the mail is sent.

        A refusal with 4xx and a connection that is lost before the mail was begun are tried again; `note` is then told
        `claimed` and the reason. DeliveryError if, connecting anew, the server turns out to take no mail at all.
        """
        retrying = self._retrying(note)
        try:
            answer = retrying(self._attempt, message, recipient, note)
        except _TransientError as error:
            text = f"still not taken after {self._made(retrying)} attempts: {error.text}"
            answer = Answer("failed", error.code, text)
        return replace(answer, attempts=self._made(retrying))

    def _retrying(self, note: Note) -> tenacity.Retrying:
        def reason(state: tenacity.RetryCallState) -> None:
            error = state.outcome and state.outcome.exception()
            note("claimed", f"attempt {state.attempt_number}: {error}")

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_TransientError),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_exponential_jitter(initial=1, max=30),
            sleep=self.server.sleep,
            before_sleep=reason,
            reraise=True,
        )

    @staticmethod
    def _made(retrying: tenacity.Retrying) -> int:
        return int(retrying.statistics["attempt_number"])

    def _attempt(self, message: EmailMessage, recipient: str, note: Note) -> Answer:
        if not self.connection:
            self._connect()
        assert self.connection
        body = _body(message)
        begun = False
        try:
            code, text = self._envelope(self.connection, message["From"].addresses[0].addr_spec, recipient, len(body))
            if code == 354:
                note("in_data", "the mail is being given")
                begun = True
                code, text = self._given(self.connection, body)
        except (smtplib.SMTPException, OSError) as error:
            self._close()
            if begun:
                lost = f"the connection was lost before the server's answer to the mail: {self._clean(error)}"
                return Answer("unknown", None, lost)
            raise _TransientError(f"the connection was lost: {self._clean(error)}") from None
        return self._judged(code, text, begun)

    @staticmethod
    def _envelope(connection: smtplib.SMTP, sender: str, recipient: str, size: int) -> tuple[int, bytes]:
        """Return the first refusal of MAIL, RCPT and DATA, or the 354 of DATA."""
        code, text = connection.mail(sender, [f"size={size}"] if connection.has_extn("size") else [])
        if code == 250:
            code, text = connection.rcpt(recipient)
            if code in (250, 251, 252):
                code, text = connection.docmd("DATA")
        return code, text

    def _given(self, connection: smtplib.SMTP, body: bytes) -> tuple[int, bytes]:
        assert connection.sock
        connection.sock.settimeout(PATIENCE * self.server.timeout)
        connection.send(body)
        answer = connection.getreply()
        connection.sock.settimeout(self.server.timeout)
        return answer

    def _judged(self, code: int, text: bytes, begun: bool) -> Answer:
        said = f"{code} {self._clean(text)}"
        if begun and 200 <= code < 300:
            return Answer("sent", code, said)
        self._reset(code)
        if 500 <= code < 600:
            return Answer("failed", code, f"not taken for good: {said}")
        if begun and not 400 <= code < 500:
            return Answer("unknown", code, f"the server's answer to the mail is none of SMTP: {said}")
        raise _TransientError(said, code)

    def _reset(self, code: int) -> None:
        """Leave the transaction that the server refused; a server that will not go on, or makes no sense, is left."""
        assert self.connection
        try:
            if not 400 <= code < 600 or self.connection.rset()[0] != 250:
                self._close()
        except (smtplib.SMTPException, OSError):
            self._close()

    def _connect(self) -> None:
        """Open the connection; what may pass is a _TransientError, all else a DeliveryError."""
        try:
            self._open()
            return
        except ssl.SSLCertVerificationError as error:
            problem = f"its certificate is not trusted: {error.verify_message}"
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, smtplib.SMTPServerDisconnected) as error:
            raise _TransientError(f"the connection was lost: {self._clean(error)}") from None
        except ssl.SSLError as error:
            problem = f"TLS could not be agreed (smtps:// is TLS from the start, smtp:// not): {self._clean(error)}"
        except smtplib.SMTPResponseException as error:
            problem = f"{error.smtp_code} {self._clean(error.smtp_error)}"
            if not 500 <= error.smtp_code < 600:
                raise _TransientError(problem, error.smtp_code) from None
            if isinstance(error, smtplib.SMTPAuthenticationError):
                problem = f"it refused the user and password: {problem}"
        except smtplib.SMTPException as error:
            problem = self._clean(error)
        except OSError as error:
            raise _TransientError(f"no connection: {self._clean(error)}") from None
        raise DeliveryError(f"{self.server.name} cannot be used: {problem}")

    def _open(self) -> None:
        server = self.server
        connection = (
            smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=ssl.create_default_context())
            if server.tls == "implicit"
            else smtplib.SMTP(server.host, server.port, timeout=server.timeout)
        )
        try:
            if server.tls == "starttls":
                _start_tls(connection)
            connection.ehlo_or_helo_if_needed()
            if server.user and server.password:
                _log_in(connection, server.user, server.password)
        except BaseException:
            connection.close()
            raise
        self.connection = connection

    def _close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None

    def _clean(self, said: object) -> str:
        """Return what a server or the system said in one line, without what it may repeat of the password."""
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        user, password = self.server.user or "", self.server.password or ""
        for secret in (password, *map(_base64, (password, f"\0{user}\0{password}"))) if password else ():
            text = text.replace(secret, "***")
        return plain(" ".join(text.split()))[:300]


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _start_tls(connection: smtplib.SMTP) -> None:
    connection.ehlo_or_helo_if_needed()
    if not connection.has_extn("starttls"):
        _fail("it does not offer STARTTLS; smtps:// is TLS from the start, ?tls=off goes without")
    connection.starttls(context=ssl.create_default_context())


def _log_in(connection: smtplib.SMTP, user: str, password: str) -> None:
    """Log in by one method, once: a second try with the same password may lock the account."""
    offered = connection.esmtp_features.get("auth", "").upper().split()
    connection.user, connection.password = user, password
    if "PLAIN" in offered:
        connection.auth("PLAIN", connection.auth_plain)
    elif "LOGIN" in offered:
        connection.auth("LOGIN", connection.auth_login)
    else:
        _fail("it offers no log-in by AUTH PLAIN or AUTH LOGIN")


def _fail(problem: str) -> NoReturn:
    raise smtplib.SMTPNotSupportedError(problem)


def _body(message: EmailMessage) -> bytes:
    """Return a message as it goes over the wire, to its last line with a dot."""
    written = message.as_bytes(policy=SMTP.clone(cte_type="7bit"))
    return re.sub(rb"(?m)^\.", b"..", written).removesuffix(b"\r\n") + b"\r\n.\r\n"
