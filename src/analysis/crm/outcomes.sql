-- How a deal stands: won, lost or open, by what its row and its stage say, never by a default.

-- yes or no as the cells of any export write it, and a share from 0 to 1, of 0 to 100 where so written
create or replace macro truth_of(cell) as {truth};

create or replace macro share_of(cell, whole) as
  try_cast(replace(replace(trim(cell), '%', ''), ',', '.') as double) / whole;

-- the one value that all rows agree on; missing where they do not
create or replace macro agreed(x) as case when count(distinct x) = 1 then min(x) end;

-- the words of a stage's name, small, without accents; closedwon and ClosedWon are two words
create or replace macro name_words(name) as list_filter(
  regexp_split_to_array(
    regexp_replace(
      regexp_replace(
        regexp_replace(
          regexp_replace(
            lower(strip_accents(regexp_replace(name, '([a-z])([A-Z])', '\1 \2', 'g'))),
            '{part_won}', ' won ', 'g'),
          '{part_lost}', ' lost ', 'g'),
        '{part_closed}', ' closed ', 'g'),
      'closed(won|lost)', 'closed \1', 'g'),
    '[^\p{{L}}\p{{N}}]+'),
  lambda w: w <> '');

create or replace macro is_of(list_name, word) as list_contains(getvariable(list_name), word);

create or replace macro is_filler(word) as
  is_of('filler_words', word) or regexp_full_match(word, '[a-z]?[0-9]+[a-z]?|[a-z]');

-- won, lost, closed (how is not said) or open; missing where the name says nothing
create or replace macro words_outcome(words, named) as case
  when is_of('won_words', named[1])
    and not list_has_any(named[2:], getvariable('won_doubts'))
    and not list_has_any(named[2:], getvariable('lost_words')) then 'won'
  when is_of('lost_words', named[1])
    and not list_has_any(named[2:], getvariable('lost_doubts'))
    and not list_has_any(named[2:], getvariable('won_words')) then 'lost'
  when len(named) = 0 and list_has_any(words, getvariable('closed_words')) then 'closed'
  when list_has_any(words, getvariable('open_words'))
    and len(list_filter(words, lambda w: not is_of('open_words', w) and not is_filler(w))) = 0
    then 'open'
end;

create or replace macro name_outcome(name) as case when not contains(name, '?') then
  list_transform([name_words(name)], lambda words: words_outcome(
    words,
    list_filter(words, lambda w: not is_filler(w) and not is_of('closed_words', w))))[1]
end;

-- what a status says that a map fills outright
create or replace macro stated_outcome(status) as case
  when status is null or status in ('won', 'lost', 'open') then status
  else nullif(name_outcome(status), 'closed')
end;

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

-- won, lost, open, contradictory or, where nothing says it, missing.
--   stated: of a map that says it outright; flags: of the deal's columns or of its stage's;
--   named: of the stage's name
create or replace macro weighed_outcome(stated, flags, by_p, named, is_closed, is_won, p) as case
  when is_won and not is_closed then 'contradictory'
  when stated <> flags then 'contradictory'
  when coalesce(stated, flags) in ('won', 'lost', 'open') then case
    when named in ('won', 'lost') and named <> coalesce(stated, flags) then 'contradictory'
    when named = 'closed' and coalesce(stated, flags) = 'open' then 'contradictory'
    when coalesce(stated, flags) = 'won' and p <= 0 and named is distinct from 'won'
      then 'contradictory'
    when coalesce(stated, flags) = 'lost' and p >= 1 and named is distinct from 'lost'
      then 'contradictory'
    else coalesce(stated, flags) end
  when is_won is false and named = 'won' then 'contradictory'
  when named in ('won', 'lost') and by_p <> named then 'contradictory'
  when named = 'closed' and by_p = 'open' then 'contradictory'
  when named = 'won' and p <= 0 or named = 'lost' and p >= 1 then 'contradictory'
  when named = 'open' and p >= 1 then 'contradictory'
  when by_p is not null then by_p
  when named in ('won', 'lost') then named
  when named = 'closed' then probability_outcome(true, is_won, p)
  when named = 'open' and is_closed is not true then 'open'
end;

-- `deal`: stated, is_closed, is_won, probability, and beside them is_closed, is_won and probability of
-- its stage as a table of stages has them, which stand in where the deal's own are missing
create or replace macro outcome_of(deal, named) as case
  when deal.stated is not null and stated_outcome(deal.stated) is null then null
  when deal.is_won is null and deal.is_closed <> deal.stage_is_closed then 'contradictory'
  when deal.is_won is null and deal.probability in (0, 1) and deal.stage_probability in (0, 1)
    and deal.probability <> deal.stage_probability then 'contradictory'
  else weighed_outcome(
    stated_outcome(deal.stated),
    flags_outcome(
      coalesce(deal.is_closed, deal.stage_is_closed), coalesce(deal.is_won, deal.stage_is_won)),
    probability_outcome(
      coalesce(deal.is_closed, deal.stage_is_closed), coalesce(deal.is_won, deal.stage_is_won),
      coalesce(deal.probability, deal.stage_probability)),
    named,
    coalesce(deal.is_closed, deal.stage_is_closed),
    coalesce(deal.is_won, deal.stage_is_won),
    coalesce(deal.probability, deal.stage_probability))
end;
