"""Who was met at target accounts, by their part in buying."""

import pandas as pd

from analysis.chapters.closed_loop import buying_roles

ROLES = pd.DataFrame(
    [("a", "p1", "champion; decision maker"), ("a", "p2", "user"), ("b", "p3", "decision maker"),
     ("b", "p1", "champion"), ("off", "p4", "user")],
    columns=["account_id", "person_key", "roles"],
)  # fmt: skip
MET = pd.DataFrame(
    [("a", "p1"), ("a", "p1"), ("a", "p9"), ("c", "p3"), ("off", "p4"), (None, "p3")],
    columns=["account_id", "person_key"],
)


def found(roles=ROLES, met=MET, smallest=1):
    return buying_roles.roles_met(roles, met, {"a", "b", "c"}, smallest=smallest)


def test_roles_met_by_hand(figure):
    """Of a, b and c, a and b have roles on record; p1 was met at a and holds two; p3 was met at c, where it has none."""
    got = found()
    assert (got.n_known, got.n_targets, got.n_unnamed) == (2, 3, 2)
    rows = got.rows.set_index("role")
    assert rows["n_people"].to_dict() == {"decision maker": 2, "champion": 1, "user": 1}
    assert rows["n_accounts"].to_dict() == {"decision maker": 2, "champion": 2, "user": 1}
    assert rows["n_met"].to_dict() == {"decision maker": 1, "champion": 1, "user": 0}
    assert rows["share"].to_dict() == {"decision maker": 0.5, "champion": 0.5, "user": 0.0}
    assert rows["high"].lt(1).all()
    assert rows.loc["decision maker", "per_account"] == 0.5
    figure("001-21", "roles: a decision maker met at 1 of 2 accounts with a role on record")


def test_few_people_of_a_role_are_not_shown():
    rows = found(smallest=2).rows.set_index("role")
    assert rows["suppressed"].to_dict() == {"decision maker": "", "champion": "<2", "user": "<2"}
    assert rows.loc[["champion", "user"], ["n_people", "n_met", "share"]].isna().all(axis=None)


def test_without_meetings_or_roles_nothing_is_told_of_them():
    """Nobody exported who was there: not met is not said.  No role on record: the sentence says so."""
    got = found(met=MET.iloc[:0])
    assert got.rows[["n_met", "share", "low", "high", "per_account"]].isna().all(axis=None)
    assert got.rows["n_people"].sum() == 4
    none = found(roles=ROLES.iloc[:0])
    assert none.rows.empty
    assert "no export notes" in buying_roles.roles_gap(none, has_roles=False)
    assert "no target account" in buying_roles.roles_gap(none, has_roles=True)
    assert buying_roles.roles_gap(got, has_roles=True) == ""
