-- Totals of a report: rows without a key, or with a total's word for one.

-- name: totals
create or replace temp table totals as
select
  source_row,
  coalesce(trim(cell_of_key), '') = '' as is_keyless,
  coalesce(trim(array_to_string(cells, '')), '') = '' as is_blank,
  regexp_full_match(lower(cell_of_key), $total) is true
  or (
    coalesce(trim(cell_of_key), '') = ''
    and len(
      list_filter(
        cells,
        lambda c: regexp_full_match(lower(c), $total) or regexp_full_match(lower(c), $records)
      )
    ) > 0
  ) as is_total,
  list_filter(
    list_transform(cells, lambda c: try_cast(replace(c, ',', '') as int)),
    lambda n: n > 0
  ) as whole_numbers
from (
  select
    source_row,
    columns([$key]) as cell_of_key,
    [*columns($cells)] as cells
  from query_table($table)
)
where cell_of_key is null
  or trim(cell_of_key) = ''
  or (length(cell_of_key) < 60 and regexp_full_match(lower(cell_of_key), $total));

-- name: macros
create or replace macro amount_digits(cell) as
regexp_replace(replace(cell, '(', '-'), '[^0-9,.-]', '', 'g');

-- the amount a cell says: the last separator before one or two digits is the decimal one
create or replace macro cell_amount(cell) as try_cast(
  case
    when regexp_matches(amount_digits(cell), ',[0-9]{1,2}$')
      then replace(replace(amount_digits(cell), '.', ''), ',', '.')
    else replace(amount_digits(cell), ',', '')
  end as decimal(38, 4)
);

-- name: sums_above
select *
from (
  select
    t.source_row,
    k.is_total,
    k.is_keyless,
    count(*) filter (k.source_row is null) over above as n_above,
    k.whole_numbers,
    sum(case when k.source_row is null then cell_amount(columns($numbers)) end) over above,
    nullif(trim(columns($numbers)), '') is not null,
    cell_amount(columns($numbers))
  from query_table($table) as t
  left join totals as k using (source_row)
  window above as (order by t.source_row rows unbounded preceding)
)
where is_total
order by source_row;
