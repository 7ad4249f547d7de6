"""The table of lawful moves."""

import pytest

from casemesh.routing.exchange_states import MOVES, Side, State, Step, allows, is_terminal
from casemesh.routing.v1 import exchange_pb2


def test_every_state_of_the_contract_but_a_draft_is_in_the_table() -> None:
    named = {name.removeprefix("EXCHANGE_STATE_") for name in exchange_pb2.ExchangeState.keys()}
    assert named - {"UNSPECIFIED", "DRAFT"} == set(State)


def test_every_step_has_a_move() -> None:
    assert set(Step) == set(MOVES)


def test_what_is_over_stays_over() -> None:
    assert {State.ANSWERED, State.WITHDRAWN, State.EXPIRED} == {state for state in State if is_terminal(state)}


def test_every_open_exchange_can_come_to_an_end() -> None:
    for state in State:
        reached, waiting = {state}, [state]
        while waiting:
            current = waiting.pop()
            for step, move in MOVES.items():
                if allows(step, current) and move.target not in reached:
                    reached.add(move.target)
                    waiting.append(move.target)
        assert any(is_terminal(each) for each in reached)


@pytest.mark.parametrize(
    ("step", "state"),
    [
        (Step.ACCEPT, State.SUBMITTED),
        (Step.ACCEPT, State.RETURNED),
        (Step.RETURN, State.ACCEPTED),
        (Step.WITHDRAW, State.ACCEPTED),
        (Step.SUPPLEMENT, State.DELIVERED),
        (Step.ANSWER, State.RETURNED),
        (Step.ANSWER, State.SUPPLEMENTED),
    ],
)
def test_steps_that_would_pass_over_the_other_side_are_not_lawful(step: Step, state: State) -> None:
    assert not allows(step, state)


def test_each_side_has_its_own_steps() -> None:
    assert {Step.SUPPLEMENT, Step.WITHDRAW} == {step for step, move in MOVES.items() if move.by is Side.SENDER}
    assert {Step.EXPIRE, Step.RELEASE} == {step for step, move in MOVES.items() if move.by is Side.PLATFORM}
