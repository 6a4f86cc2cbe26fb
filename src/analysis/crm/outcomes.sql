-- How a deal stands: won, lost or open, by what its row and its stage say, never by a default.

-- yes or no as the cells of any export write it, and a share from 0 to 1, of 0 to 100 where so written
create or replace macro truth_of(cell) as {truth};

create or replace macro share_of(cell, whole) as
  try_cast(replace(replace(trim(cell), '%', ''), ',', '.') as double) / whole;

-- the one value that all rows agree on; missing where they do not
create or replace macro agreed(x) as case when count(distinct x) = 1 then min(x) end;

-- a meeting that HubSpot says did not take place, or not then
create or replace macro is_not_held(outcome) as
  upper(replace(outcome, ' ', '_')) in ('CANCELED', 'CANCELLED', 'NO_SHOW', 'RESCHEDULED');

-- what the flags of a deal say, or those of its stage
create or replace macro flags_outcome(is_closed, is_won) as case
  when is_won and is_closed is distinct from false then 'won'
  when is_closed and not is_won then 'lost'
  when not is_closed and is_won is distinct from true then 'open'
end;

-- what the probability says: 1 and 0 only of a stage that is closed, as an open one may stand at either
create or replace macro probability_outcome(is_closed, is_won, p) as case
  when is_closed and p >= 1 and is_won is distinct from false then 'won'
  when is_closed and p <= 0 then 'lost'
  when is_closed is null and p > 0 and p < 1 then 'open'
end;

-- whether a deal at 100 or 0 per cent is closed, though no flag and no table of stages says so: where CRMs give stages
-- their probabilities, closed ones stand at 100 and at 0 and no other. Asked of all deals that nothing else closes
-- (`silent`): nearly all have a probability, and all three kinds occur. A stage whose deals stand at several
-- probabilities, that is called a step, or most of whose deals are due after the last record was made, is open.
create or replace macro tells_by_probability(silent, p, named, stage, pipeline, due, known_at) as
  silent and stage is not null and p in (0, 1) and named is distinct from 'open'
  and count(p) filter (silent) over () >= 0.95 * count(*) filter (silent) over ()
  and count(*) filter (silent and p = 1 and named is distinct from 'open') over () > 0
  and count(*) filter (silent and p = 0 and named is distinct from 'open') over () > 0
  and count(*) filter (silent and p > 0 and p < 1) over () > 0
  and min(p) filter (silent) over (partition by stage, pipeline) = max(p) filter (silent) over (partition by stage, pipeline)
  and not coalesce(quantile_disc(due, 0.5) filter (silent) over (partition by stage, pipeline)
      > (max(known_at) over ())::date
    and count(*) filter (silent) over (partition by stage, pipeline) > 2, false);

-- won, lost, open, contradictory or, where nothing says it, missing.
--   firm: what the flags say, or a map outright; by_p: what the probability says; named: the stage's name
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
