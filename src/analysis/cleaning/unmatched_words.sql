-- Words of subjects that match no class of activity.

-- name: name_words
insert into name_words
select distinct unnest(regexp_split_to_array(lower(columns([$name])), $letters))
from query_table($table);

-- name: unmatched_words
with entries as (
  select
    a.rep_id,
    a.activity_id,
    p.subject
  from activities as a
  inner join parsed_activities as p
    on p.source_file = a.source_file and p.source_row = a.source_row
  where a.activity_class = 'unclassified'
    and a.minutes > 0
    and p.subject is not null
),

words as (
  select distinct
    rep_id,
    activity_id,
    unnest(regexp_split_to_array(lower(subject), $letters)) as word
  from entries
)

select
  word,
  count(distinct rep_id) as n_reps,
  count(*) as n_entries
from words
where length(word) >= $shortest
  and word not in (select n.word from name_words as n where n.word is not null)
group by word
having count(distinct rep_id) >= $fewest
order by n_reps desc, n_entries desc, word
limit $most;
