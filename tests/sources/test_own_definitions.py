"""A dataset's own versions of what makes a lead sales-ready: data, of which nothing is run unread."""

import pytest

from analysis.project.errors import OwnMapError
from analysis.sources import own_definitions, templates


def entry(**other):
    """Return a file of one definition."""
    keys = {"name": '"v1"', "valid_from": "2026-01-01", "when": '"n_responses > 0"'} | other
    lines = [f"{key} = {value}" for key, value in keys.items() if value is not None]
    return "\n".join(["[[definition]]", *lines])


def test_versions_come_oldest_first():
    text = "\n".join(
        [entry(name='"b"', valid_from="2026-02-01"), entry(name='"a"'), entry(name='"c"')]
    )
    got = own_definitions.parse_definitions(text)
    assert [d.name for d in got] == ["a", "c", "b"]
    assert {(d.side, d.metric, d.approved_by) for d in got} == {("both", "sales-ready lead", "")}
    assert own_definitions.parse_definitions("") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1", r"a part called 'a' does not exist"),
        ("definition = 3", r"begun by its name in double brackets"),
        ("[[definition]", r"not valid TOML"),
        (entry(when=None), r"definition v1: lacks when"),
        (entry(wenn='"true"'), r"a key called 'wenn' does not exist.*when"),
        (entry(name='"V 1"'), r"small letters, digits and _"),
        (entry(side='"sale"'), r"a side called 'sale' does not exist.*sales"),
        (entry(valid_from='"soon"'), r"valid_from is 'soon'; it has to be a day"),
        (entry(valid_from="2026-01-01T00:00:00"), r"has to be a day such as 2026-01-31"),
        (entry(when="3"), r"when is 3; it has to be a text"),
        (entry(metric='""'), r"metric must have 1 to 40 characters"),
        (entry() + "\n" + entry(), r"the definition v1 stands there twice"),
        ("\n".join(entry(name=f'"v{n}"') for n in range(21)), r"has 21 definitions; at most 20"),
    ],
)
def test_a_file_that_says_what_cannot_be_is_refused_by_key(text, words):
    with pytest.raises(OwnMapError, match=words):
        own_definitions.parse_definitions(text)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("(select count(*) from leads) > 0", "without a query of its own"),
        ("true) or (select 1", "more text follows it"),
        (
            "true from read_csv('/etc/passwd')",
            "more text follows it|has a from|cannot be parsed",
        ),
        ("getenv('HOME') = ''", "the function getenv may not be used here"),
        ("getvariable('dataset_key') = ''", "getvariable may ask for"),
        ("lead_source = 'a'; drop table leads", "cannot be parsed|more text follows it"),
        ("true" + " or true" * 600, "characters; at most"),
    ],
)
def test_an_expression_that_does_more_than_look_at_its_row_is_refused(sql, words):
    with pytest.raises(OwnMapError, match=words):
        own_definitions.parse_definitions(entry(when=f"'''{sql}'''"))


def test_the_template_holds_no_definition_until_its_marks_are_taken_away():
    """As written it says nothing; without the marks it is one version that can be replayed."""
    assert own_definitions.parse_definitions(templates.DEFINITIONS) == []
    lines = templates.DEFINITIONS.partition("# [[definition]]")
    example = (lines[1] + lines[2]).replace("# ", "", 1).replace("\n# ", "\n")
    (version,) = own_definitions.parse_definitions(example)
    assert (version.name, version.side, version.approved_by) == ("agreed_2026", "both", "R-104")
