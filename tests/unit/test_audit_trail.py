"""The trail bundle: whatever is done to it, it verifies only as the log holds it."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.client import notes
from casemesh.client.commitments import commitment
from casemesh.client.trail import Event, TrailError, encode_numbers, log_key_from_certificates, verify_trail_bundle
from tests.support.signing import NOW
from tests.support.trail_log import CASE, LOG_KEY, ORIGIN, OTHER_CASE, ROOT, SIGNER_URI, Entry, Log


@pytest.fixture
def bundle() -> dict[str, Any]:
    return copy.deepcopy(Log().bundle())


def test_a_trail_verifies_and_gives_its_events(bundle: dict[str, Any]) -> None:
    verified = verify_trail_bundle(json.dumps(bundle), LOG_KEY, case=CASE)
    assert [event["case_sequence"] for event in verified.events] == [1, 2, 3, 4, 5]
    assert verified.case == CASE
    assert verified.checkpoint.size == 9


def test_any_single_value_of_an_event_changed_is_refused(bundle: dict[str, Any]) -> None:
    for position, entry in enumerate(bundle["entries"]):
        for key in entry["event"]:
            altered = copy.deepcopy(bundle)
            altered["entries"][position]["event"][key] = "other"
            with pytest.raises(TrailError, match=f"event {position + 1} of 5"):
                verify_trail_bundle(altered, LOG_KEY)


def test_an_event_left_out_anywhere_but_at_the_end_is_refused(bundle: dict[str, Any]) -> None:
    for position in range(4):
        altered = copy.deepcopy(bundle)
        del altered["entries"][position]
        with pytest.raises(TrailError, match=f"event {position + 1} of 4"):
            verify_trail_bundle(altered, LOG_KEY)


def test_events_out_of_order_or_twice_are_refused(bundle: dict[str, Any]) -> None:
    entries = bundle["entries"]
    for order in ([1, 0, 2, 3, 4], [0, 1, 1, 2, 3, 4], [4, 3, 2, 1, 0]):
        with pytest.raises(TrailError):
            verify_trail_bundle({**bundle, "entries": [entries[place] for place in order]}, LOG_KEY)


def test_an_event_that_was_never_logged_is_refused_even_when_well_linked() -> None:
    log = Log()
    last = log.entries()[-1]
    forged: Event = {
        "case": CASE,
        "case_sequence": 6,
        "previous": commitment(last.salt, last.event).hex(),
        "action": "dossier.document.read",
    }
    entry = Entry(last.index, bytes(32), forged, last.proof)
    with pytest.raises(TrailError, match="event 6 of 6: stands in the log before"):
        verify_trail_bundle(log.bundle([*log.entries(), entry]), LOG_KEY)
    entry = Entry(last.index + 1, bytes(32), forged, last.proof)
    with pytest.raises(TrailError, match="event 6 of 6: leaf 9 is not in"):
        verify_trail_bundle(log.bundle([*log.entries(), entry]), LOG_KEY)


def test_an_event_of_the_log_renumbered_by_the_log_itself_is_refused() -> None:
    """Even the log's own key cannot give a case two different second events under one tree."""
    log = Log()
    first, second, *rest = log.entries()
    renumbered = Entry(second.index, second.salt, {**second.event, "previous": None}, second.proof)
    with pytest.raises(TrailError, match="does not name the event before it"):
        verify_trail_bundle(log.bundle([first, renumbered, *rest]), LOG_KEY)


def test_a_log_that_numbers_a_case_from_elsewhere_is_refused_though_all_links_hold() -> None:
    for first in (0, 2):
        with pytest.raises(TrailError, match="event 1 of 5: its number"):
            verify_trail_bundle(Log(first=first).bundle(), LOG_KEY)


def test_another_cases_events_do_not_pass(bundle: dict[str, Any]) -> None:
    with pytest.raises(TrailError, match="another case"):
        verify_trail_bundle(Log().bundle(Log().entries(OTHER_CASE)), LOG_KEY)
    with pytest.raises(TrailError, match="trail is of another case"):
        verify_trail_bundle(bundle, LOG_KEY, case=OTHER_CASE)


def test_a_trail_without_events_proves_nothing() -> None:
    with pytest.raises(TrailError, match="no events"):
        verify_trail_bundle(Log().bundle([]), LOG_KEY)


def test_a_checkpoint_of_another_key_is_refused(bundle: dict[str, Any]) -> None:
    other = notes.NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    forged = {**bundle, "checkpoint": Log().checkpoint(other)}
    with pytest.raises(TrailError, match="checkpoint does not hold"):
        verify_trail_bundle(forged, LOG_KEY)
    with pytest.raises(TrailError, match="another log"):
        verify_trail_bundle({**forged, "log_key": str(other.verifier_key)}, LOG_KEY)


def test_a_checkpoint_of_another_size_is_refused(bundle: dict[str, Any]) -> None:
    for events in (8, 10):
        with pytest.raises(TrailError, match="event 1 of 5"):
            verify_trail_bundle({**bundle, "checkpoint": Log(events).checkpoint()}, LOG_KEY)


