-- What a pass leaves beside the clean tables.

-- name: actions
create or replace temp table actions (
  table_name varchar,
  rule varchar,
  action varchar,
  reason varchar
);

-- name: quarantine
select
  s.table_name,
  s.rule,
  a.action,
  a.reason,
  s.* exclude (table_name, rule, money, minutes),
  s.money as money_amount,
  s.minutes / 60 as hours
from set_aside as s
left join actions as a using (table_name, rule)
order by s.table_name, s.source_file, s.source_row;

-- name: name_review
select
  table_name as "table",
  variant,
  canonical,
  similarity
from name_review
order by similarity desc, table_name, variant, canonical;
