"""What an engine that is absent does to its tests."""

import pytest
import servers

pytestmark = pytest.mark.engines


def test_an_engine_that_is_absent_is_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(servers.REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no server"):
        servers.need(None, "no server")


def test_where_engines_are_required_it_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(servers.REQUIRED, "yes")
    with pytest.raises(pytest.fail.Exception, match="no server; REQUIRE_ENGINES is set"):
        servers.need(None, "no server")
    assert servers.need("found", "no server") == "found"
