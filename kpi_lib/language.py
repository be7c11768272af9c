"""The language of pages: texts from message catalogues, and numbers, amounts and dates as its readers write them.

English is the language of the code, so its texts are the messages themselves. The others lie in `translations/`, a
catalogue each; what a catalogue lacks is printed in English.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from kpi_lib.period import MONTHS, Period

LANGUAGES = ("en", "ar", "fa", "ru")
MINUS, SPACE = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
_LIKE_FRACTIONS = {"ar": 100, "ru": 2}  # the whole number whose form goes with decimals: 2,5 and 5,0 as 2
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_LATIN = re.compile("[A-Za-z]")
_BEFORE_A_NUMBER = "\N{LEFT-TO-RIGHT MARK}"  # keeps a sign before its number in text that runs to the left
_SENSE = re.compile("‹[^›]+› ")  # before a message: in which sense a word is meant, where English has one for two
_ORDERED = re.compile(r"(?P<place>\d )?(?P<word>.+?)(?P<hour> \d\d)?")  # `1 mon 09`
_ISOLATED = "\N{FIRST STRONG ISOLATE}{}\N{POP DIRECTIONAL ISOLATE}"


NO_MEMBER = "(none)"
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # letters of data that spoil or turn a text
BETTER = ("higher", "lower", "band", "none")
MEMBERS = {  # of cuts whose members are words of the code
    "weekday": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    "age_band": ("under 1 day", "1 to 3 days", "3 to 7 days", "over 7 days"),
    "tenure_band": ("under 3 months", "under 1 year", "over 1 year"),
    "had_ticket": ("yes", "no"),
    "status": ("open", "pending", "hold", "resolved", "closed"),
}


def message(text: str) -> str:
    """Mark a text that is said elsewhere, so that it gets into the catalogues."""
    return text


def forms(one: str, several: str) -> tuple[str, str]:
    """Mark the two forms of a message that goes with a number and is said elsewhere."""
    return one, several


class Language:
    """English, and what every language can do."""

    code = "en"
    direction = "ltr"
    comma, semicolon = ", ", "; "

    def say(self, message: str, /, **given: Any) -> str:
        """Return a message in this language, its `{names}` filled in; `‹unit› points` is said as a unit is."""
        return self._filled(message, given)

    def many(self, one: str, several: str, count: float, /, *, decimals: int = 0, **given: Any) -> str:
        """Return the form of a message that goes with a number, which is `{count}` in it."""
        return self._filled(
            one if count == 1 and not decimals else several, {"count": self.number(count, decimals)} | given
        )

    def every(self, one: str, several: str, /) -> tuple[str, ...]:
        """Return all forms of a message that goes with a number, `{count}` in them."""
        return one, several

    def number(self, value: float, decimals: int = 0) -> str:
        """Return a number with its separators."""
        return f"{value:,.{decimals}f}".replace("-", MINUS)

    def signed(self, sign: str, number: str) -> str:
        """Return a number's text with a sign before it."""
        return sign + number

    def percent(self, value: float, decimals: int) -> str:
        """Return a share of hundred as text: `86.4%`."""
        return f"{self.number(value, decimals)}%"

    def money(self, value: float, currency: str, decimals: int) -> str:
        """Return an amount with its currency: `EUR 1,204`."""
        return f"{currency}{SPACE}{self.number(value, decimals)}" if currency else self.number(value, decimals)

    def period(self, period: Period) -> str:
        """Return a period as people say it: `May 2024`, `Q2 2024`, `2024`."""
        return period.label

    def month(self, period: Period) -> str:
        """Return a month's short name without its year, of a quarter the same."""
        return period.label.partition(" ")[0][:3]

    def year(self, period: Period) -> str:
        """Return the year that a period lies in."""
        return str(period.first_day.year)

    def without_year(self, period: Period) -> str:
        """Return a month or quarter as it is said in a text about the same year; a year is itself."""
        return self.period(period).removesuffix(f" {self.year(period)}")

    def seen_from(self, now: Period, other: Period) -> str:
        """Return a period as it is said in a text about another: its year is said only if it is not the same."""
        same_year = now.first_day.year == other.first_day.year
        return self.without_year(other) if same_year else self.period(other)

    def day(self, day: date, *, short: bool = False) -> str:
        """Return a day: `2 July 2024`, in a table `2 Jul 2024`."""
        month = MONTHS[day.month - 1]
        return f"{day.day} {month[:3] if short else month} {day.year}"

    def moment(self, instant: datetime) -> str:
        """Return a day and the time of day, in the instant's own zone."""
        return f"{self.day(instant)}{self.comma}{instant:%H:%M}"

    def joined(self, names: Iterable[str]) -> str:
        """Return names one after the other, with the language's comma between them."""
        return self.comma.join(names)

    def listed(self, names: Sequence[str]) -> str:
        """Return names as an enumeration: `chat, phone and web`."""
        return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)

    def named(self, title: str) -> str:
        """Return the name of a KPI, or of one of its readings (`First response time: nine in ten waited less`)."""
        return ": ".join(self.say(part) for part in title.split(": ", 1))

    def cut(self, cut: str) -> str:
        """Return the name of a cut in words."""
        return self.say(cut.replace("_", " "))

    def word(self, kind: str, word: str) -> str:
        """Return a word of the code's own, such as the `unit` percent, as pages say it."""
        return self.say(f"‹{kind}› {word}")

    def member(self, cut: str, member: Any) -> str:
        """Return a member of a cut as pages print it: a weekday or band in this language, one of the data as it is."""
        name, kind = UNSEEN.sub("\N{REPLACEMENT CHARACTER}", str(member)), cut.removesuffix("_hour")
        if name == NO_MEMBER:
            return self.say(NO_MEMBER)
        words, found = MEMBERS.get(kind, ()), _ORDERED.fullmatch(name)
        if name in words:
            return self.word(kind, name)
        if not found or found["word"] not in words:
            return name
        return self._native(found["place"] or "") + self.word(kind, found["word"]) + self._native(found["hour"] or "")

    def _native(self, text: str) -> str:
        """Return a text with this language's digits."""
        return text

    def _filled(self, text: str, given: Mapping[str, Any]) -> str:
        text = _SENSE.sub("", text, count=1) if text.startswith("‹") else text
        return text.format(**given) if given else text


