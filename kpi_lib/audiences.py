"""Who gets the report: params/audiences.yaml, checked before anything is built or sent."""

import re
from collections import Counter
from email.headerregistry import Address
from functools import cached_property
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from kpi_lib.errors import ParamsError, UnknownNameError, did_you_mean
from kpi_lib.language import LANGUAGES
from kpi_lib.params import Params, ParamsFile, Positive, Section, validated
from kpi_lib.settings import printable

IN_SUBJECT = ("company", "title", "period", "verdict", "audience")
FILE = "audiences.yaml"  # beside report.yaml
EVERYONE = "all"  # what a command calls every audience
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOMAIN = r"(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}"
_SPEC = rf"{_ATOM}(?:\.{_ATOM})*@{_DOMAIN}"
_MAILBOX = re.compile(
    rf'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<name>[^"<>,;:@\\]*)) *<(?P<in_angles>{_SPEC})>|(?P<bare>{_SPEC})'
)


def mailbox(text: str) -> Address:
    """Return an address that may have a name before it, `Reports <reports@example.com>`; a ValueError for any other."""
    found = _MAILBOX.fullmatch(printable(text).strip(" "))
    if not found:
        raise ValueError("this is no sender such as Reports <reports@example.com>")
    name = found["name"] or re.sub(r"\\(.)", r"\1", found["quoted"] or "")
    return Address(name, addr_spec=_address(found["in_angles"] or found["bare"]))


def _address(text: str) -> str:
    """Return an address of the form name@domain."""
    if not re.fullmatch(_SPEC, printable(text)) or len(text) > 254 or "=?" in text:
        raise ValueError("this is no address such as name@example.com")
    return text


def _sender(text: str) -> str:
    mailbox(text)
    return text


def _domain(text: str) -> str:
    _address(f"name@{text}")
    return text.lower()


def _subject(text: str) -> str:
    printable(text)
    try:
        parts = [(name, told, turned) for _, name, told, turned in Formatter().parse(text)]
    except ValueError as error:
        raise ValueError(f"the braces do not fit: {error}") from None
    for name, told, turned in parts:
        if name is not None and (name not in IN_SUBJECT or told or turned):
            raise ValueError(f"there is no {{{name}}} to fill in{did_you_mean(name, IN_SUBJECT)}")
    return text


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise ValueError(f"there is no language {text!r}{did_you_mean(text, LANGUAGES)}")
    return text


MailAddress = Annotated[str, AfterValidator(_address)]


class Audience(Section):
    """A group of recipients: what they get and in which language; `where` names a cut and its member, a slice."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    to: tuple[MailAddress, ...] = Field(min_length=1)
    cc: tuple[MailAddress, ...] = ()
    owner: MailAddress | None = None
    language: Annotated[str, AfterValidator(_language)] | None = None
    notebooks: tuple[str, ...] | None = Field(None, min_length=1)
    attach: Literal["pdf", "link"] = "pdf"
    where: dict[str, Annotated[str, Field(min_length=1), AfterValidator(printable)]] = Field({})

    @model_validator(mode="after")
    def _one_slice_and_nobody_twice(self) -> "Audience":
        if len(self.where) > 1:
            raise ValueError(f"where: a slice is one member of one cut, not of {' and '.join(self.where)}")
        if self.name.lower() == EVERYONE:
            raise ValueError(f"name: {self.name!r} stands for every audience: choose another")
        if twice := _twice([*self.to, *self.cc]):
            raise ValueError(f"{twice} would get the same mail twice")
        return self

    @property
    def slice(self) -> tuple[str, str] | None:
        """The cut and the member that the report is confined to; None for the whole company."""
        return next(iter(self.where.items()), None)


class Delivery(ParamsFile):
    """params/audiences.yaml: from whom reports go to whom, and as what."""

    sender: Annotated[str, AfterValidator(_sender)]
    allowed_domains: tuple[Annotated[str, AfterValidator(_domain)], ...] = Field(min_length=1)
    audiences: tuple[Audience, ...] = Field(min_length=1)
    link: str | None = Field(None, pattern=r"^https?://[!#-;=?-~]+$")
    attachment_megabytes: Positive = 10
    subject: Annotated[str, AfterValidator(_subject)] = "{title} {period}: {verdict}"

    def find(self, name: str) -> Audience:
        """Return an audience by its name; an unknown one is an error with the nearest names."""
        if name not in self._by_name:
            raise UnknownNameError(f"no audience {name!r} in {self.path.name}{did_you_mean(name, self._by_name)}")
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Audience]:
        return {audience.name: audience for audience in self.audiences}


def path(params: Params) -> Path:
    """Return where a company's audiences are written, whether or not the file is there."""
    return params.path.with_name(FILE)


def read(params: Params) -> Delivery:
    """Read a company's audiences; what cannot be right is an error with file and line."""
    if not path(params).is_file():
        raise ParamsError(f"there is no {FILE} beside {params.path.name}: it says who gets the report")
    delivery = validated(Delivery, path(params))
    if twice := _twice([audience.name for audience in delivery.audiences]):
        raise ParamsError(f"audience {twice!r} is there twice", where=delivery.where("audiences"))
    for place, audience in enumerate(delivery.audiences):
        _check(audience, place, delivery, {notebook.name for notebook in params.notebooks})
    return delivery


def where(params: Params, audience: Audience, *key: str) -> str | None:
    """Return file and line of an audience's key; None when it is not from the file."""
    if not path(params).is_file():
        return None
    delivery = validated(Delivery, path(params))
    places = (place for place, known in enumerate(delivery.audiences) if known.name == audience.name)
    return next((delivery.where("audiences", place, *key) for place in places), None)


def _check(audience: Audience, place: int, delivery: Delivery, book: set[str]) -> None:
    for number, notebook in enumerate(audience.notebooks or ()):
        if notebook not in book:
            message = f"no notebook {notebook!r} in the book{did_you_mean(notebook, book)}"
            raise ParamsError(message, where=delivery.where("audiences", place, "notebooks", number))
    named = [(("to", number), address) for number, address in enumerate(audience.to)]
    named += [(("cc", number), address) for number, address in enumerate(audience.cc)]
    for key, address in [*named, (("owner",), audience.owner)]:
        domain = address.rpartition("@")[2].lower() if address else None
        if domain and domain not in delivery.allowed_domains:
            message = f"{address}: {domain} is not in allowed_domains ({', '.join(delivery.allowed_domains)})"
            raise ParamsError(message, where=delivery.where("audiences", place, *key))
    if audience.attach == "link" and delivery.link is None:
        message = f"audience {audience.name!r} gets a link, but there is no `link` to the reports"
        raise ParamsError(message, where=delivery.where("audiences", place, "attach"))


def _twice(texts: list[str]) -> str | None:
    """Return the first text that is there twice, capitals or not."""
    counted = Counter(text.lower() for text in texts)
    return next((text for text in texts if counted[text.lower()] > 1), None)
