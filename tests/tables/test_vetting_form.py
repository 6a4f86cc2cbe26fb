"""The questions asked of a request: twelve in order, the leader's own last."""

import pandas as pd

from analysis.tables import vetting_form


def test_thirteen_questions_the_last_for_the_leader_alone(figure):
    """Each of the five criteria is asked for at least twice; the big picture is four questions, eight fields."""
    assert [q.number for q in vetting_form.QUESTIONS] == list(range(1, 14))
    assert len(vetting_form.vetting_form(for_leader=False)) == 12
    assert vetting_form.vetting_form(for_leader=True)["number"].tolist()[-1] == 13
    asked = pd.Series([q.criterion for q in vetting_form.QUESTIONS]).value_counts()
    assert set(asked.index) == set(vetting_form.CRITERIA)
    assert asked.min() >= 2
    fields = pd.Series([f.question for f in vetting_form.BIG_PICTURE]).value_counts(sort=False)
    assert fields.tolist() == [2, 2, 3, 1]
    figure("000-08", "12 + 1 questions, the last for the leader alone; 8 fields of the big picture")
