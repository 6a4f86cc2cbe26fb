"""The best set under capacity: never wrong against counting all sets, and against exact sums."""

import itertools
import math
import time
from types import SimpleNamespace

import numpy as np
import pytest
from studies.knapsack_files import read_knapsacks

from analysis.chapters.marketing_requests import exact_search
from analysis.chapters.marketing_requests.capacity_choice import (
    Choice,
    ChoiceProblem,
    _rows,
    chance_in_best_set,
    choose_in_order,
    displaced_by,
    fits,
    next_step,
    solve_choice,
    value_by_capacity,
)
from analysis.chapters.marketing_requests.capacity_conflicts import smallest_conflict
from analysis.chapters.marketing_requests.request_answer import proof_gap
from analysis.project.errors import CrmDataError

THREE = ChoiceProblem(
    ("a", "b", "c"),
    np.array([9e3, 8e3, 3e3]),
    ("hours",),
    np.array([[60.0, 50, 20]]),
    np.array([100.0]),
)


def random_problem(rng, *, n):
    """Two capacities, at times none at all, of whole or broken hours; values that are often alike
    or below nought; pairs that wait, goals and must-haves, as often as not.
    """
    weights = rng.integers(0, 20, (2, n)) * rng.choice([0.1, 1.0, 12.25])
    after = tuple((int(i), int(j)) for i, j in rng.integers(0, n, (2, 2)) if i != j)
    part = rng.choice([0.0, *rng.uniform(0.2, 0.8, 4)])
    return ChoiceProblem(
        tuple(map(str, range(n))),
        rng.integers(-5, rng.choice([5, 40]), n).astype(float),
        ("hours", "budget"),
        weights,
        np.round(weights.sum(axis=1) * part, 1),
        after if rng.random() < 0.5 else (),
        tuple(int(g) for g in rng.integers(-1, 3, n)),
        int(rng.integers(1, 4)) if rng.random() < 0.5 else None,
        frozenset({int(rng.integers(0, n))}) if rng.random() < 0.3 else frozenset(),
    )


def sets_that_stand(problem):
    """Return every set that keeps every rule, a row a set, 1 where a request is in it."""
    n = len(problem.requests)
    sets = np.array(list(itertools.product([0, 1], repeat=n)))
    ok = (sets @ problem.weights.T <= problem.limits + 1e-9).all(axis=1)
    ok &= sets[:, sorted(problem.musts)].all(axis=1)
    for first, second in problem.after:
        ok &= sets[:, first] <= sets[:, second]
    goals = np.array(problem.goals)
    n_goals = sum((sets[:, goals == goal].any(axis=1)).astype(int) for goal in range(3))
    return sets[ok & (n_goals <= (problem.most_goals or n))]


@pytest.mark.parametrize(("n_cases", "lists_from"), [(300, exact_search.CORE_FROM), (100, 1)])
def test_small_choices_are_those_of_counting_all_sets(monkeypatch, n_cases, lists_from, figure):
    """Every subset of four to eight requests, by branch and bound and by lists of turns; where none
    stands, none is chosen.
    """
    monkeypatch.setattr(exact_search, "CORE_FROM", lists_from)
    rng = np.random.default_rng(16)
    n_without = 0
    for _ in range(n_cases):
        problem = random_problem(rng, n=int(rng.integers(4, 9)))
        sets = sets_that_stand(problem)
        best = solve_choice(problem)
        if not len(sets):
            assert best is None
            n_without += 1
            continue
        chosen = np.isin(range(len(problem.requests)), best.chosen).astype(int)
        assert best.value == pytest.approx((sets @ problem.amounts).max(), abs=1e-6)
        assert (sets == chosen).all(axis=1).any()
        assert best.is_proven
    assert n_cases / 60 < n_without < n_cases / 2
    figure(
        "000-01",
        f"{n_cases} small choices as counted, lists from {lists_from} requests on; {n_without} without a set",
    )


