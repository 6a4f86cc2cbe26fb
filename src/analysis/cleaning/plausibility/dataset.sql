-- What several checks count.

-- name: activity_days
create or replace temp table activity_days as
select
  started_at::date as day,
  kind,
  count(*) as n
from activities
where started_at is not null
group by all;
