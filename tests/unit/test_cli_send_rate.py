"""The rate a sending keeps to, as a person states it."""

from __future__ import annotations

import pytest

from casemesh.cli.exit_codes import ExitCode
from casemesh.cli.invocation import Failure
from casemesh.cli.send_dossier import bytes_per_second


@pytest.mark.parametrize(("stated", "expected"), [("", None), ("20MB", 20_000_000), ("1MiB", 1 << 20)])
def test_a_rate_is_a_size_a_second_or_none(stated: str, expected: int | None) -> None:
    assert expected == bytes_per_second(stated)


@pytest.mark.parametrize("stated", ["fast", "0MB", "20", "-1MB"])
def test_what_is_no_rate_is_a_usage_error(stated: str) -> None:
    with pytest.raises(Failure) as caught:
        bytes_per_second(stated)
    assert ExitCode.USAGE == caught.value.code
