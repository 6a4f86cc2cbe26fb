-- How what was set aside of a table lies: by rule, by value, by parent.

-- name: tables
create or replace temp table rule_kinds (
  table_name varchar,
  rule varchar,
  kind varchar
);

create or replace temp table money_aside (
  rule varchar,
  n bigint,
  n_closed bigint,
  n_unpriced bigint,
  money double
);

create or replace temp table uneven_values (
  table_name varchar,
  dimension varchar,
  value varchar,
  n bigint,
  n_aside bigint,
  n_table bigint,
  n_table_aside bigint
);

create or replace temp table unknown_parents (
  table_name varchar,
  parent varchar,
  n_rows bigint,
  n_table bigint,
  n_ids bigint,
  examples varchar[]
);

create or replace temp table deciding_cells (
  table_name varchar,
  source_file varchar,
  "column" varchar,
  n_blank bigint,
  n bigint
);

create or replace macro blank_cells(source, name_of_column, cell, is_counted) as table
  select
    source_file,
    name_of_column as column_name,
    count(*) filter (
      cell is null
      and not list_contains(list_transform(unreadable, lambda u: u['column']), name_of_column)
    ) as n_blank,
    count(*) as n
  from query_table(source)
  where is_counted
  group by source_file
  having count(cell) > 0;

-- name: is_won
insert into deciding_cells
select
  'opportunities',
  *
from blank_cells($source, 'is_won', is_won, is_closed is distinct from false);

-- name: is_closed
insert into deciding_cells
select
  'opportunities',
  *
from blank_cells($source, 'is_closed', is_closed, is_won is distinct from true);

-- name: currency
insert into deciding_cells
select
  'opportunities',
  *
from blank_cells($source, 'currency', currency, raw_amount is not null);

-- name: created_at
insert into deciding_cells
select
  'opportunities',
  *
from blank_cells($source, 'created_at', created_at, status <> 'open');

-- name: base_amount
insert into deciding_cells
select
  'compensation',
  *
from blank_cells($source, 'base_amount', base_amount, true);

-- name: valid_from
insert into deciding_cells
select
  'compensation',
  *
from blank_cells($source, 'valid_from', valid_from, true);

-- name: was_judged
select 1
from set_aside
where table_name = $table
  and record_key is not null
limit 1;

-- name: taken
create or replace temp table taken as
select
  v.rid,
  v.rule
from verdicts as v
anti join rule_kinds as k on k.table_name = $table and k.rule = v.rule;

-- name: money_aside
with rates as (
  select
    currency,
    median(rate_to_reporting) as rate
  from fx_rates
  group by currency
),

middle_deal as (
  select median(deal_amount) as middle
  from opportunities
)

insert into money_aside
select
  rule,
  count(*),
  count(*) filter (status is distinct from 'open'),
  count(*) filter (raw_amount is null and status is distinct from 'open'),
  sum(
    abs(
      case
        when list_contains($disproved, rule) then history_amount * fx_rate
        when raw_amount is null or deal_amount is not null then deal_amount
        else coalesce(raw_amount * f.rate, m.middle, raw_amount)
      end
    )
  )
from candidates as c
inner join taken using (rid)
cross join middle_deal as m
left join rates as f on f.currency = c.currency
group by rule;

-- name: unknown_parents
with absent as (
  select columns([$name]) as id
  from candidates
  inner join verdicts using (rid)
  where rule = $rule
    and columns([$name]) not in (
      select coalesce(record_key, "text")
      from set_aside
      where table_name = $parent
        and (record_key <> '' or "column" = $name)
    )
),

first_three as (
  select distinct id
  from absent
  order by id
  limit 3
)

insert into unknown_parents
select
  $table,
  $parent,
  count(*),
  (select count(*) from candidates),
  count(distinct id),
  (select list(id order by id) from first_three)
from absent
having count(*) > 0;

-- name: uneven_values
with total as (
  select
    count(*) as n,
    count(*) filter (is_aside) as n_aside
  from marked_rows
),

by_value as (
  select
    dimension,
    value,
    count(*) as n,
    count(*) filter (is_aside) as n_aside,
    count(*) over (partition by dimension) as n_values
  from (
    unpivot marked_rows on columns(* exclude (is_aside)) into name dimension value value
  )
  group by dimension, value
)

insert into uneven_values
select
  $table,
  v.dimension,
  v.value,
  v.n,
  v.n_aside,
  t.n as n_table,
  t.n_aside as n_table_aside
from by_value as v
cross join total as t
where v.n_values between 2 and $most
  and v.n >= $fewest
  and v.n_aside >= $fewest_aside
  and v.n_aside >= $rate * v.n
  and v.n < t.n
  and v.n_aside - v.n * t.n_aside / t.n
  > $sigmas * sqrt(v.n * (t.n_aside / t.n) * (1 - t.n_aside / t.n));