class _Translated(Language):
    """A language with a catalogue; its numbers and dates are written by the rules of the Unicode CLDR."""

    def __init__(self, code: str) -> None:
        from babel import Locale

        self.code, self._locale = code, Locale.parse(code)
        self.direction = self._locale.text_direction
        if self.direction == "rtl":
            self.comma, self.semicolon = "، ", "؛ "

    def say(self, message: str, /, **given: Any) -> str:
        found = self._catalogue.get(message)
        return self._filled(
            found.string if found and isinstance(found.string, str) and found.string else message, given
        )

    def many(self, one: str, several: str, count: float, /, *, decimals: int = 0, **given: Any) -> str:
        forms = self._forms(one)
        whole = _LIKE_FRACTIONS.get(self.code, 2) if decimals else int(count)
        text = forms[self._form(whole)] if forms else one if count == 1 and not decimals else several
        return self._filled(text, {"count": self.number(count, decimals)} | given)

    def every(self, one: str, several: str, /) -> tuple[str, ...]:
        return self._forms(one) or (one, several)

    def _forms(self, one: str) -> tuple[str, ...]:
        found = self._catalogue.get(one)
        return found.string if found and isinstance(found.string, tuple) and all(found.string) else ()

    def number(self, value: float, decimals: int = 0) -> str:
        from babel.numbers import format_decimal

        pattern = "#,##0." + decimals * "0" if decimals else "#,##0"
        return self._sign(format_decimal(abs(value), pattern, self._locale, numbering_system=self._digits), value)

    def signed(self, sign: str, number: str) -> str:
        return (_BEFORE_A_NUMBER if self.direction == "rtl" else "") + sign + number

    def percent(self, value: float, decimals: int) -> str:
        space = SPACE if SPACE in self._locale.percent_formats[None].pattern else ""
        return f"{self.number(value, decimals)}{space}{'٪' if self.code == 'fa' else '%'}"

    def money(self, value: float, currency: str, decimals: int) -> str:
        from babel.numbers import get_currency_symbol

        symbol = get_currency_symbol(currency, self._locale) if currency else ""
        return f"{self.number(value, decimals)}{SPACE}{symbol}" if currency else self.number(value, decimals)

    def period(self, period: Period) -> str:
        if period.months == 1:
            return self._date("LLLL y", period.first_day)
        if period.months == 3:
            return self.say("Q{quarter} {year}", quarter=self._quarter(period), year=self.year(period))
        return self.year(period)

    def month(self, period: Period) -> str:
        if period.months == 3:
            return self.say("Q{quarter}", quarter=self._quarter(period))
        return self._date("LLL", period.first_day) if period.months == 1 else self.year(period)

    def year(self, period: Period) -> str:
        return self._date("y", period.first_day)

    def day(self, day: date, *, short: bool = False) -> str:
        return self._date("d MMM y" if short else "d MMMM y", day)

    def moment(self, instant: datetime) -> str:
        return self._native(super().moment(instant))

    def joined(self, names: Iterable[str]) -> str:
        return super().joined(self._isolated(name) for name in names)

    def listed(self, names: Sequence[str]) -> str:
        from babel.lists import format_list

        return str(format_list([self._isolated(name) for name in names], locale=self._locale))

    def _filled(self, text: str, given: Mapping[str, Any]) -> str:
        return super()._filled(text, {name: self._isolated(value) for name, value in given.items()})

    def _isolated(self, value: Any) -> Any:
        """Keep a foreign name together in text that runs to the left."""
        foreign = self.direction == "rtl" and isinstance(value, str) and _LATIN.search(value)
        return _ISOLATED.format(value) if foreign and "\N{FIRST STRONG ISOLATE}" not in value else value

    def _sign(self, text: str, value: float) -> str:
        return self.signed(MINUS, self._native(text)) if value < 0 else self._native(text)

    def _native(self, text: str) -> str:
        return text.translate(_PERSIAN_DIGITS) if self.code == "fa" else text

    def _date(self, pattern: str, day: date) -> str:
        from babel.dates import format_date

        return self._native(str(format_date(day, pattern, locale=self._locale)))

    def _quarter(self, period: Period) -> str:
        return self._native(str((period.first_day.month + 2) // 3))

    @property
    def _digits(self) -> str:
        return "default" if self.code == "fa" else "latn"

    @cached_property
    def _catalogue(self) -> Any:
        from babel.messages.pofile import read_po

        with files("kpi_lib").joinpath("translations", f"{self.code}.po").open("rb") as file:
            return read_po(file, locale=self.code)

    @cached_property
    def _form(self) -> Any:
        import gettext

        return gettext.c2py(self._catalogue.plural_expr)


@cache
def language(code: str) -> Language:
    """Return one of the `LANGUAGES`."""
    return _Translated(code) if code != "en" else Language()


def speak(about: Mapping[str, Any]) -> Language:
    """Return the language that a scorecard's pages are in."""
    return language(str(about.get("language", "en")))


ENGLISH = language("en")