def test_cutting_off_the_end_leaves_a_trail_of_fewer_events(bundle: dict[str, Any]) -> None:
    """The stated limit of a trail: it cannot show that nothing came after."""
    del bundle["entries"][-1]
    assert len(verify_trail_bundle(bundle, LOG_KEY).events) == 4


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b.update(format="casemesh.audit.trail/v2"),
        lambda b: b.update(more=1),
        lambda b: b.pop("certificates"),
        lambda b: b.update(case=None),
        lambda b: b.update(checkpoint=3),
        lambda b: b.update(entries={}),
        lambda b: b["entries"].append(None),
        lambda b: b["entries"][0].pop("salt"),
        lambda b: b["entries"][0].update(more=1),
        lambda b: b["entries"][0].update(index=True),
        lambda b: b["entries"][0].update(index="0"),
        lambda b: b["entries"][0].update(index=-1),
        lambda b: b["entries"][0].update(salt="AAAA"),
        lambda b: b["entries"][0].update(salt=b["entries"][0]["salt"].rstrip("=")),
        lambda b: b["entries"][0].update(event=[]),
        lambda b: b["entries"][0].update(proof=None),
        lambda b: b["entries"][0]["proof"].pop(),
        lambda b: b["entries"][0]["proof"].append(b["entries"][0]["proof"][0]),
        lambda b: b["entries"][0]["proof"].__setitem__(0, 1),
        lambda b: b["entries"][0]["proof"].__setitem__(0, "AAAA"),
        lambda b: b["entries"][0]["event"].update(case_sequence=True),
        lambda b: b["entries"][0]["event"].update(extra=0.5),
        lambda b: b["entries"][0]["event"].pop("previous"),
    ],
)
def test_a_bundle_of_another_shape_is_refused(
    bundle: dict[str, Any], change: Callable[[dict[str, Any]], object]
) -> None:
    change(bundle)
    with pytest.raises(TrailError):
        verify_trail_bundle(bundle, LOG_KEY)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"format":1,"format":1}', b"\xff"])
def test_text_that_is_no_trail_is_refused(text: str | bytes) -> None:
    with pytest.raises(TrailError, match="not a trail"):
        verify_trail_bundle(text, LOG_KEY)


def test_a_reader_with_the_signing_root_alone_finds_the_logs_key(bundle: dict[str, Any]) -> None:
    roots = [ROOT.certificate]
    key = log_key_from_certificates(bundle, roots, origin=ORIGIN, signer=SIGNER_URI, at=NOW)
    assert str(key) == str(LOG_KEY)
    with pytest.raises(TrailError, match="is of"):
        log_key_from_certificates(bundle, roots, origin=ORIGIN, signer="spiffe://mesh.casemesh/signing/x", at=NOW)
    with pytest.raises(TrailError, match="do not hold"):
        log_key_from_certificates(bundle, [], origin=ORIGIN, signer=SIGNER_URI, at=NOW)
    bundle["certificates"] = []
    with pytest.raises(TrailError, match="no certificates"):
        log_key_from_certificates(bundle, roots, origin=ORIGIN, signer=SIGNER_URI, at=NOW)


def test_a_commitment_hides_the_event_behind_its_salt() -> None:
    event: Event = {"case": CASE}
    assert commitment(bytes(32), event) != commitment(b"\x01" * 32, event)
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(bytes(31), event)


def test_a_shredded_event_leaves_the_trail_whole() -> None:
    verified = verify_trail_bundle(Log(tells=[2, 3]).bundle(shredded=[1, 2]), LOG_KEY, case=CASE)
    assert (2, 3) == verified.shredded
    assert [1, 4, 5] == [event["case_sequence"] for event in verified.events]


@pytest.mark.parametrize("tells", [(), (2,), (3, 4)])
def test_a_text_that_is_gone_without_an_event_that_says_so_is_refused(tells: tuple[int, ...]) -> None:
    with pytest.raises(TrailError, match=r"event [23] of 5: its text is gone"):
        verify_trail_bundle(Log(tells=tells).bundle(shredded=[1, 2]), LOG_KEY)


def test_a_shredded_events_commitment_cannot_be_another() -> None:
    bundle = Log(tells=[2]).bundle(shredded=[1])
    bundle["entries"][1]["commitment"] = bundle["entries"][0]["salt"]
    with pytest.raises(TrailError, match="event 2 of 5"):
        verify_trail_bundle(bundle, LOG_KEY)


@pytest.mark.parametrize("runs", ["", "x", "1-", "1-9999999", "1,,2", 3])
def test_what_was_shredded_is_told_in_one_bounded_form(runs: str | int) -> None:
    log = Log(tells=[2])
    log.committed[-1][2]["details"] = {"case_sequences": runs}
    with pytest.raises(TrailError):
        verify_trail_bundle(log.bundle(shredded=[1]), LOG_KEY)


@pytest.mark.parametrize(("numbers", "text"), [([1], "1"), ([1, 2, 3], "1-3"), ([1, 3, 4, 9], "1,3-4,9")])
def test_numbers_are_told_as_runs(numbers: list[int], text: str) -> None:
    assert text == encode_numbers(numbers)
