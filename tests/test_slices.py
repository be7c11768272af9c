"""A slice of the scorecard: a member of a cut measured as if there were nobody else."""

import pandas as pd
import pytest

from kpi_lib import audiences, slices, source
from kpi_lib.audiences import Audience
from kpi_lib.errors import KpiError, ParamsError, SourceError
from kpi_lib.estimate import Count
from kpi_lib.kpi import NOTEBOOK, REGISTRY, kpi
from kpi_lib.period import Period
from kpi_lib.report import Report
from kpi_lib.suppression import is_hidden

NUMBERS = ["value", "numerator", "denominator", "n", "low", "high", "previous", "year_ago"]
SEVERAL = ["csat", "first_response_time", "contact_rate", "churn_rate", "clv.subscription", "tickets_by_type"]
SHAPES = ["nps", "csat.mean", "backlog.oldest", "repeat_contact_rate.contacts_per_customer", "clv.realised"]
MAY = Period.parse("2024-05")


def audience(member, cut="segment", **told):
    return Audience(name=member, to=("a@example.com",), where={cut: member}, **told)


def of(company, *members, cut="segment", only=None, period=MAY):
    """The scorecards of slices by member."""
    those = [audience(member, cut) for member in members]
    params = company.loaded()
    kpis = {address: REGISTRY[address] for address in only} if only else None
    return slices.sliced(source.open(params), params, period, those, kpis)


def row(card, address, period="2024-05", cut=None, member=None):
    frame = card.frame.astype(object).where(card.frame.notna(), None)
    keys = {"kpi": address, "period": period, "cut": cut, "member": member}
    found = [each for each in frame.to_dict("records") if all(each[name] == value for name, value in keys.items())]
    assert len(found) == 1, (address, found)
    return found[0]


def desk(company, *segments, each=6):
    """Customers of each segment, who subscribe, ask, call, answer and buy: the more, the later the segment."""
    for place, segment in enumerate(segments, 1):
        for number in range(each * place):
            customer = company.customer(f"{segment}-{number}", segment=segment, country="DE" if number % 2 else "AT")
            day = f"2024-05-{6 + number % 20:02d}"
            ended = day if number % 5 == 0 else None
            company.subscription(customer, started="2023-01-01", ended=ended, mrr=10 + number)
            for month in ("2024-04-10", day):
                resolved = None if number % 4 == 0 else f"{month} {10 + place}:00"
                ticket = company.ticket(
                    f"{month} 08:00", f"{month} 09:{number:02d}", resolved, customer=customer,
                    channel="email" if number % 3 else "chat", type="billing" if number % 2 else "return", team="care",
                )  # fmt: skip
                company.call(f"{month} 10:{number:02d}", queue=number, customer_id=customer)
                for kind, score in (("csat", 1 + number % 5), ("nps", number % 11)):
                    company.survey(kind, score, f"{month} 15:00", ticket=ticket, customer=customer)
                company.transaction(customer, 20 + number, at=month)


def test_the_total_of_a_slice_is_the_members_row_of_the_whole_company(company):
    desk(company, "enterprise", "consumer")
    company.params(thresholds={"minimum_cell": 1})
    whole = company.card(*SEVERAL, *SHAPES, cuts=True).frame
    compared = set()
    for member, card in of(company, "enterprise", "consumer", only=[*SEVERAL, *SHAPES]).items():
        rows = whole[(whole["cut"] == "segment") & (whole["member"] == member)].set_index(["kpi", "period"])
        totals = card.frame[card.frame["cut"].isna()].set_index(["kpi", "period"]).loc[rows.index]
        pd.testing.assert_frame_equal(totals[NUMBERS], rows[NUMBERS], rtol=1e-9, atol=1e-12)
        assert totals["status"].equals(rows["status"])
        assert totals["method"].equals(rows["method"])
        compared |= set(rows[rows["value"].notna()].index.get_level_values("kpi"))
    assert {*SEVERAL, *SHAPES, "nps.promoters"} - {"tickets_by_type"} <= compared


def test_cuts_in_a_slice_are_of_its_rows_alone(company):
    desk(company, "enterprise", "consumer")
    card = of(company, "enterprise", only=["ticket_volume", "tickets_by_type"])["enterprise"]
    assert row(card, "ticket_volume")["value"] == 12  # six tickets and six calls
    assert row(card, "ticket_volume", cut="segment", member="enterprise")["value"] == 12
    assert set(card.frame.loc[card.frame["cut"] == "segment", "member"]) == {"enterprise"}
    assert set(card.frame["audience"]) == {"enterprise"}
    assert card.about["audience"] == {"name": "enterprise", "where": {"segment": "enterprise"}, "language": None}


