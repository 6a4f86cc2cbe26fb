-- Cells of a typed table that could not be read.

-- name: has_unread
select 1
from query_table($parsed)
where len(unreadable) > 0
limit 1;

-- name: unread
with cells as (
  select
    source_file,
    source_row,
    unnest(unreadable) as cell
  from query_table($parsed)
  where len(unreadable) > 0
)

select
  source_file,
  cell['column'] as column_name,
  cell['rule'] as rule,
  count(*) as n_cells,
  list(source_row order by source_row)[:3] as first_rows,
  list(distinct cell['text'])[:200] as texts
from cells
group by all
having count(*) >= $fewest
order by source_file, n_cells desc, column_name;

-- name: cells_read
select count(columns([$name])) as n
from query_table($parsed)
where source_file = $file;
