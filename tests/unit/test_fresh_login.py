"""Which logins are fresh enough for an act that binds a person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from casemesh.core.ids import new_id
from casemesh.errors import Unauthenticated
from casemesh.runtime.call import Caller
from casemesh.runtime.config import ConfigError, Duration, ServerConfig
from casemesh.runtime.fresh_login import require_fresh_login

NOW = 1_800_000_000
AGENCY = f"agencies/{new_id()}"
OFFICER = f"{AGENCY}/officers/{new_id()}"
CLIENTS = {"system": f"{AGENCY}/systems/{new_id()}", "workstation": f"{AGENCY}/workstations/{new_id()}"}
ACR = "urn:casemesh:acr:"


def refusal(age: float, client: str = "system", level: str = "password", config: ServerConfig | None = None) -> str:
    caller = Caller(AGENCY, CLIENTS[client], OFFICER, "", NOW + 300.0, b"", NOW - age, f"{ACR}{level}")
    try:
        require_fresh_login(caller, config or ServerConfig("127.0.0.1:0"), datetime.fromtimestamp(NOW, UTC))
    except Unauthenticated as error:
        return f"{error.reason} {error.metadata['max_age_seconds']}"
    return ""


@pytest.mark.parametrize(("client", "longest"), [("system", 600), ("workstation", 300)])
def test_a_login_is_fresh_for_ten_minutes_and_for_five_at_a_workstation(client: str, longest: int) -> None:
    assert refusal(0, client) == ""
    assert refusal(longest, client) == ""
    assert refusal(longest + 1, client) == f"LOGIN_NOT_FRESH {longest}"


@pytest.mark.parametrize("level", ["system-asserted", "workstation", "", "trust-me"])
def test_what_states_no_login_is_never_fresh(level: str) -> None:
    assert refusal(0, level=level) == "LOGIN_NOT_FRESH 600"


def test_levels_are_ordered_and_the_least_that_is_taken_is_configured() -> None:
    levels = ["password", "two-factor", "certificate"]
    for least in range(3):
        config = ServerConfig("127.0.0.1:0", fresh_login_acr=f"{ACR}{levels[least]}", fresh_login_system=Duration(60))
        expected = ["" if rank >= least else "LOGIN_NOT_FRESH 60" for rank in range(3)]
        assert expected == [refusal(60, level=level, config=config) for level in levels]
        assert refusal(61, level=levels[least], config=config) == "LOGIN_NOT_FRESH 60"


@pytest.mark.parametrize("level", ["urn:casemesh:acr:system-asserted", "password", ""])
def test_a_level_that_states_no_login_cannot_be_configured(level: str) -> None:
    with pytest.raises(ConfigError, match="fresh_login_acr"):
        ServerConfig("127.0.0.1:0", fresh_login_acr=level)