def test_many_slices_take_as_many_queries_as_one(company, answers, computed):
    members = ["enterprise", "consumer", "public", "partner", "reseller"]
    desk(company, *members, each=1)
    counted = []
    for asked in (members[:1], members):
        answers.clear()
        computed.clear()
        assert list(dict(of(company, *asked, only=SEVERAL))) == asked
        counted.append((len(answers), len(computed)))
    assert counted[0] == counted[1]


def test_what_fails_for_one_slice_is_not_tried_for_each(company, monkeypatch):
    desk(company, "enterprise", "consumer")
    tried = []

    def fails(*given, **more):
        tried.append(given)
        raise MemoryError("too many rows")

    monkeypatch.setattr(slices, "Measured", fails)
    made = of(company, "enterprise", "consumer", only=SEVERAL)
    for name in ("enterprise", "consumer"):
        with pytest.raises(MemoryError, match="too many rows"):
            made[name]
    assert len(tried) == 1


def test_scorecards_of_slices_are_made_a_few_at_a_time(company, answers, monkeypatch):
    desk(company, "a", "b", "c", "d", each=2)
    company.params(thresholds={"minimum_cell": 1})
    together = dict(of(company, *"abcd", only=[*SEVERAL, *SHAPES]))
    monkeypatch.setattr(slices, "AT_ONCE", 2)
    made = of(company, *"abcd", only=[*SEVERAL, *SHAPES])
    asked = []
    for name in (*made, "b"):  # in order, and then one that is there no more
        pd.testing.assert_frame_equal(made[name].frame, together[name].frame)
        assert made[name].about == together[name].about
        [held] = [cut.cards for cut in made.cuts.values()]
        assert len(held) <= 2
        asked.append(len(answers))
    assert len(set(asked)) == 1  # nothing was asked of the engine again


def test_no_more_slices_are_counted_at_once_than_memory_is_for(company, answers, monkeypatch):
    desk(company, "a", "b", "c", each=2)
    company.params(thresholds={"minimum_cell": 1})
    together = dict(of(company, *"abc", only=SEVERAL))
    monkeypatch.setattr(slices, "COUNTED_AT_ONCE", 2)
    asked = []
    for name, card in of(company, *"abc", only=SEVERAL).items():
        pd.testing.assert_frame_equal(card.frame, together[name].frame)
        asked.append(len(answers))
    assert asked[0] == asked[1] < asked[2]


def test_without_slices_no_query_asks_for_any(company, answers):
    desk(company, "enterprise", each=2)
    company.card(*SEVERAL, cuts=True)
    assert answers
    assert not any("slice" in frame for frame in answers)


def test_what_has_no_such_cut_says_that_it_cannot_be_shown(company):
    desk(company, "enterprise")
    company.cost(100)
    card = of(company, "enterprise")["enterprise"]
    for address in ("cost_per_ticket", "cac", "conversations_per_teammate", "most_common_issues", "ltv_cac_ratio"):
        there = address == "most_common_issues"
        assert ("unsliced" in card.about["kpis"][address]) != there, address
    costs = row(card, "cost_per_ticket")
    assert (costs["status"], costs["method"]) == ("not_available", "cannot be shown for one segment")
    assert card.about["kpis"]["cost_per_ticket"]["unsliced"] == "segment"


def test_members_of_few_are_hidden_in_every_column_and_as_the_month_before(company):
    company.customer("e", segment="enterprise")
    for month, numbers in (("04", (3, 8, 9)), ("05", (7, 8, 9))):
        for channel, number in zip(("chat", "email", "web"), numbers, strict=True):
            company.tickets(number, created=f"2024-{month}-07 08:00", customer="e", channel=channel)
    card = of(company, "enterprise", only=["ticket_volume", "tickets_by_channel"])["enterprise"]
    for address in ("ticket_volume", "tickets_by_channel"):
        april, may = (
            {name: row(card, address, f"2024-{month}", "channel", name) for name in ("chat", "email", "web")}
            for month in ("04", "05")
        )
        for name in ("chat", "email"):
            assert {april[name][column] for column in NUMBERS} == {None}
            assert (april[name]["status"], april[name]["verdict"]) == ("small_sample", "withheld")
            assert (may[name]["previous"], may[name]["status"]) == (None, "ok")
        assert may["web"]["previous"] == april["web"]["value"] is not None
    assert row(card, "ticket_volume", "2024-04")["value"] == 20


