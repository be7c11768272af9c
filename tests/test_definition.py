"""What a declaration computes, as text."""

from kpi_lib.definition import code_of


def rows(limit):
    """A helper."""
    return limit + 1


def _declared():
    def rate(answer):
        """One text."""
        return rows(answer)

    return rate


def test_prose_is_no_part_and_helpers_are(monkeypatch):
    before = code_of(_declared())
    rows.__doc__ = "Another text."
    assert code_of(_declared()) == before
    assert "return limit + 1" in before
    assert "A helper" not in before
    assert "One text" not in before
