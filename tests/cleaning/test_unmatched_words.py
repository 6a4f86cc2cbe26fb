"""Words of unmatched subjects: five reps' at least, no names, and kept nowhere."""

import pytest
from crm_tables import AS_OF, event, opportunity, user, write

from analysis.cleaning import pipeline, unmatched_words
from analysis.project import paths, settings
from analysis.sources import database, intake
from analysis.store import processed

REPS = [f"005000000000{i:03d}AAA" for i in range(1, 7)]


def company(raw, *subjects, **files):
    """Write six reps, each with an hour of each subject; `subjects` may be per rep."""
    entries = [
        event(
            100 * i + j, OwnerId=rep, Subject=text if isinstance(text, str) else text[i],
            StartDateTime=f"2026-02-02T{9 + j:02d}:00:00Z", EndDateTime=f"2026-02-02T{10 + j:02d}:00:00Z",
        )
        for i, rep in enumerate(REPS)
        for j, text in enumerate(subjects)
    ]  # fmt: skip
    users = [
        user(rep) | {"Name": f"Person{'abcdef'[i]} Quillfeather"} for i, rep in enumerate(REPS)
    ]
    write(raw, User=users, Opportunity=[opportunity(1)], Event=entries, **files)


def words():
    """Return the words that a dry run at a terminal is handed."""
    got = []
    processed.dry_run("here", as_of=AS_OF, show_words=got.extend)
    return {w.word: (w.n_reps, w.n_entries) for w in got}


def test_a_word_that_five_reps_use_is_shown_with_how_many(raw):
    """Steering in all six; Gizmo in four; Jury in five; a demo's subject is matched."""
    company(
        raw,
        "Demo of gadget",
        "Steering blob",
        ["Gizmo"] * 4 + ["x y"] * 2,
        ["Jury duty"] * 5 + ["x y"],
    )
    got = words()
    assert got["steering"] == (6, 6)
    assert got["jury"] == (5, 5)
    assert not {"gizmo", "gadget"} & set(got)


@pytest.mark.parametrize("more", [{}, {"AccountId": "0010000000000001"}])
def test_a_name_of_the_users_or_of_a_contact_list_is_never_shown(raw, more):
    """Six reps who write of Quillfeather write of a person.

    Contact.csv fills no table of ours, whether known or refused, and its names are names.
    """
    person = {"Id": "0030000000000001", "FirstName": "Ottoline", "LastName": "Vandersnoot"}
    contacts = [person | more]
    company(raw, "Steering Quillfeather Ottoline vandersnoot", Contact=contacts)
    assert set(words()) == {"steering"}


def test_no_table_and_no_audit_holds_a_word(raw):
    """Also where a terminal was shown them."""
    company(raw, "Zephyrine")
    got = []
    audit = processed.dry_run("here", as_of=AS_OF, show_words=got.extend)
    assert [w.word for w in got] == ["zephyrine"]
    assert "zephyrine" not in str(audit).lower()
    processed.prepare_dataset("here", as_of=AS_OF)
    kept = [f for f in paths.processed_folder("here").rglob("*") if f.is_file()]
    assert not any(b"ephyrine" in f.read_bytes() for f in kept)


def test_without_a_terminal_nothing_is_looked_for(raw, monkeypatch):
    """The look itself would put names into a table of the session."""
    company(raw, "Zephyrine")
    monkeypatch.setattr(unmatched_words, "collect_names", pytest.fail)
    with database.open_session() as connection:
        pipeline.clean_tables(
            connection, intake.files_of(raw), "here", settings.load_dataset_settings("here"),
            dataset_key="key", as_of=AS_OF,
        )  # fmt: skip


def test_the_terminal_says_what_to_do_with_them():
    (line,) = unmatched_words.words_lines([unmatched_words.UnmatchedWord("steering", 6, 9)])
    assert line.startswith("Words of entries that match no class of activity")
    assert "steering (6 reps)" in line
    assert unmatched_words.words_lines([]) == []
