"""Funnel counts by a second way: plain SQL on the export's own files, five companies."""

import datetime as dt
import random

import duckdb
import pytest
from crm_tables import ADA, BEN, opportunity, user, write

from analysis.chapters.lead_funnel import cohorts, stages
from analysis.cleaning import pipeline
from analysis.panels import build
from analysis.project import paths, settings
from analysis.sources import database, intake

STATUSES = ["Open", "MQL", "SAL", "SQL", "Converted"]
AS_OF = dt.date(2026, 3, 31)
PLAIN = """
with told as (
  select LeadId, NewValue, min(CreatedDate) as at from read_csv('{folder}/LeadHistory.csv', all_varchar = true)
  group by LeadId, NewValue),
leads as (
  select l.Id, l.ConvertedDate <> '' and l.ConvertedOpportunityId <> '' as is_deal,
    coalesce(o.IsWon = 'true', false) as is_won,
    exists (from told t where t.LeadId = l.Id and t.NewValue = 'MQL') as mql,
    exists (from told t where t.LeadId = l.Id and t.NewValue = 'SAL') as sal,
    exists (from told t where t.LeadId = l.Id and t.NewValue = 'SQL') as sql
  from read_csv('{folder}/Lead.csv', all_varchar = true) l
  left join read_csv('{folder}/Opportunity.csv', all_varchar = true) o on o.Id = l.ConvertedOpportunityId)
select count(*),
  count(*) filter (mql or sal or sql or is_deal), count(*) filter (sal or sql or is_deal),
  count(*) filter (sql or is_deal), count(*) filter (is_deal), count(*) filter (is_won),
  count(*) filter (mql), count(*) filter (mql and sal), count(*) filter (mql and sal and sql),
  count(*) filter (mql and sal and sql and is_deal), count(*) filter (mql and sal and sql and is_won)
from leads
"""


def export(folder, seed):
    """Write a small company's files: stages skipped at random, deals won, lost and open."""
    rng = random.Random(seed)  # noqa: S311 - chance for a test
    leads, history, deals = [], [], []
    for n in range(40):
        name, day = f"00Q{n:012d}AAA", dt.date(2026, 1, 1) + dt.timedelta(days=rng.randrange(30))
        reach, status, last = rng.randrange(5), "Open", "Open"
        for step in STATUSES[1 : reach + 1]:
            day += dt.timedelta(days=rng.randrange(1, 5))
            if step != "Converted" and rng.random() < 0.25:
                continue
            moved = {"LeadId": name, "Field": "Status", "OldValue": last, "NewValue": step}
            history.append(moved | {"CreatedDate": f"{day}T09:00:00Z"})
            status = last = step
        deal = {}
        if status == "Converted":
            how = rng.choice([("true", "true"), ("true", "false"), ("false", "false")])
            row = opportunity(
                n, IsClosed=how[0], IsWon=how[1], CloseDate=str(day + dt.timedelta(days=9))
            )
            deals.append(row)
            deal = {
                "ConvertedDate": str(day),
                "ConvertedOpportunityId": row["Id"],
                "IsConverted": "true",
            }
        came = min([day, dt.date(2026, 1, 1)])
        leads.append(
            {
                "Id": name, "Status": status, "IsConverted": "false", "ConvertedDate": "",
                "ConvertedOpportunityId": "", "LeadSource": "Web", "CreatedDate": f"{came}T08:00:00Z",
                "OwnerId": rng.choice([ADA, BEN]), "Company": "Acme", "Email": f"a{n}@buyer.test",
                "IsDeleted": "false",
            } | deal
        )  # fmt: skip
    write(folder, Lead=leads, LeadHistory=history, Opportunity=deals, User=[user(), user(BEN)])


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_those_of_plain_sql(raw, seed, figure):
    export(raw, seed)
    plain = duckdb.sql(PLAIN.format(folder=raw)).fetchone()
    house = settings.load_dataset_settings("here")
    with database.open_session() as connection:
        files = intake.files_of(paths.raw_folder("here"))
        account = pipeline.clean_tables(
            connection, files, "here", house, dataset_key="key", as_of=AS_OF
        )
        build.make_panels(connection, account.first_day, account.as_of, house)
        panel, periods = (
            connection.table(name).to_arrow_table().to_pandas()
            for name in ("lead_dates", "quarters")
        )
    counts = cohorts.funnel_counts(stages.lead_funnel(panel, periods, AS_OF).rows)
    assert (*counts["n_any"], *counts["n_all"][1:]) == plain
    figure("000-30", f"export {seed}: any stages {counts['n_any'].tolist()}, as plain SQL counts")
