"""What findings say, as whole messages: a translation orders their parts as its language does.

The number of months in a period says which message is meant: 1, 3 or 12. `{its}` is for English alone.
"""

from collections.abc import Mapping

from kpi_lib.language import forms, message
from kpi_lib.signals import BEYOND, NEAR, RUN

Targets = Mapping[tuple[bool, bool], str]

WITHIN_MARGIN = message("within the margin of error")
TARGETS: Targets = {  # by whether it has a lower and an upper bound
    (True, True): message("between {low} and {high}"),
    (True, False): message("at least {low}"),
    (False, True): message("at most {high}"),
}
CHANGES = {  # by whether it is unchanged, and whether it was compared at the same age
    (False, False): message("{change} on {period}"),
    (False, True): message("{change} on {period} at the same age"),
    (True, False): message("unchanged from {period}"),
    (True, True): message("unchanged from {period} at the same age"),
}
WAS = (message("{title} was {value}"), message("{title} were {value}"))  # here and below: one, several
MOVED = {"better": message("{title} improved to {value}"), "worse": message("{title} worsened to {value}")}
ROSE, FELL = message("{title} rose to {value}"), message("{title} fell to {value}")
VERDICTS = {
    "on_target": (message("it meets the target of {target}"), message("they meet the target of {target}")),
    "missed": (message("it misses the target of {target}"), message("they miss the target of {target}")),
    WITHIN_MARGIN: (
        message("it misses the target of {target}, within the margin of error"),
        message("they miss the target of {target}, within the margin of error"),
    ),
}
PROVISIONAL = (
    message("this is provisional ({anchor})"),
    message("this is provisional ({anchor}), so not yet judged against the target of {target}"),
)
TOO_FEW = (
    forms(
        "{title} is not shown for {period}: {count} case is too few.",
        "{title} is not shown for {period}: {count} cases are too few.",
    ),
    forms(
        "{title} are not shown for {period}: {count} case is too few.",
        "{title} are not shown for {period}: {count} cases are too few.",
    ),
)
HIDDEN = message("{title} for {period}: too few cases to be shown.")
_CANNOT = message("{title} cannot be estimated for {period}: too little is known so far.")
WHY_NONE = {  # in a cell, or within a sentence
    "small_sample": message("too few cases"),
    "undefined": message("nothing to measure"),
    "not_estimable": message("not known yet"),
    "not_available": message("not available"),
}
WITHOUT_NUMBER = {
    "undefined": (
        message("{title} has no value for {period}: there was nothing to measure."),
        message("{title} have no value for {period}: there was nothing to measure."),
    ),
    "not_estimable": (_CANNOT, _CANNOT),
    "not_available": (
        message("{title} is not available for {period}."),
        message("{title} are not available for {period}."),
    ),
}
VARIATION = {  # of what does not stand out, by the rule that it breaks
    1: {
        "": message("within {its} ordinary month-to-month variation"),
        BEYOND: message("beyond {its} ordinary month-to-month variation, as one number in fifty is by chance alone"),
        RUN: message(
            "within {its} ordinary month-to-month variation, but on one side of {its} mean for {count} months"
        ),
        NEAR: message(
            "within {its} ordinary month-to-month variation, but near the same limit of it in three of four months"
        ),
    },
    3: {
        "": message("within {its} ordinary quarter-to-quarter variation"),
        BEYOND: message(
            "beyond {its} ordinary quarter-to-quarter variation, as one number in fifty is by chance alone"
        ),
        RUN: message(
            "within {its} ordinary quarter-to-quarter variation, but on one side of {its} mean for {count} quarters"
        ),
        NEAR: message(
            "within {its} ordinary quarter-to-quarter variation, but near the same limit of it in three of four "
            "quarters"
        ),
    },
    12: {
        "": message("within {its} ordinary year-to-year variation"),
        BEYOND: message("beyond {its} ordinary year-to-year variation, as one number in fifty is by chance alone"),
        RUN: message("within {its} ordinary year-to-year variation, but on one side of {its} mean for {count} years"),
        NEAR: message(
            "within {its} ordinary year-to-year variation, but near the same limit of it in three of four years"
        ),
    },
}
STANDS_OUT = {  # without limits, with limits
    1: (
        message("beyond {its} ordinary month-to-month variation"),
        message("beyond {its} ordinary month-to-month variation ({low} to {high})"),
    ),
    3: (
        message("beyond {its} ordinary quarter-to-quarter variation"),
        message("beyond {its} ordinary quarter-to-quarter variation ({low} to {high})"),
    ),
    12: (
        message("beyond {its} ordinary year-to-year variation"),
        message("beyond {its} ordinary year-to-year variation ({low} to {high})"),
    ),
}
SIDES = {  # of what stands out and came back a little, so that it is not said to have improved or worsened
    "better": message("{variation}, for the better"),
    "worse": message("{variation}, for the worse"),
}
FIRST_CHANGE = {
    1: forms("the first change in {count} month", "the first change in {count} months"),
    3: forms("the first change in {count} quarter", "the first change in {count} quarters"),
    12: forms("the first change in {count} year", "the first change in {count} years"),
}
TOO_SHORT = forms(
    "The history is too short to tell what is ordinary: that takes {count} earlier period.",
    "The history is too short to tell what is ordinary: that takes {count} earlier periods.",
)
OF_NUMBERS = forms("Of {count} number that can be judged", "Of {count} numbers that can be judged")
NONE_STANDS_OUT = {
    1: message("{of_numbers}, none stands out from its ordinary month-to-month variation."),
    3: message("{of_numbers}, none stands out from its ordinary quarter-to-quarter variation."),
    12: message("{of_numbers}, none stands out from its ordinary year-to-year variation."),
}
BY_CHANCE = message("On average at most one in twenty of such signals is chance.")
STAND_OUT = {
    1: forms(
        "{of_numbers}, {count} stands out from the ordinary month-to-month variation: {names}.",
        "{of_numbers}, {count} stand out from the ordinary month-to-month variation: {names}.",
    ),
    3: forms(
        "{of_numbers}, {count} stands out from the ordinary quarter-to-quarter variation: {names}.",
        "{of_numbers}, {count} stand out from the ordinary quarter-to-quarter variation: {names}.",
    ),
    12: forms(
        "{of_numbers}, {count} stands out from the ordinary year-to-year variation: {names}.",
        "{of_numbers}, {count} stand out from the ordinary year-to-year variation: {names}.",
    ),
}
