"""Three counts that must agree, and the small facts of the models."""

from hypothesis import given
from hypothesis import strategies as st

from lab.counts.ledger import Ledger
from lab.models import NginxView
from lab.states import BackendState
from lab.witnesses import Attempt

counts = st.integers(0, 10**6)


@given(answered=counts, forwarded=counts, others=counts)
def test_a_ledger_whose_counts_agree_is_balanced(answered: int, forwarded: int, others: int) -> None:
    """Other clients' requests are in nginx's and the backends' counts, so they need not equal the client's."""
    ledger = Ledger(answered, answered, forwarded, forwarded, others)
    assert ledger.is_balanced
    assert ledger.differences == ()


@given(client=counts, nginx=counts, backends=counts, forwarded=counts, moving=st.integers(-50, 50))
def test_a_ledger_is_balanced_exactly_when_all_its_gaps_are_on_the_way(
    client: int, nginx: int, backends: int, forwarded: int, moving: int
) -> None:
    """Each of the two pairs is compared on its own, in both directions: more on the way than that is a gap as well."""
    ledger = Ledger(client, nginx, backends, forwarded, client_moving=moving, backends_moving=-moving)
    gaps = [client - nginx - moving, forwarded - backends + moving]
    assert len(ledger.differences) == sum(gap != 0 for gap in gaps)
    assert ledger.is_balanced is not any(gaps)
    assert ledger.on_the_way == abs(moving)


def test_differences_say_who_has_how_much_more_than_whom() -> None:
    """Each sentence names the gap and both sides."""
    assert Ledger(client_answered=1500, nginx_logged=100).differences == (
        "client has 1,400 more answers than nginx logged",
    )
    assert Ledger(nginx_forwarded=3, backends_served=5).differences == (
        "nginx has 2 fewer answers than the backends gave",
    )


def test_what_is_on_the_way_is_no_difference_until_everybody_had_the_time_to_speak() -> None:
    """settled() keeps the counts and forgives nothing more."""
    ledger = Ledger(client_answered=10, nginx_logged=9, client_moving=1)
    assert ledger.is_balanced
    assert ledger.settled().differences == ("client has 1 more answer than nginx logged",)
    assert ledger.settled().client_answered == 10


def test_a_frozen_backend_is_alive_and_a_killed_one_is_not() -> None:
    """Alive is what has a process."""
    alive = {state for state in BackendState if state.is_alive}
    assert alive == {BackendState.STARTING, BackendState.UP, BackendState.ENDING, BackendState.FROZEN}


def test_only_an_attempt_with_a_header_is_an_answer() -> None:
    """A status alone may be nginx's own 502 or 504."""
    assert Attempt("127.0.0.1:71", 71, 404, 0.0).is_answer
    assert not Attempt("127.0.0.1:71", 71, 504, None).is_answer


def test_the_url_is_on_the_loopback_interface() -> None:
    """Not localhost, which may be ::1 as well."""
    assert NginxView("1.31.3", "bundled", 8070).url == "http://127.0.0.1:8070/"
