"""The command `kpi email`: shows the mail about a report, and sends it when told to."""

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from kpi_lib.cli_common import checked, chosen_period, common, opened, progress_of
from kpi_lib.errors import DeliveryError, plain

if TYPE_CHECKING:
    from kpi_lib.deliver.mailing import Mailing, Office
    from kpi_lib.deliver.server import Server

REFUSED, NOT_DELIVERED = 3, 4


@click.command()
@click.argument("period", default="last")
@click.option("--audience", metavar="NAME", help="Only this audience of params/audiences.yaml.")
@click.option("--send", "is_sent", is_flag=True, help="Send it; without this the mail is only shown.")
@click.option("--override", metavar="REASON", help="Send in spite of what the gate finds; the mail and ledger say why.")
@click.option("--arrived", multiple=True, metavar="ADDRESS", help="Of a mail that may have arrived: it did.")
@click.option("--again", multiple=True, metavar="ADDRESS", help="Of a mail that may have arrived: it did not, send it.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@common
def email(
    period: str,
    audience: str | None,
    is_sent: bool,
    override: str | None,
    arrived: tuple[str, ...],
    again: tuple[str, ...],
    as_json: bool,
    path: str,
    as_of: str | None,
) -> int:
    """Show the mails about the report of PERIOD, and with --send send them, each once."""
    if override is not None and not override.strip():
        raise click.UsageError("--override needs a reason that readers of the mail can understand")
    params = checked(path, period)
    from kpi_lib import audiences, editions
    from kpi_lib.deliver import mailing
    from kpi_lib.deliver.server import Server
    from kpi_lib.issued import Archive

    delivery = audiences.read(params)
    chosen = [delivery.find(audience)] if audience else list(delivery.audiences)
    server = Server.from_environment(os.environ) if is_sent else None
    with progress_of(as_json) as progress:
        source = opened(params, as_of, progress)
        month = chosen_period(period, params, source)
        company = editions.editions(params, month, params.reports.absolute(), source.fingerprint(), [None], {})[0]
        office = mailing.Office(
            delivery,
            Archive(params.records, params.company),
            params.records / "ledger.sqlite",
            _now(),
            override,
        )
        words = dict.fromkeys(arrived, True) | dict.fromkeys(again, False)
        mailing.settle(office, params.company, month, audience, words, _now)
        with progress.stage("mails"):
            mails = [mailing.prepare(editions.of(each, company), each, office) for each in chosen]
        if is_sent and period == "last":
            mails = list(map(mailing.without_new_correction, mails))
    told = [_shown(mail, office, quiet=as_json) for mail in mails]
    refused = [mail for mail in mails if mail.found.bars or (mail.found.reasons and not override)]
    if refused:
        _refuse(mails, refused, office, server, quiet=as_json)
        status, code = "refused", REFUSED
    elif not server:
        if not as_json:
            click.echo("Nothing was sent; `kpi email --send` (make email SEND=yes) sends it.")
        status, code = "shown", 0
    elif _send(mails, told, office, server, quiet=as_json):
        status, code = "sent", 0
    else:
        status, code = "not all delivered", NOT_DELIVERED
    if as_json:
        click.echo(json.dumps({"status": status, "mails": told}))
    return code


def _refuse(
    mails: "list[Mailing]", refused: "list[Mailing]", office: "Office", server: "Server | None", *, quiet: bool
) -> None:
    """Say why mails are held back, and when they were to be sent tell the owners of all audiences too."""
    from kpi_lib.deliver import mailing

    for mail in refused:
        for reason in mail.refused:
            _complain(mail, f"not to be sent: {reason}")
    if server:
        try:
            mailing.tell_owners(mails, office, server, _now, _say(quiet))
        except DeliveryError as error:
            click.echo(f"kpi: the owners could not be told: {plain(str(error))}", err=True)


def _send(
    mails: "list[Mailing]", told: list[dict[str, Any]], office: "Office", server: "Server", *, quiet: bool
) -> bool:
    """Send the mails, add to `told` what became of each, and return whether every recipient has it."""
    from kpi_lib.deliver import mailing

    whole = True
    for mail, each in zip(mails, told, strict=True):
        try:
            tally = mailing.dispatch(mail, office, server, _now, _say(quiet))
        except DeliveryError as error:  # of the server, or of the reports: the next audience need not be tried
            _complain(mail, str(error))
            return False
        whole = whole and tally.whole
        each |= {name: [list(one) for one in who] for name, who in vars(tally).items()}
        if not quiet:
            click.echo(f"{mail.audience.name}: {plain(mailing.outcome(tally))}")
    return whole


def _shown(mail: "Mailing", office: "Office", *, quiet: bool) -> dict[str, Any]:
    """Write the preview of a mail and say to whom it goes; return that as plain data."""
    from kpi_lib.deliver import mailing

    told: dict[str, Any] = {"audience": mail.audience.name, "recipients": list(mail.recipients)}
    told |= {"reasons": mail.refused, "warnings": mail.found.warnings}
    if mail.message is None:
        return told
    files = mailing.preview(mail)
    told |= {"subject": str(mail.message["Subject"]), "preview": [str(file) for file in files]}
    if not quiet:
        click.echo(f"{mail.audience.name}: {plain(', '.join(mail.recipients))}")
        click.echo(f"  {plain(told['subject'])}")
        size = len(mail.message.as_bytes()) / 1000
        click.echo(f"  {os.path.relpath(files[1])} ({size:,.0f} kB with what is attached)")
        for said in (*(f"note: {warning}" for warning in mail.found.warnings), *mailing.history(mail, office)):
            click.echo(f"  {plain(said)}")
    return told


def _complain(mail: "Mailing", said: str) -> None:
    click.echo(f"kpi: {mail.audience.name}: {plain(said)}", err=True)


def _say(quiet: bool) -> Any:
    return (lambda text: None) if quiet else (lambda text: click.echo(f"  {plain(text)}"))


def _now() -> datetime:
    return datetime.now(UTC)
