import os

import pytest
import yaml

from kpi_lib.errors import ParamsError
from kpi_lib.params import expand, find, load, load_source, read_yaml

REPORT = {
    "company": "Test", "time_zone": "Europe/Berlin", "currency": "EUR", "source": "sources/own.yaml",
    "reports": "../reports", "records": "../records", "notebooks": [{"name": "loyalty"}],
}  # fmt: skip


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes params/report.yaml with `changes` below tmp_path, the working folder; returns its path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params").mkdir()

    def write(text=None, **changes):
        path = tmp_path / "params" / "report.yaml"
        path.write_text(text if text is not None else yaml.safe_dump(REPORT | changes, sort_keys=False))
        return path

    return write


def test_paths_are_relative_to_the_file_and_what_is_left_out_has_a_default(written, tmp_path):
    params = load(written())
    assert params.source == tmp_path / "params" / "sources" / "own.yaml"
    assert (params.reports, params.records) == (tmp_path / "reports", tmp_path / "records")
    assert (params.language, params.fx, params.targets) == ("en", {}, {})
    thresholds = params.thresholds
    assert (thresholds.short_abandon_seconds, thresholds.service_level_seconds) == (5, {"phone": 20, "chat": 60})
    days = (thresholds.first_contact_days, thresholds.resolution_days, thresholds.escalation_days)
    assert days == (7, 30, 14)
    assert params.get("customer_value.horizon_months") == 36


def test_a_file_is_looked_for_from_the_working_folder_upwards(written, tmp_path, monkeypatch):
    path = written()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert find("params/report.yaml") == path
    assert load("params/report.yaml").project == tmp_path
    with pytest.raises(ParamsError, match=r"no file 'params/none.yaml'"):
        find("params/none.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"compani": "x"}, r"report.yaml:\d+: unknown key 'compani' - did you mean 'company'"),
        ({"thresholds": {"short_abandon": 5}}, r":\d+: unknown key 'thresholds.short_abandon' - did you mean 'short"),
        ({"targets": {"nps": {"atleast": 3}}}, r"unknown key 'targets.nps.atleast' - did you mean 'at_least'"),
        ({"targets": {"nps": {"at_least": 3, "at_most": 5}}}, "exactly one of at_least, at_most, between"),
        ({"targets": {"nps": {}}}, "exactly one of at_least, at_most, between"),
        ({"targets": {"nps": {"between": [70, 50]}}}, "between goes from low to high"),
        ({"targets": {"churn_rate": {"at_most": 3, "basis": "week"}}}, "'month', 'quarter' or 'year'"),
        ({"time_zone": "Europe/Berlim"}, "'Europe/Berlim' is not a time zone"),
        ({"currency": "euro"}, "currency"),
        ({"language": "de"}, "'en'"),
        ({"hours": {"holidays": "XX"}}, r":\d+: hours.holidays: no country 'XX'"),
        ({"brand": {"logo": "none.svg"}}, r":\d+: brand.logo: params/none.svg is no file that ends in .svg, .png"),
        ({"brand": {"logo": "report.yaml"}}, "brand.logo: params/report.yaml is no file that ends in"),
        ({5: "x"}, r":\d+: unknown key 5"),
        ({"notebooks": []}, "notebooks"),
        ({"notebooks": [{"name": "../x"}]}, "notebooks.0.name"),
        ({"notebooks": [{"name": "loyalty"}, {"name": "loyalty"}]}, "'loyalty' is listed twice"),
        ({"fx": {"USD": 0}}, "fx.USD"),
        ({"brand": {"colour": "blue"}}, "brand.colour"),
        ({"brand": {"colour": "#777777"}}, r":\d+: brand.colour: '#777777' is too pale .* 4.48, .*you mean '#767676'"),
        ({"brand": {"accent": "#ffcc00"}}, "brand.accent: '#ffcc00' is too pale .* did you mean '#907300'"),
        ({"customer_value": {"model": "purchase"}}, "customer_value.model: .*'purchases' or 'realised'"),
        ({"customer_value": {"annual_discount": 12}}, "customer_value.annual_discount"),
        ({"events": [{"day": "2024-03-32", "text": "x"}]}, r"events.0.day: a day is written like 2024-03-04, got"),
        ({"events": [{"day": 20240304, "text": "x"}]}, "a day is written like 2024-03-04, got 20240304"),
        ({"events": [{"month": "2024-Q1", "text": "x"}]}, "events.0.month: a month is written like 2024-03"),
        ({"events": [{"text": "x"}]}, "an event has exactly one of day, month"),
        ({"events": [{"day": "2024-03-04", "month": "2024-03", "text": "x"}]}, "exactly one of day, month"),
        ({"events": [{"day": "2024-03-04", "until": "2024-03", "text": "x"}]}, "until: a day is written like"),
        ({"events": [{"day": "2024-03-04", "until": "2024-03-03", "text": "x"}]}, "until is no earlier"),
        ({"events": [{"day": "2024-03-04", "text": "one\ntwo"}]}, "no line break, tab or other control"),
        ({"events": [{"day": "2024-03-04", "text": "\u202eabc"}]}, "no line break, tab or other control"),
        ({"events": [{"day": "2024-03-04", "text": "x" * 81}]}, "events.0.text: .*80"),
        ({"events": [{"day": "2024-03-04", "text": " "}]}, "events.0.text"),
        ({"events": [{"day": "2024-03-04", "text": "x", "kpi": ["nps"]}]}, "'events.0.kpi' - did you mean 'kpis'"),
    ],
)  # fmt: skip
def test_an_unknown_key_or_impossible_value_is_an_error_with_its_place(written, changes, message):
    with pytest.raises(ParamsError, match=message) as caught:
        load(written(yaml.safe_dump(REPORT | changes, sort_keys=False)))
    assert "params/report.yaml:" in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_event_is_on_a_day_or_in_a_month_and_may_last(written):
    text = """
      - {day: 2024-03-04, text: a}
      - {day: 2024-03-04, until: 2024-03-18, text: b, kpis: [nps]}
      - {month: 2024-03, text: می‌شود}
      - {month: 2024-03, until: 2024-04, text: d}
    """
    events = load(written(yaml.safe_dump(REPORT, sort_keys=False) + f"events:{text}\n")).events
    days = [(event.first.isoformat(), event.last.isoformat()) for event in events]
    assert days == [
        ("2024-03-04", "2024-03-04"),
        ("2024-03-04", "2024-03-18"),
        ("2024-03-01", "2024-03-31"),
        ("2024-03-01", "2024-04-30"),
    ]
    assert [event.kpis for event in events] == [None, ["nps"], None, None]


