-- Columns that a report fills only in the first row of each group.

-- name: column_of_groups
with cells as (
  select
    source_row,
    nullif(trim(columns([$cell])), '') as cell,
    coalesce(columns([$parent]), '') as parent
  from query_table($table)
),

ordered as (
  select
    *,
    lead(cell) over in_file as below,
    lead(source_row) over in_file as next_row
  from cells
  window in_file as (order by source_row)
),

filled as (
  select
    *,
    lag(lower(cell)) over (order by source_row) as before
  from ordered
  where cell is not null
)

select
  (select count(*) from cells) as n_rows,
  count(*) as n_filled,
  count(distinct row(parent, cell)) as n_distinct,
  count(*) filter (below is null and next_row is not null) as n_above_blank,
  coalesce(min(source_row) = (select min(source_row) from cells), false) as is_first_filled,
  coalesce(bool_and(before is null or lower(cell) >= before), false)
  or coalesce(bool_and(before is null or lower(cell) <= before), false) as is_sorted
from filled;

-- name: filled_cells
select
  count(*) as n_rows,
  count(nullif(trim(columns($cells)), ''))
from query_table($table);

-- name: cells_above
create or replace temp table cells_above as
select
  source_row,
  above
from (
  select
    source_row,
    cell,
    last_value(nullif(trim(cell), '') ignore nulls) over (order by source_row) as above
  from (
    select
      source_row,
      columns([$cell]) as cell
    from query_table($table)
  )
)
where coalesce(trim(cell), '') = ''
  and above is not null;
