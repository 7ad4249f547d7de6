"""Pages that fit a message."""

from casemesh.routing.paging import fitting
from casemesh.routing.v1.exchange_pb2 import Exchange


def test_a_page_holds_what_fits_and_never_nothing() -> None:
    small, large = Exchange(name="x"), Exchange(name="x" * 1000)
    assert fitting([], budget=100) == 0
    assert fitting([large, small], budget=100) == 1
    assert fitting([small, small, large, small], budget=100) == 2
    assert fitting([small, small, small], budget=100) == 3
