-- How a deal stands: won, lost or open, by what its row and its stage say, never by a default.

-- name: macros
-- a share from 0 to 1, of 0 to 100 where so written
create or replace macro share_of(cell, whole) as
try_cast(replace(replace(trim(cell), '%', ''), ',', '.') as double) / whole;

-- the one value that all rows agree on; missing where they do not
create or replace macro agreed(x) as case when count(distinct x) = 1 then min(x) end;

-- what the flags of a deal say, or those of its stage
create or replace macro flags_outcome(is_closed, is_won) as case
  when is_won and is_closed is distinct from false then 'won'
  when is_closed and not is_won then 'lost'
  when not is_closed and is_won is distinct from true then 'open'
end;

-- what the probability says: 1 and 0 only of a stage that is closed, as an open one may stand at
-- either
create or replace macro probability_outcome(is_closed, is_won, p) as case
  when is_closed and p >= 1 and is_won is distinct from false then 'won'
  when is_closed and p <= 0 then 'lost'
  when is_closed is null and p > 0 and p < 1 then 'open'
end;

-- The stages whose deals at 100 or 0 per cent are closed, though no flag and no table of stages
-- says so: where CRMs give stages their probabilities, closed ones stand at 100 and at 0 and no
-- other. Asked of all deals that nothing else closes: nearly all have a probability, and all three
-- kinds occur. A stage whose deals stand at several probabilities, that is called a step, or most
-- of whose deals are due after the last record was made, is open.
create or replace temp table probability_stages (stage varchar, pipeline varchar);

create or replace macro closed_stages(deals) as table
  with evidence as (
    select
      coalesce(stage, stage_code) as stage,
      pipeline,
      stage_says,
      close_date,
      coalesce(probability, stage_probability) as p
    from query_table(deals)
    where
      coalesce(is_closed, stage_is_closed) is null
      and coalesce(is_won, stage_is_won) is null
      and map_says is null
  ),

  whole as (
    select
      count(p) >= 0.95 * count(*)
      and bool_or(p = 1 and stage_says is distinct from 'open')
      and bool_or(p = 0 and stage_says is distinct from 'open')
      and bool_or(p > 0 and p < 1) as is_told
    from evidence
  ),

  latest as (
    select max(greatest(created_at, modified_at))::date as known_at from query_table(deals)
  )

  select
    stage,
    pipeline
  from evidence, whole, latest
  where is_told and stage is not null
  group by stage, pipeline, known_at
  having
    min(p) = max(p) and min(p) in (0, 1) and any_value(stage_says) is distinct from 'open'
    and not coalesce(quantile_disc(close_date, 0.5) > known_at and count(*) > 2, false);

-- The stages that nothing names and no flag or probability tells, more than half of whose deals are
-- due after the last record was made and the last deal said to be won or lost was closed: what is
-- due has not ended.
create or replace temp table due_stages (stage varchar, pipeline varchar);

create or replace macro stages_due(deals) as table
  with evidence as (
    select
      coalesce(stage, stage_code) as stage,
      pipeline,
      close_date,
      stage_says,
      map_says,
      coalesce(is_closed, stage_is_closed) is null and coalesce(is_won, stage_is_won) is null
      and coalesce(probability, stage_probability) is null as is_untold
    from query_table(deals)
  ),

  latest as (
    select greatest(
      (select max(greatest(created_at, modified_at))::date from query_table(deals)),
      (
        select max(close_date)
        from evidence
        where stage_says in ('won', 'lost') or map_says in ('won', 'lost')
      )
    ) as last_day
  )

  select
    stage,
    pipeline
  from evidence, latest
  where stage is not null
  group by stage, pipeline, last_day
  having
    bool_and(is_untold and stage_says is null and map_says is null)
    and count(*) > 2 and count(*) filter (close_date > last_day) > 0.5 * count(*);

-- won, lost, open, contradictory or, where nothing says it, missing.
--   firm: what the flags say, or a map outright; by_p: what the probability says;
--   named: the stage's name
create or replace macro weighed_outcome(firm, by_p, named, is_closed, is_won, p) as case
  when is_won and not is_closed then 'contradictory'
  when firm = 'unknown' then null
  when firm is not null and named in ('won', 'lost') and named <> firm then 'contradictory'
  when firm = 'open' and named = 'closed' then 'contradictory'
  when firm = 'won' and p <= 0 and named is distinct from 'won' then 'contradictory'
  when firm = 'lost' and p >= 1 and named is distinct from 'lost' then 'contradictory'
  when firm is not null then firm
  when is_won is false and (named = 'won' or p >= 1) then 'contradictory'
  when named in ('won', 'lost') and by_p <> named then 'contradictory'
  when named = 'closed' and by_p = 'open' then 'contradictory'
  when (named = 'won' and p <= 0) or (named in ('lost', 'open') and p >= 1) then 'contradictory'
  when by_p is not null then by_p
  when named in ('won', 'lost') then named
  when named = 'closed' and is_won is false then 'lost'
  when named = 'closed' then probability_outcome(true, is_won, p)
  when named = 'open' and is_closed is not true then 'open'
end;

-- name: stages_without_flag
create or replace temp table probability_stages as
select * from closed_stages('weighed_deals');

create or replace temp table due_stages as
select * from stages_due('weighed_deals');

drop view weighed_deals;
