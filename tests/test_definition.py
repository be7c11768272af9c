"""What a declaration computes, as text."""

from kpi_lib.definition import code_of

LEAST = 5
KINDS = {"rows": {"b", "a"}, "least": (1, None)}


def rows(limit):
    """A helper."""
    return limit + 1


def most(limit):
    return limit + LEAST


MAKERS = {"most": most}


def _declared():
    def rate(answer):
        """One text."""
        return rows(answer), [make(answer) for make in MAKERS.values()], KINDS

    return rate


def test_prose_is_no_part_and_helpers_are():
    code = code_of(_declared())
    assert "return limit + 1" in code
    assert "A helper" not in code
    assert "One text" not in code


def test_functions_behind_a_name_and_constants_are_a_part():
    code = code_of(_declared())
    assert "return limit + LEAST" in code
    assert "LEAST = 5" in code
    assert "KINDS = (('rows', ('a', 'b')), ('least', (1, None)))" in code
