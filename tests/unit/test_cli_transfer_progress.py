"""Without a terminal, progress is a line now and then; with --json, JSON lines."""

from __future__ import annotations

import io
import json

from casemesh.cli.messages import Language
from casemesh.cli.output import Output
from casemesh.cli.transfer_progress import transfer_progress


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def transfer(*, as_json: bool) -> list[str]:
    """Send 100 MB, of which 20 were there before, at 10 MB/s; return the lines printed."""
    stderr, clock = io.StringIO(), FakeClock()
    output = Output(as_json=as_json, language=Language.ENGLISH, stderr=stderr)
    with transfer_progress(output, "progress.send", 100_000_000, clock=clock) as advance:
        for done in range(20, 101, 5):
            advance(done * 1_000_000)
            clock.now += 0.5
    return stderr.getvalue().splitlines()


def test_lines_come_seldom_and_say_rate_and_time_left() -> None:
    assert transfer(as_json=False) == [
        "sending: 70.0 MB of 100.0 MB, 10.0 MB/s, 3 s left",
        "sending: 100.0 MB of 100.0 MB, 10.0 MB/s, 0 s left",
    ]


def test_json_lines_say_the_same_as_numbers() -> None:
    lines = [json.loads(line) for line in transfer(as_json=True)]
    assert lines[0] == {
        "event": "progress.send",
        "done_bytes": 70_000_000,
        "total_bytes": 100_000_000,
        "bytes_per_second": 10_000_000,
        "seconds_left": 3.0,
    }
    assert lines[-1]["done_bytes"] == 100_000_000


def test_a_transfer_without_movement_knows_no_rate() -> None:
    stderr, clock = io.StringIO(), FakeClock()
    output = Output(as_json=False, language=Language.ENGLISH, stderr=stderr)
    with transfer_progress(output, "progress.send", 100, clock=clock) as advance:
        advance(0)
        clock.now += 60
        advance(0)
    assert stderr.getvalue() == "sending: 0 B of 100 B, 0 B/s, ? s left\n"
