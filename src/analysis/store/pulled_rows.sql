-- What came in by a pull, beside what stood in its file.

-- name: changed_rows
-- of those that came in, beside yesterday's of the same keys
select count(*) as n
from (
  select * from rest_rows
  except all
  select * from rows_of_before
);

-- name: other_rows
select count(*) as n
from (
  select * from rest_rows
  except all
  select * from rows_before
);

-- name: sum_of_rest
-- where sums differ rows do, and they need not be compared
select
  count(*) as n,
  sum(hash(rest_rows)) as sum_of_rows
from rest_rows;

-- name: sum_of_before
select
  count(*) as n,
  sum(hash(rows_before)) as sum_of_rows
from rows_before;

-- name: marked_rows
create or replace temp view marked_rows as
select * from incoming_rows
except all
select * from rest_rows;

-- name: rows
select count(*) as n from read_parquet($file);

-- name: keys
-- how many keys tell rows apart, none of their columns blank
select count(*) as n
from (
  select distinct columns($key)
  from read_parquet($file)
  where columns($key) is not null
);
