"""Configuration of the identity service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from casemesh.core.units import GIB
from casemesh.identity.browsing import Limit, Limits, UsualHours
from casemesh.identity.v1.access_monitoring_service_pb2 import AccessAlertRule
from casemesh.runtime.config import ConfigError, Duration, Size
from casemesh.runtime.host import HostConfig
from casemesh.runtime.tokens import MAX_LIFE_SECONDS

_TEN_MINUTES = Duration(600)
_BYTES_ALERT, _BYTES_LIMIT = Size(60 * GIB), Size(200 * GIB)
_FIVE_MINUTES = Duration(MAX_LIFE_SECONDS)


@dataclass(frozen=True, kw_only=True)
class BrowsingConfig:
    """What one officer may read, and from where on supervisors are told. Why these figures: `docs/access.md`.

    Raises ConfigError when somebody would be told later than refused, or the hours have no form.
    """

    reads_an_hour_alert: int = 1000
    """From how many readings within an hour supervisors are told, 1 or more. Default 1000."""
    reads_an_hour: int = 6000
    """How many readings there may be within an hour. Default 6000."""
    cases_a_day_alert: int = 30
    """From how many different cases within 24 hours supervisors are told. Default 30."""
    cases_a_day: int = 100
    """How many different cases may be opened within 24 hours; those opened can be read on. Default 100."""
    bytes_a_day_alert: Size = _BYTES_ALERT
    """From how many bytes within 24 hours supervisors are told. Default 60GiB."""
    bytes_a_day: Size = _BYTES_LIMIT
    """How many bytes there may be within 24 hours; a reading under way is not cut. Default 200GiB."""
    refusals: int = 20
    """Of how many refusals in quick succession supervisors are told, 2 or more. Default 20."""
    refusals_within: Duration = _TEN_MINUTES
    """How quick a succession that is. Default 10m."""
    usual_hours: str = ""
    """When reading raises no alert, `07:00-21:00` in Asia/Shanghai. Default none, always: duty desks work at night."""

    def __post_init__(self) -> None:
        for name in ("reads_an_hour", "cases_a_day", "bytes_a_day"):
            alert, limit = getattr(self, f"{name}_alert"), getattr(self, name)
            if not 1 <= alert <= limit:
                raise ConfigError(f"browsing.{name}_alert must be 1 to {limit}, the value of {name}, not {alert}")
        if self.refusals < 2:
            raise ConfigError(f"browsing.refusals must be 2 or more, not {self.refusals}")
        try:
            UsualHours.parse(self.usual_hours)
        except ValueError:
            raise ConfigError(f"browsing.usual_hours must be HH:MM-HH:MM or empty, not {self.usual_hours!r}") from None

    def limits(self) -> Limits:
        """Return the limits as reading is held to them."""
        rule = AccessAlertRule
        return Limits(
            Limit(
                "reads_per_hour", self.reads_an_hour_alert, self.reads_an_hour,
                rule.ACCESS_ALERT_RULE_READS_NEARED, rule.ACCESS_ALERT_RULE_READS_REACHED,
            ),
            Limit(
                "cases_per_day", self.cases_a_day_alert, self.cases_a_day,
                rule.ACCESS_ALERT_RULE_CASES_NEARED, rule.ACCESS_ALERT_RULE_CASES_REACHED,
            ),
            Limit(
                "bytes_per_day", self.bytes_a_day_alert, self.bytes_a_day,
                rule.ACCESS_ALERT_RULE_BYTES_NEARED, rule.ACCESS_ALERT_RULE_BYTES_REACHED,
            ),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Config(HostConfig):
    """What identity has beyond every service's configuration.

    Raises ConfigError when the life of tokens is out of its range.
    """

    token_key: Path
    """The key that signs tokens: Ed25519, PKCS #8 in PEM, without password. Or, for rotation, a folder of such files,
    each named for when it begins to sign (`20260301T080000Z.pem`); a folder is read again when it changes."""
    token_life: Duration = _FIVE_MINUTES
    """How long a token is valid, 1s to 300s, in whole seconds. Default 300s, the most that verifiers take: revocation
    does not wait for it, since rights are asked for at every call."""

    signing: Path | None = None
    """Folder with `signing.pem` and `signing.key`, the document-signing key of the directory. Default none: then there
    is no signed directory."""
    direct_enrolment: bool = False
    """Whether an administrator may register systems and workstations by fingerprint alone, active at once. Default
    false: by certificate request and with a second administrator's approval. One machine and tests say true."""

    assertion_required: bool = False
    """Whether officers' tokens are given upon signed assertions alone. Default false, for agencies that do not sign
    yet: their officers read and prepare, but every act that binds a person asks for a stated login anyway."""

    browsing: BrowsingConfig = field(default_factory=BrowsingConfig)
    """The limits on what one officer reads."""

    def __post_init__(self) -> None:
        if not 1 <= self.token_life <= MAX_LIFE_SECONDS or self.token_life % 1:
            raise ConfigError(f"token_life must be 1s to {MAX_LIFE_SECONDS}s in whole seconds, not {self.token_life}s")