def by_dynamic_programming(amounts, hours, capacity):
    """Return the highest value by the recursion over whole hours: V(h) = max(V(h), v + V(h - w))."""
    value = np.zeros(capacity + 1)
    for amount, hour in zip(amounts.tolist(), hours.tolist(), strict=True):
        shifted = np.concatenate(
            [np.full(min(hour, capacity + 1), -np.inf), value[: capacity + 1 - hour]]
        )
        value = np.maximum(value, amount + shifted)
    return value.max()


def test_a_hundred_choices_of_middle_size_are_those_of_dynamic_programming(figure):
    """30 to 120 requests of 1 to 60 hours, a third of which fits: branch and bound, and lists."""
    rng = np.random.default_rng(17)
    for _ in range(100):
        n = int(rng.integers(30, 121))
        hours, amounts = rng.integers(1, 61, n), rng.integers(1, 500, n).astype(float)
        capacity = int(hours.sum() // 3)
        problem = ChoiceProblem(
            tuple(map(str, range(n))), amounts, ("hours",), hours[None, :].astype(float), np.array([float(capacity)])
        )  # fmt: skip
        assert solve_choice(problem).value == by_dynamic_programming(amounts, hours, capacity)
    figure("000-01", "100 choices of 30 to 120 requests as dynamic programming")


def dense_problem(rng, *, n):
    """Three capacities of which every request takes its share, unrelated to what it brings; a fourth
    has no end.
    """
    weights = rng.integers(1, 1001, (4, n)).astype(float)
    limits = np.floor(weights.sum(axis=1) * [0.3, 0.3, 0.3, np.inf])
    amounts = rng.integers(1, 1001, n).astype(float)
    return ChoiceProblem(tuple(map(str, range(n))), amounts, tuple("abcd"), weights, limits)


def company_problem(rng, *, n):
    """Hours of each request, outlay of every other one, a skill of three in ten."""
    hours = np.round(14 * np.exp(0.6 * rng.standard_normal(n)), 1)
    cost = np.where(rng.random(n) < 0.5, np.round(1800 * np.exp(0.7 * rng.standard_normal(n))), 0)
    weights = np.vstack([hours, cost, np.where(rng.random(n) < 0.3, hours, 0)])
    amounts = np.round(8000 * np.exp(0.9 * rng.standard_normal(n)) - 65 * hours - cost)
    names = tuple(map(str, range(n)))
    limits = weights.sum(axis=1) * 0.3
    return ChoiceProblem(names, amounts, ("hours", "budget", "design"), weights, limits)


@pytest.mark.parametrize("kind", [company_problem, dense_problem])
def test_five_hundred_requests_under_three_capacities_take_less_than_two_seconds(kind, figure):
    """Processor seconds, proven best, and better than a list worked down by value an hour."""
    problem = kind(np.random.default_rng(3), n=500)
    began = time.process_time()
    best = solve_choice(problem)
    took = time.process_time() - began
    assert took < 2
    assert best.is_proven
    figure("000-01", f"500 requests x 3 capacities, {kind.__name__}: {took:.1f} CPU s")
    assert fits(problem, best.chosen)
    ratio = np.argsort(-problem.amounts / problem.weights[0])
    assert best.value > choose_in_order(problem, ratio).value


def test_lists_of_turns_choose_what_branch_and_bound_chooses():
    """Ten random problems of 80 to 110 requests with pairs, goals and must-haves."""
    rng = np.random.default_rng(8)
    for _ in range(10):
        problem = random_problem(rng, n=int(rng.integers(80, 111)))._replace(musts=frozenset({0}))
        problem = problem._replace(limits=problem.weights.sum(axis=1) / 2)
        rows, upper = _rows(problem)
        n_goals = rows.shape[1] - len(problem.requests)
        low = np.zeros(rows.shape[1])
        low[list(problem.musts)] = 1
        price = np.concatenate([problem.amounts, np.zeros(n_goals)])
        other = exact_search.maximise(price, rows, upper, low=low, high=np.ones(len(low)))
        best = solve_choice(problem)
        assert best.is_proven
        assert fits(problem, best.chosen)
        assert best.value == pytest.approx(price @ other.x, abs=1e-6)


def test_a_search_that_is_stopped_says_how_far_below_the_best_it_may_be():
    """Values that follow the weights leave too many sets to list: 400 of 500 is at most 20% off."""
    weights = np.random.default_rng(0).integers(1, 1001, (5, 200)).astype(float)
    problem = ChoiceProblem(
        tuple(map(str, range(200))), weights.sum(axis=0) + 100, tuple("abcde"), weights, weights.sum(axis=1) / 2
    )  # fmt: skip
    best = solve_choice(problem, seconds=0.2)
    assert not best.is_proven
    assert best.value < best.bound < 1.05 * best.value
    assert fits(problem, best.chosen)
    stopped = SimpleNamespace(best=Choice((0,), 400.0, 500.0, is_proven=False))
    assert proof_gap(stopped) == (
        "the best found in the time there was, at most 20.0% below the best"
    )
    assert proof_gap(SimpleNamespace(best=Choice((0,), 400.0, 400.0, is_proven=True))) == ""


def test_the_solver_prints_nothing(capfd):
    rng = np.random.default_rng(0)
    weights = rng.integers(1, 1000, (3, 90)).astype(float)
    problem = ChoiceProblem(
        tuple(map(str, range(90))), weights.mean(axis=0) + 100, ("a", "b", "c"), weights, weights.sum(axis=1) / 3
    )  # fmt: skip
    solve_choice(problem, seconds=0.5)
    assert capfd.readouterr() == ("", "")


def test_an_hour_more_is_worth_nothing_until_the_next_request_fits(figure):
    """60 + 20 h bring 12,000 of 100 h; 60 + 50 h bring 17,000, from 110 h on; all three 20,000, from 130 h on."""
    curve = value_by_capacity(THREE, [0, 20, 100, 105, 109, 110, 129, 130])
    assert curve["value_amount"].tolist() == [0, 3e3, 12e3, 12e3, 12e3, 17e3, 17e3, 20e3]
    best = solve_choice(THREE)
    assert next_step(THREE, best) == (110.0, 17e3, True)
    all_in = THREE._replace(limits=np.array([130.0]))
    assert next_step(all_in, solve_choice(all_in)) is None
    figure("000-01", "best set of 100 to 109 h: 12,000; of 110 h: 17,000")


def test_what_a_request_displaces_and_what_that_loses(figure):
    """With b in, only c fits beside it: a leaves, and 12,000 become 11,000."""
    assert displaced_by(THREE, solve_choice(THREE), 1) == ((0,), 1000.0)
    figure("000-13", "with b in, a leaves: 11,000 instead of 12,000")


def test_a_list_worked_down_loses_against_the_best_set():
    """By value a and c; by value an hour b (160) and c (150) before a (150): 11,000 against 12,000."""
    ratio = np.argsort(-THREE.amounts / THREE.weights[0], kind="stable")
    assert ratio.tolist() == [1, 0, 2]
    assert choose_in_order(THREE, ratio).value == 11e3
    assert choose_in_order(THREE, [0, 1, 2]) == Choice((0, 2), 12e3, 12e3, is_proven=False)


def test_the_chance_to_be_in_the_best_set_counts_draws():
    """In one draw of two b is worth most."""
    draws = np.array([[9e3, 8e3, 3e3], [1e3, 8e3, 3e3]])
    assert chance_in_best_set(THREE, draws).tolist() == [0.5, 0.5, 1.0]


@pytest.mark.parametrize("at", ["amounts", "weights"])
def test_what_is_unknown_is_no_nought(at):
    unknown = np.array([9e3, math.nan, 3e3])
    problem = THREE._replace(**{at: unknown if at == "amounts" else unknown[None, :]})
    with pytest.raises(CrmDataError, match=r"1 of 3 rows are not \(request_id b\)"):
        solve_choice(problem)


def test_must_haves_that_do_not_fit_are_explained_by_the_fewest():
    """80 + 70 of 120 h are too many; so are 80, 50 and 10 h, but those are three."""
    problem = ChoiceProblem(
        ("a", "b", "c", "d"), np.ones(4), ("hours", "budget"),
        np.array([[80.0, 70, 50, 10], [0, 0, 5, 5]]), np.array([120.0, 100]), musts=frozenset(range(4)),
    )  # fmt: skip
    assert solve_choice(problem) is None
    conflict = smallest_conflict(problem)
    assert (conflict.musts, conflict.capacity, conflict.needed) == ((0, 1), "hours", 150)
    assert smallest_conflict(problem._replace(limits=np.array([210.0, 100]))) is None


def test_what_comes_before_a_must_have_counts_in_its_conflict():
    """Alone d takes 10 h, but it waits for b and b for a: 160 h."""
    problem = ChoiceProblem(
        ("a", "b", "d"), np.ones(3), ("hours",), np.array([[80.0, 70, 10]]), np.array([120.0]),
        after=((2, 1), (1, 0)), musts=frozenset({2}),
    )  # fmt: skip
    conflict = smallest_conflict(problem)
    assert (conflict.musts, conflict.needed) == ((2,), 160)


def test_conflicts_are_smallest_and_stand_against_counting():
    """30 random cases: no smaller set of must-haves breaks a capacity, and the one named does."""
    rng = np.random.default_rng(5)
    for _ in range(30):
        problem = random_problem(rng, n=6)._replace(musts=frozenset(range(5)), most_goals=None)
        needs = {i: {i} for i in range(6)}
        for _ in range(6):
            for i, j in problem.after:
                needs = {k: v | ({j} if i in v else set()) for k, v in needs.items()}

        def breaks(musts, problem=problem, needs=needs):
            inside = sorted(set().union(*(needs[m] for m in musts)))
            return (problem.weights[:, inside].sum(axis=1) > problem.limits + 1e-9).any()

        sizes = [
            k for k in range(1, 6) if any(breaks(c) for c in itertools.combinations(range(5), k))
        ]
        conflict = smallest_conflict(problem)
        assert (conflict is None) == (not sizes)
        if conflict:
            assert len(conflict.musts) == min(sizes)
            assert breaks(conflict.musts)


# Two problems in the form of the published files.
FILE = """2
6 2 0
 100 600 1200 2400 500 2000
 8 12 13 64 22 41
 8 12 13 75 22 41
 80 96
 4 1 21
 10 7 4 9   5 4 3 6
 11
"""


def test_published_files_are_read_and_solved_to_their_optimum():
    """100 + 600 + 1,200 + 2,000 take 74 of 80 and of 96; 10 + 9 take all 11 of the second."""
    first, second = read_knapsacks(FILE)
    assert math.isnan(first.best_known)
    n = len(first.problem.requests)
    sets = (c for k in range(n + 1) for c in itertools.combinations(range(n), k))
    best = max(
        first.problem.amounts[list(c)].sum() for c in sets
        if (first.problem.weights[:, list(c)].sum(axis=1) <= first.problem.limits).all()
    )  # fmt: skip
    assert solve_choice(first.problem).value == best == 3900
    assert solve_choice(second.problem).value == 19
    assert second.best_known == 21


def test_a_file_of_one_problem_may_leave_out_the_count():
    assert len(read_knapsacks("2 1 0 5 7 3 4 4")) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds numbers, got none"),
        ("1 2 1 0 5 x", "numbers only, got 'x'"),
        ("2 2 1 0 5 7 3 4 4", "problem 2 of 2 has no head"),
        ("1 9 1 0 5 7", "9 requests and 1 capacities need 19 numbers, 2 are left"),
        ("1 2 1 0 5 7 3 4 4 9", "1 numbers are left over"),
        ("1 2 9 5 4 3 4 9", "problem 1 of 1: 2 requests and 9 capacities need 29 numbers"),
    ],
)
def test_a_file_that_is_cut_or_too_long_is_refused(text, says):
    with pytest.raises(ValueError, match=says):
        read_knapsacks(text)
