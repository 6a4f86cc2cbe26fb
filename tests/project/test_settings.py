"""Settings are read as they stand, and a slip is named."""

import pytest

from analysis.project import settings
from analysis.project.settings import SettingsError


def own(raw, text: str) -> None:
    (raw / "alignment.toml").write_text(text, encoding="utf-8")


def test_the_house_holds_where_a_dataset_says_nothing(raw):
    got = settings.load_dataset_settings("here")
    assert got.company.currency == "USD"
    assert got.working_time.hours_per_day == 8.0
    assert got.activity_classes[0].activity_class == "time_off"


def test_what_counts_as_in_time_is_said_once(raw):
    """The house's file spells out what holds without it."""
    assert settings.load_dataset_settings("here").alignment == settings.Standards()
    own(raw, "[alignment]\nfirst_touch_hours = 4.0\n")
    got = settings.load_dataset_settings("here").alignment
    assert (got.first_touch_hours, got.disposition_days) == (4.0, 7.0)


def test_a_dataset_overrides_key_by_key(raw):
    """What it does not name stays the house's."""
    own(raw, '[company]\ncurrency = "EUR"\nfiscal_year_start_month = 2\n')
    got = settings.load_dataset_settings("here")
    assert (got.company.currency, got.company.fiscal_year_start_month) == ("EUR", 2)
    assert got.company.time_zone == "America/New_York"


def test_nobody_elses_name_or_target_comes_with_the_house(raw):
    """What no settings file of the company says is not there: no name, no target, no stated currency."""
    got = settings.load_dataset_settings("here")
    assert (got.company.name, got.company.has_currency) == ("", False)
    assert [m.target for m in got.key_metrics] == [None] * 5
    own(raw, '[company]\ncurrency = "USD"\n')
    assert settings.load_dataset_settings("here").company.has_currency


def test_a_table_of_classes_replaces_the_houses_whole(raw):
    """Order decides there, so two tables cannot be mixed."""
    own(raw, '[[activity_classes]]\nactivity_class = "admin"\npattern = "^x"\n')
    assert [r.pattern for r in settings.load_dataset_settings("here").activity_classes] == ["^x"]


def test_a_file_edited_later_counts_at_once(raw):
    """Not what the first call saw."""
    assert settings.load_dataset_settings("here").company.currency == "USD"
    own(raw, '[company]\ncurrency = "EUR"\n')
    assert settings.load_dataset_settings("here").company.currency == "EUR"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[company]\ncurency = "EUR"',
            r"company\.curency is not a setting\. Did you mean currency\? Known here: name, ",
        ),
        ("[mony]\nx = 1", r"mony is not a setting\. Did you mean money\? Known here: company, "),
        (
            '[company]\ncurrency = "euro"',
            r"company\.currency is 'euro': String should match pattern",
        ),
        (
            "[company]\nfiscal_year_start_month = 13",
            r"fiscal_year_start_month is 13: .* less than or equal to 12",
        ),
        (
            '[company]\ntime_zone = "Mars/Phobos"',
            r"time_zone is 'Mars/Phobos': not a time zone .* such as Europe/Paris",
        ),
        ("[money]\ngross_margin_rate = 70", r"gross_margin_rate is 70: .* less than or equal to 1"),
        ("[working_time]\nhours_per_day = 0", r"hours_per_day is 0: .* greater than 0"),
        (
            "[alignment]\nfirst_touch_days = 1",
            r"first_touch_days is not a setting\. Did you mean first_touch_hours\?",
        ),
        ("[alignment]\nrecycling_days = 0", r"alignment\.recycling_days is 0: .* greater than 0"),
        ('[hours]\nmax_junk_share = "half"', r"max_junk_share is 'half': .* valid number"),
        ("company = 1", r"company is 1: .* valid dictionary"),
        (
            '[[activity_classes]]\nactivity_class = "admin"\npatern = "x"',
            r"activity_classes\.0\.patern is not a setting\. Did you mean pattern\? Known here: pattern, activity_class",
        ),
        (
            "[requests.skill_hours]\nDesign = 60.0\ndesign = 10.0",
            "requests.skill_hours is .*names a skill twice: Design, design",
        ),
        ("[hours]\ncapture_low = 0.9\ncapture_high = 0.8", r"must be at least capture_low, 0\.9"),
        (
            '[[activity_classes]]\nactivity_class = "fun"\npattern = "x"',
            r"activity_class is 'fun': .*'selling', ",
        ),
        (
            '[[activity_classes]]\nactivity_class = "admin"\npattern = "(x"',
            r"pattern is '\(x': not a regular expression: missing \)",
        ),
    ],
)
def test_a_slip_is_named_with_what_is_allowed(raw, text, message):
    own(raw, text)
    with pytest.raises(SettingsError, match=message):
        settings.load_dataset_settings("here")


def test_every_slip_is_named_at_once(raw):
    own(raw, '[company]\ncurrency = "euro"\ntime_zone = "X"\n')
    with pytest.raises(SettingsError, match=r"data/raw/here/alignment\.toml: 2 settings are wrong"):
        settings.load_dataset_settings("here")


def test_a_missing_setting_is_named(root, raw):
    text = (root / "alignment.toml").read_text(encoding="utf-8")
    (root / "alignment.toml").write_text(text.replace("discount_rate = 0.10", ""), encoding="utf-8")
    with pytest.raises(
        SettingsError,
        match=r"alignment\.toml: 1 settings are wrong\n  money\.discount_rate is missing",
    ):
        settings.load_dataset_settings("here")


def test_what_is_no_toml_is_refused_by_name(raw):
    own(raw, "[company\n")
    with pytest.raises(SettingsError, match=r"data/raw/here/alignment\.toml: not valid TOML"):
        settings.load_dataset_settings("here")


def test_the_environment_does_not_reach_in(raw, monkeypatch):
    """A variable called as a section is no setting."""
    monkeypatch.setenv("COMPANY", '{"name": "Evil"}')
    assert settings.load_dataset_settings("here").company.name == ""


def test_a_datasets_name_cannot_climb(root):
    with pytest.raises(ValueError, match="dataset must be"):
        settings.load_dataset_settings("../x")
