-- What the rules of a table took, and how much hung on it.

-- name: verdicts
create or replace temp table verdicts (
  rid bigint,
  rule varchar
);

-- name: rows_set_aside
select
  rule,
  count(*) as n,
  exact_sum(money, 100) as money,
  exact_sum(minutes, 60) / 60 as hours
from set_aside
where table_name = $table
group by rule;

-- name: has_flags
select 1
from query_table($table)
where flagged_by is not null
limit 1;
