"""Acts that bind a person ask for a fresh login: terminals are shared, and a session left open is not its officer.

Source: OpenID Connect Core 1.0, section 2 (`auth_time`, `acr`); RFC 9470 (step-up authentication).
"""

from __future__ import annotations

from datetime import datetime

from casemesh.core.names import WORKSTATION
from casemesh.errors import Unauthenticated
from casemesh.runtime.call import Caller
from casemesh.runtime.config import ServerConfig
from casemesh.runtime.tokens import ACR_RANKS


def require_fresh_login(caller: Caller, config: ServerConfig, now: datetime) -> None:
    """Raises Unauthenticated (LOGIN_NOT_FRESH) unless the officer of a verified token logged in lately, by a level that
    is taken. It is answered before any case is looked at, so it tells nothing of one."""
    longest = config.fresh_login_workstation if _at_workstation(caller.system) else config.fresh_login_system
    ranks_enough = ACR_RANKS.get(caller.acr, 0) >= ACR_RANKS[config.fresh_login_acr]
    if ranks_enough and now.timestamp() - caller.auth_time <= longest:
        return
    raise Unauthenticated(
        "LOGIN_NOT_FRESH",
        f"this act binds you: log in again, state the login in a signed assertion and repeat the call within "
        f"{longest:.0f} seconds",
        {"max_age_seconds": f"{longest:.0f}", "acr": config.fresh_login_acr},
    )


def _at_workstation(client: str) -> bool:
    try:
        WORKSTATION.parse(client)
    except ValueError:
        return False
    return True
