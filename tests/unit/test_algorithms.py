"""The catalogue of balancing methods."""

import pytest

from lab.algorithms import ALGORITHMS, DEFAULT_ALGORITHM, Algorithm, algorithm_named
from lab.errors import UsageError


def test_the_catalogue_has_the_contracts_names_in_the_order_of_the_keys() -> None:
    """Key 1 is round robin, key 8 least time."""
    assert [algorithm.name for algorithm in ALGORITHMS] == [
        "round_robin",
        "least_conn",
        "random",
        "random_two",
        "ip_hash",
        "hash",
        "hash_consistent",
        "least_time",
    ]
    assert DEFAULT_ALGORITHM == "round_robin"


def test_each_algorithm_is_the_nginx_directive_it_stands_for() -> None:
    """round_robin has no directive, since it is what nginx does without one."""
    assert {algorithm.name: algorithm.directive for algorithm in ALGORITHMS} == {
        "round_robin": None,
        "least_conn": "least_conn",
        "random": "random",
        "random_two": "random two least_conn",
        "ip_hash": "ip_hash",
        "hash": "hash $request_uri",
        "hash_consistent": "hash $request_uri consistent",
        "least_time": "least_time header",
    }


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda algorithm: algorithm.name)
def test_each_algorithm_is_explained_in_one_sentence(algorithm: Algorithm) -> None:
    """The summary is one sentence, the title has no underscore, and the name finds it."""
    assert algorithm.summary.endswith(".")
    assert ". " not in algorithm.summary
    assert "_" not in algorithm.title
    assert algorithm_named(algorithm.name) is algorithm


@pytest.mark.parametrize("name", ["", "ROUND_ROBIN", "least-conn", "fair"])
def test_an_unknown_algorithm_is_refused_with_the_known_ones(name: str) -> None:
    """The sentence repeats what was asked for and lists every name."""
    with pytest.raises(UsageError) as refusal:
        algorithm_named(name)
    assert repr(name) in str(refusal.value)
    assert all(algorithm.name in str(refusal.value) for algorithm in ALGORITHMS)
