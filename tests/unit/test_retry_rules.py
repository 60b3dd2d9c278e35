"""The words of `proxy_next_upstream`."""

import pytest

from lab.errors import UsageError
from lab.nginx.retry_rules import DEFAULT_RETRY_RULES, RETRY_RULES, directive_words, in_order


def test_words_are_put_in_order_and_said_once() -> None:
    """However a person gives them."""
    assert in_order(("http_500", "timeout", "error", "timeout")) == ("error", "timeout", "http_500")
    assert in_order(reversed(RETRY_RULES)) == RETRY_RULES
    assert in_order(()) == ()


@pytest.mark.parametrize("word", ["http_418", "off", "", "error;", "timeout; }", "Error"])
def test_a_word_that_nginx_doesnt_have_is_refused(word: str) -> None:
    """So nothing a person types can reach nginx's files; `off` stands alone, as no words at all."""
    with pytest.raises(UsageError, match="nginx has no retry rule"):
        in_order(("error", word))


def test_the_default_neednt_be_written_and_none_is_off() -> None:
    """A learner's file has what was asked for and no more."""
    assert directive_words(DEFAULT_RETRY_RULES) is None
    assert directive_words(()) == "off"
    assert directive_words(("error", "http_500")) == "error http_500"
