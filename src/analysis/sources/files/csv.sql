-- Texts of a CSV file, and whether all of its lines are in them.

-- name: texts
select
  row_number() over () + $first as source_row,
  *
from read_csv(
  $file,
  all_varchar = true,
  auto_detect = false,
  header = true,
  delim = $delimiter,
  quote = $quote,
  escape = $quote,
  columns = $columns,
  store_rejects = true
);

-- name: row_numbers
select
  row_number() over () + $first as source_row,
  null::varchar as c0
from read_csv(
  $file,
  all_varchar = true,
  auto_detect = false,
  header = true,
  delim = $delimiter,
  quote = $quote,
  escape = $quote,
  columns = $columns,
  store_rejects = true
);

-- name: broken_lines
select
  line,
  min(error_type::varchar) as problem,
  any_value(csv_line) as text_of_line
from reject_errors
group by line
order by line;

-- name: line_ends
-- line ends within cells, and the runs of them
select
  coalesce(sum(length(cell) - length(replace(cell, chr(10), ''))), 0) as n_ends,
  coalesce(
    sum(
      length(regexp_replace(cell, '\n+', chr(10), 'g')) - length(replace(cell, chr(10), ''))
    ),
    0
  ) as n_runs
from (
  select replace(cell, chr(13), '') as cell
  from (unpivot query_table($table) on columns(* exclude (source_row)) into name place value cell)
);

-- name: first_shapes
-- what the first column holds, each letter and digit an x
create or replace temp table first_shapes as
select distinct regexp_replace(trim(c0), '[\pL\pN]', 'x', 'g') as shape
from query_table($table)
where c0 is not null
  and not contains(c0, chr(10))
limit 100000;

-- name: rows_with_others_inside
with cells as (
  select
    source_row,
    cell,
    length(cell) - length(replace(cell, chr(10), '')) as n_ends,
    length(cell) - length(replace(cell, $delimiter, '')) as n_delimiters
  from (unpivot query_table($table) on columns(* exclude (source_row)) into name place value cell)
)

select
  source_row,
  sum(n_ends)::bigint as n_ends
from cells
group by source_row
having bool_or(
  n_ends > 0
  and n_delimiters = $n_delimiters * n_ends
  and regexp_replace(regexp_extract(cell, $first_cell, 1), '[\pL\pN]', 'x', 'g')
  in (select shape from first_shapes)
)
order by source_row;

-- name: last_cell
-- the last cell of a column as its text or its shape, beside what all others hold
with forms as (
  select
    source_row,
    case
      when $is_shape
        then regexp_replace(regexp_replace(cell, '\pL', 'x', 'g'), '\pN', '0', 'g')
      else cell
    end as form
  from (
    select
      source_row,
      coalesce(columns([$cell]), '') as cell
    from query_table($table)
  )
),

others as (
  select *
  from forms
  where source_row < (select max(source_row) from forms)
)

select
  (select arg_max(form, source_row) from forms) as last_form,
  list(distinct form) as forms,
  count(*) as n_rows,
  bool_and(regexp_full_match(form, '0*')) and count(distinct length(form)) > 1 as has_any_length
from others;