def test_the_line_is_that_of_the_mistake(written):
    text = yaml.safe_dump(REPORT, sort_keys=False) + "thresholds:\n  trunks: 4\n  trunk: 4\n"
    line = len(text.splitlines())
    with pytest.raises(ParamsError, match=rf"^params/report.yaml:{line}: unknown key 'thresholds.trunk'"):
        load(written(text))


def test_a_missing_key_a_repeated_key_and_broken_yaml_say_so(written):
    with pytest.raises(ParamsError, match="'company' is missing"):
        load(written(yaml.safe_dump({name: value for name, value in REPORT.items() if name != "company"})))
    with pytest.raises(ParamsError, match=r"report.yaml:2: key 'company' stands twice"):
        load(written("company: a\ncompany: b\n"))
    with pytest.raises(ParamsError, match=r"report.yaml:2: not readable as YAML"):
        load(written("company: a\n\tx: b\n"))
    with pytest.raises(ParamsError, match="expected keys and values"):
        load(written("- a\n"))


def test_yaml_that_holds_itself_or_much_more_than_it_shows_is_refused(written):
    laughs = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    for text in ("a: &x [*x]", "a: &x {b: *x}", laughs):
        with pytest.raises(ParamsError, match=r"report.yaml:\d: a \*name of YAML repeats too much"):
            read_yaml(written(text))
    assert read_yaml(written("a: &x [1]\nb: *x"))[0] == {"a": [1], "b": [1]}  # as programs write what is there twice


def test_a_key_that_is_a_number_written_in_another_way_is_read(written):
    assert read_yaml(written("0x5: 1\n7: 2\n"))[0] == {5: 1, 7: 2}


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a file away")
def test_a_file_that_anybody_may_have_put_above_the_working_folder_is_not_taken(written, tmp_path, monkeypatch):
    path = written()
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    os.chown(path, 12345, 12345)
    assert find("params/report.yaml") == path
    tmp_path.chmod(0o777)
    with pytest.raises(ParamsError, match=r"no file 'params/report.yaml'"):
        find("params/report.yaml")
    os.chown(path, 0, 0)
    assert find("params/report.yaml") == path


def test_read_yaml_knows_the_line_of_each_key(written):
    data, lines = read_yaml(written("a:\n  b: 1\nc: [2, {d: 3}]\n"))
    assert data == {"a": {"b": 1}, "c": [2, {"d": 3}]}
    assert (lines["a", "b"], lines["c", 1, "d"]) == (2, 3)


def test_the_environment_is_filled_in_and_a_missing_variable_is_named(monkeypatch):
    monkeypatch.setenv("WAREHOUSE", "postgres://here")
    assert expand("${WAREHOUSE}/db", where="x") == "postgres://here/db"
    with pytest.raises(ParamsError, match=r"own.yaml:1: the environment variable NOT_SET is not set"):
        expand("${NOT_SET}", where="own.yaml:1")


def test_a_sources_files_are_relative_to_it_and_those_in_a_variable_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPORTS", "exports")
    (tmp_path / "params").mkdir()
    path = tmp_path / "params" / "own.yaml"
    checks = {"agree": "checks/agree.sql"}
    tables = {"tickets": "data/tickets.csv", "calls": "${EXPORTS}/calls.parquet", "leads": "crm.leads"}
    path.write_text(yaml.safe_dump({"as_of": "latest", "tables": tables, "checks": checks}))
    found = load_source(path)
    assert found.tables == {
        "tickets": str(tmp_path / "params" / "data" / "tickets.csv"),
        "calls": str(tmp_path / "exports" / "calls.parquet"),
        "leads": "crm.leads",
    }
    assert found.checks == {"agree": str(tmp_path / "params" / "checks" / "agree.sql")}
    assert (found.connection, found.sample) == ("duckdb://", False)


def test_a_check_that_is_no_sql_file_is_refused_with_its_line(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("as_of: latest\ntables: {tickets: t.csv}\nchecks:\n  agree: agree.csv\n")
    with pytest.raises(ParamsError, match=r"own.yaml:4: checks.agree: .*'agree.csv'"):
        load_source(path)


def test_a_source_without_an_extract_time_is_refused(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("tables: {tickets: t.csv}\n")
    with pytest.raises(ParamsError, match="'as_of' is missing"):
        load_source(path)
