"""What is decided on a request: whole files, legal steps, ids that name no path, the leader's own apart."""

import datetime as dt
import stat

import pytest

from analysis.project.errors import OwnMapError
from analysis.store import request_records
from analysis.store.request_records import RequestRecord, StateEntry, VettingAnswer

DAY = dt.date(2026, 7, 1)
ALL = {str(n): {"text": "because", "score": 1} for n in range(1, 13)}
VETTED = {"state": "vetted", "on": DAY}
HOSTILE = [
    "../../../etc/passwd",
    "/etc/passwd",
    "a\x00b",
    "con\n[x]",
    "x" * 300,
    "..",
    ".",
    "é",
    "a b",
    '"""',
    "\x7f",
]


def entry(state, on=DAY, **more):
    return StateEntry(state=state, on=on, reason="r", review_on=dt.date(2026, 10, 1), **more)


def vetted(request_id="Q-5"):
    return RequestRecord.model_validate(
        {"request_id": request_id, "answers": ALL, "states": [VETTED]}
    )


@pytest.mark.parametrize("request_id", HOSTILE)
def test_a_hostile_id_names_a_file_of_the_folder_and_comes_back_as_it_was(root, request_id):
    file = request_records.write_record("here", vetted(request_id))
    assert file.parent == root / "data" / "history" / "here" / "requests"
    assert request_records.read_record("here", request_id).request_id == request_id
    assert list(request_records.read_records("here")) == [request_id]


def test_ids_that_differ_in_a_sign_have_files_of_their_own():
    names = {request_records.safe_name(i) for i in ("a/b", "a\\b", "a b", "a-b")}
    assert len(names) == 4


def test_files_are_for_their_owner_alone(root):
    file = request_records.write_record("here", vetted())
    own = request_records.write_leader_answer("here", "Q-5", VettingAnswer(text="no", score=2))
    assert [stat.S_IMODE(f.stat().st_mode) for f in (file, own)] == [0o600, 0o600]
    assert [stat.S_IMODE(f.parent.stat().st_mode) for f in (file, own)] == [0o700, 0o700]


def test_what_was_written_is_read_back_word_for_word(root):
    """Quotes, breaks, brackets and a control that TOML does not let stand."""
    text = 'say "no"\n[states]\n# \\ \x7f \x1b[31m \U0001f600'
    record = RequestRecord(
        request_id="Q-5",
        must_have_since=DAY,
        answers={"1": VettingAnswer(text=text, score=2)},
        big_picture={"important": text, "if_it_happens": {"low": -1.5, "mid": 0, "high": 1e9}},
        wishes={"sales": "a", "marketing": "b", "third": text},
    )
    request_records.write_record("here", record)
    assert request_records.read_record("here", "Q-5") == record


def test_states_come_in_the_article_s_order_and_dates_too(figure):
    record = vetted()
    with pytest.raises(ValueError, match="done cannot follow vetted; allowed: approved"):
        record.moved(StateEntry(state="done", on=DAY), has_leader_answer=True)
    with pytest.raises(ValueError, match="approved is dated before vetted"):
        record.moved(entry("approved", dt.date(2026, 6, 30)), has_leader_answer=True)
    approved = record.moved(entry("approved"), has_leader_answer=True)
    done = approved.moved(StateEntry(state="done", on=dt.date(2026, 8, 1)), has_leader_answer=True)
    assert done.state == "done"
    again = vetted().moved(entry("tabled"), has_leader_answer=False)
    assert again.moved(entry("added to plan"), has_leader_answer=True).state == "added to plan"
    figure("000-06", "done cannot follow vetted; a date before the last step's is refused")


def test_no_request_is_approved_while_a_question_is_open():
    with pytest.raises(ValueError, match="approved needs all 12 answers and the leader's own"):
        vetted().moved(entry("approved"), has_leader_answer=False)
    some = {k: v for k, v in ALL.items() if k not in {"4", "5"}}
    with pytest.raises(ValueError, match="vetted needs all 12 answers, but 4, 5 are open"):
        RequestRecord.model_validate({"request_id": "Q", "answers": some, "states": [VETTED]})


@pytest.mark.parametrize(
    ("lacks", "says"), [("reason", "needs a reason"), ("review_on", "needs a review_on")]
)
def test_a_decision_has_a_reason_and_a_review_date(lacks, says):
    content = {"state": "tabled", "on": DAY, "reason": "later", "review_on": DAY}
    with pytest.raises(ValueError, match=says):
        StateEntry.model_validate({k: v for k, v in content.items() if k != lacks})


def test_an_open_form_has_no_score_and_a_no_names_its_criterion(figure):
    """Twelve times 1 is 12; question 1 asks whether it is needed, question 6 whether best."""
    assert RequestRecord(request_id="Q").score is None
    assert vetted().score == 12
    answers = ALL | {"1": {"text": "no goal", "score": 0}, "6": {"text": "no", "score": 0}}
    record = RequestRecord.model_validate({"request_id": "Q", "answers": answers})
    assert record.failed_criteria == ["needed", "best action"]
    figure("000-10", f"two noes name {' and '.join(record.failed_criteria)}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('request_id = "Q-5"\nstats = 1', r"requests/Q-5.toml: stats: Extra inputs"),
        ('request_id = "Q-5"\n[answers.13]\ntext = "x"\nscore = 1', "13 is no public question"),
        (
            'request_id = "Q-5"\n[answers.1]\ntext = "x"\nscore = 3',
            r"answers.1.score: Input should",
        ),
        ('request_id = "Q-6"', "request_id is 'Q-6', but the request is 'Q-5'"),
        ("request_id = ", "not valid TOML"),
        ('request_id = "Q-5"\n[[states]]\nstate = "vetted"\non = "soon"', r"states.0.on: "),
        ('request_id = "Q-5"\n[big_picture]\nif_it_happens = "good"', "wants low, mid and high"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(root, text, says):
    file = request_records.write_record("here", vetted())
    file.write_text(text, encoding="utf-8")
    with pytest.raises(OwnMapError, match=says):
        request_records.read_record("here", "Q-5")


def test_a_link_out_of_the_folder_is_not_followed(root, tmp_path):
    file = request_records.write_record("here", vetted())
    (outside := tmp_path / "outside.toml").write_text('request_id = "Q-5"')
    file.unlink()
    file.symlink_to(outside)
    with pytest.raises(OwnMapError, match="a link that leads out"):
        request_records.read_record("here", "Q-5")


def test_what_is_decided_later_is_unknown_before():
    """Decided on 1 September: in August it is vetted, in June nothing is known of it."""
    record = vetted().moved(entry("approved", dt.date(2026, 9, 1)), has_leader_answer=True)
    assert record.as_of(dt.date(2026, 8, 1)).state == "vetted"
    early = record.as_of(dt.date(2026, 6, 1))
    assert (early.state, early.answers) == ("asked", {})


def test_an_approval_by_hand_without_the_leaders_answer_is_refused(root):
    approved = vetted().moved(entry("approved"), has_leader_answer=True)
    request_records.write_record("here", approved)
    with pytest.raises(OwnMapError, match="leader's own answer too, which has no file"):
        request_records.read_records("here")
    request_records.write_leader_answer("here", "Q-5", VettingAnswer(text="none", score=2))
    assert request_records.read_records("here")["Q-5"].state == "approved"


def test_a_folder_where_a_record_should_be_is_named(root):
    folder = root / "data" / "history" / "here" / "requests"
    (folder / "r.toml").mkdir(parents=True)
    with pytest.raises(OwnMapError, match=r"requests/r\.toml: it is a folder, not a file"):
        request_records.read_records("here")
