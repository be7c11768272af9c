"""The sample company's numbers agree with each other in every way that can be checked."""

from kpi_lib import consistency


def test_every_identity_holds_in_the_sample_company(card):
    assert card.about["identities"] == {"checked": len(consistency.IDENTITIES), "broken": []}