def test_a_slice_of_few_has_no_number_and_no_curve(company):
    for segment, number in (("enterprise", 4), ("consumer", 40)):
        company.customer(segment, segment=segment)
        company.tickets(number, created="2024-05-07 08:00", replied="2024-05-07 09:00", customer=segment)
    cards = of(company, "enterprise", "consumer", only=["first_response_time"])
    assert row(cards["enterprise"], "first_response_time")["method"] == "hidden: fewer than 5 cases"
    assert is_hidden(cards["enterprise"].frame).any()
    assert cards["enterprise"].about["curves"] == {}
    assert row(cards["consumer"], "first_response_time")["value"] == 60
    assert list(cards["consumer"].about["curves"]) == ["first_response_time"]


def test_a_target_of_how_many_is_none_of_a_slice(company):
    desk(company, "enterprise")
    company.params(targets={"ticket_volume": {"at_most": 1}, "csat": {"at_least": 99}})
    card = of(company, "enterprise", only=["ticket_volume", "csat"])["enterprise"]
    assert (row(card, "ticket_volume")["verdict"], row(card, "csat")["verdict"]) == ("no_target", "missed")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"segmen": "enterprise"}, r"audiences.yaml:\d+: .*no cut 'segmen' - did you mean 'segment'"),
        ({"segment": "enterprize"}, r"audiences.yaml:\d+: .*no segment 'enterprize' in the data - did you mean 'ente"),
        ({"agent": "anna"}, r"audiences.yaml:\d+: .*no report is made of one agent"),
    ],
)
def test_a_slice_that_is_not_there_is_an_error_with_file_and_line(company, where, message):
    asking(company, enterprise=6)
    board = told(company, {"where": where})
    params = company.loaded()
    with pytest.raises(ParamsError, match=message):
        slices.sliced(source.open(params), params, MAY, [board], {"ticket_volume": REGISTRY["ticket_volume"]})["board"]


def asking(company, **segments):
    """A customer of each segment, with so many tickets."""
    for segment, number in segments.items():
        company.customer(segment, segment=segment)
        company.tickets(number, created="2024-05-07 08:00", customer=segment)


def told(company, said):
    """The audience `board` as it is read from the file."""
    path = company.write()
    board = {"name": "board", "to": ["a@example.com"]} | said
    file = {"sender": "r@example.com", "allowed_domains": ["example.com"], "audiences": [board]}
    path.with_name("audiences.yaml").write_text(str(file))
    return audiences.read(company.loaded()).find("board")


def report(company, said=None, **given):
    """A report for the audience `board`."""
    told(company, said or {"where": {"segment": "enterprise"}})
    return Report("2024-05", str(company.write()), **({"audience": "board"} | given))


def volume(report):
    return report.values("ticket_volume").set_index("period").loc["2024-05", "value"]


def test_a_report_for_an_audience_holds_its_slice(company, tmp_path):
    asking(company, enterprise=6, consumer=30)
    board = report(company)
    assert volume(board) == board.facts.tickets_created.count().execute() == 6
    with pytest.raises(KpiError, match="cannot be shown for one segment"):
        board.facts.agent_days  # noqa: B018
    with pytest.raises(KpiError, match="tables are of the whole company"):
        board.tables  # noqa: B018
    board.scorecard.write(tmp_path)
    file = str(tmp_path / "scorecard.parquet")
    assert volume(report(company, scorecard=file)) == 6
    with pytest.raises(SourceError, match=r"is the scorecard of segment enterprise, not of the whole company"):
        report(company, scorecard=file, audience=None)
    company.card("ticket_volume").write(tmp_path)
    with pytest.raises(SourceError, match=r"is the scorecard of the whole company, not of segment enterprise"):
        report(company, scorecard=file)


def test_an_audience_without_a_slice_reads_the_whole_in_its_language(company):
    asking(company, enterprise=6, consumer=30)
    board = report(company, {"language": "ru"})
    assert volume(board) == 36
    assert set(board.values("ticket_volume")["audience"]) == {None}
    assert board.about["language"] == "ru"
    assert board.about["audience"] == {"name": "board", "where": {}, "language": "ru"}


def test_what_a_notebook_declares_is_measured_in_the_slice(company):
    asking(company, enterprise=6, consumer=30)

    def asked(contact):
        """How many asked."""
        return Count(contact)

    asked.__module__ = "__main__"
    board = report(company)
    try:
        kpi("contacts", unit="count", better="none")(asked)
        assert REGISTRY["asked"].family == NOTEBOOK
        board.finding("asked")
        assert board.values("asked").set_index("period").loc["2024-05", "value"] == 6
    finally:
        del REGISTRY["asked"]
