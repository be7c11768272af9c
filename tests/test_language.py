"""How numbers, amounts, periods and messages are said in the languages of pages."""

from datetime import UTC, date, datetime

import pytest

from kpi_lib.language import ENGLISH, LANGUAGES, Language, language
from kpi_lib.period import Period
from kpi_lib.units import change, difference, duration, printed

MARK, MINUS, SPACE = "\N{LEFT-TO-RIGHT MARK}", "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
MAY = Period.parse("2024-05")


class Invented(type(language("ru"))):
    """Russian, Arabic or Persian with a catalogue of the test's own."""

    def __init__(self, code: str, **texts: str | tuple[str, ...]) -> None:
        from babel.messages.catalog import Catalog

        super().__init__(code)
        self.__dict__["_catalogue"] = made = Catalog(locale=code)
        for key, text in texts.items():
            several = isinstance(text, tuple)
            made.add((key.replace("_", " "), "several") if several else key.replace("_", " "), text)


def test_english_needs_no_catalogue():
    assert type(ENGLISH) is Language
    assert ENGLISH.say("less {taken}", taken="2") == "less 2"
    assert ENGLISH.many("{count} case", "{count} cases", 1) == "1 case"
    assert ENGLISH.many("{count} case", "{count} cases", 2500) == "2,500 cases"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("en", "12,345.7"),
        ("ru", f"12{SPACE}345,7"),
        ("ar", "12,345.7"),
        ("fa", "۱۲٬۳۴۵٫۷"),
    ],
)
def test_a_number_has_the_separators_and_digits_of_its_language(code, said):
    assert language(code).number(12345.67, 1) == said


def test_a_minus_stays_before_its_number_in_text_that_runs_to_the_left():
    assert language("ru").number(-2.5, 1) == f"{MINUS}2,5"
    assert language("ar").number(-2.5, 1) == f"{MARK}{MINUS}2.5"


def test_shares_and_amounts():
    assert [language(code).percent(3.21, 1) for code in LANGUAGES] == ["3.2%", "3.2%", "۳٫۲٪", f"3,2{SPACE}%"]
    assert printed(1204.4, "currency", "EUR", language=language("ru")) == f"1{SPACE}204{SPACE}€"
    assert printed(1204.4, "currency", "EUR") == f"EUR{SPACE}1,204"


def test_a_target_drops_decimals_that_are_zero_and_only_those():
    assert [printed(number, "percent", trim=True) for number in (30, 30.5, 1000)] == ["30%", "30.5%", "1,000%"]


def test_periods_and_days():
    said = {code: language(code).period(MAY) for code in LANGUAGES}
    assert said == {"en": "May 2024", "ar": "مايو 2024", "fa": "مه ۲۰۲۴", "ru": "май 2024"}
    assert language("ru").without_year(MAY) == "май"
    assert language("fa").year(MAY) == "۲۰۲۴"
    assert language("ru").day(date(2024, 7, 2)) == "2 июля 2024"
    assert ENGLISH.moment(datetime(2024, 7, 2, 6, 5, tzinfo=UTC)) == "2 July 2024, 06:05"


def test_the_form_of_a_message_goes_with_the_number():
    ru = Invented("ru", **{"{count}_day": ("{count} день", "{count} дня", "{count} дней")})
    said = [ru.many("{count} day", "several", number) for number in (1, 2, 5, 11, 21)]
    assert said == ["1 день", "2 дня", "5 дней", "11 дней", "21 день"]
    assert [ru.many("{count} day", "several", number, decimals=1) for number in (0.5, 5)] == ["0,5 дня", "5,0 дня"]


def test_a_message_without_a_translation_is_english():
    ru = Invented("ru", known="известно")
    assert [ru.say("known"), ru.say("not known {n}", n=1)] == ["известно", "not known 1"]


def test_a_latin_name_is_kept_together_in_text_that_runs_to_the_left():
    ar = Invented("ar", **{"all_of_{name}": "كل {name}"})
    assert ar.say("all of {name}", name="chat") == "كل \u2068chat\u2069"
    assert ar.say("all of {name}", name="5.2") == "كل 5.2"


@pytest.mark.parametrize(
    ("cut", "member", "said"),
    [
        ("weekday", "1 mon", ["1 mon", "۱ دوشنبه", "1 пн"]),
        ("weekday_hour", "2 tue 09", ["2 tue 09", "۲ سه‌شنبه ۰۹", "2 вт 09"]),
        ("age_band", "over 7 days", ["over 7 days", "بیش از ۷ روز", "более 7 дней"]),
        ("channel", "(none)", ["(none)", "(نامشخص)", "(не указано)"]),
        ("channel", "open", ["open", "open", "open"]),
        ("channel", "1 mon", ["1 mon", "1 mon", "1 mon"]),
    ],
)
def test_members_that_are_words_of_the_code_are_translated_and_those_of_the_data_are_not(cut, member, said):
    assert [language(code).member(cut, member) for code in ("en", "fa", "ru")] == said


def test_a_word_in_a_sense_of_its_own():
    assert [language(code).word("unit", "points") for code in ("en", "ru")] == ["points", "пункты"]
    assert language("ru").say("points") == "п."
    assert Invented("ru").say("‹unit› points") == "points"  # without a translation too


def test_percentage_points_are_told_from_points_where_room_is_short_too():
    said = {code: difference(2.1, "percent", short=True, language=language(code)) for code in LANGUAGES}
    assert {code: text.replace(SPACE, " ") for code, text in said.items()} == {
        "en": "2.1 % points",
        "ar": "2.1 نقطة مئوية",
        "fa": "۲٫۱ واحد درصد",
        "ru": "2,1 п. п.",
    }
    assert [text.count(" ") for text in said.values()] == [0, 0, 0, 0]  # one line has it all
    assert difference(2.1, "points") == f"2.1{SPACE}points"


def test_names_are_joined_with_the_comma_of_the_language():
    assert ENGLISH.joined(["chat", "web"]) == "chat, web"
    assert language("fa").joined(["الف", "chat"]) == "الف، \u2068chat\u2069"
    assert [language(code).semicolon for code in LANGUAGES] == ["; ", "؛ ", "؛ ", "; "]
    assert "، " in language("ar").moment(datetime(2024, 7, 2, 6, 5, tzinfo=UTC))


def test_a_quarter_ends_without_a_point():
    assert language("ru").period(Period.parse("2024-Q2")) == "2-й квартал 2024"
    assert language("ru").month(Period.parse("2024-Q2")) == "2 кв."


def test_the_direction_of_a_language():
    assert [language(code).direction for code in LANGUAGES] == ["ltr", "rtl", "rtl", "ltr"]


def test_names_are_listed():
    assert ENGLISH.listed(["chat", "phone", "web"]) == "chat, phone and web"
    assert [ENGLISH.listed([]), ENGLISH.listed(["chat"])] == ["", "chat"]
    assert language("ru").listed(["chat", "phone", "web"]) == "chat, phone и web"


def test_units_follow_the_language():
    assert change(84.0, 86.4, "percent") == f"down 2.4{SPACE}percentage points"
    assert difference(1, "points") == f"1.0{SPACE}points"
    assert duration(4320, ENGLISH) == f"1{SPACE}h{SPACE}12{SPACE}min"


def test_letters_that_spoil_or_turn_a_text_are_not_those_of_a_name():
    assert language("en").member("issue", "Billing\x07 \u202e21") == "Billing\ufffd \ufffd21"
