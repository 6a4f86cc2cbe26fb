-- Quarters in which reps lack what others have.

-- name: quarter_lacking_most
select
  quarter,
  count(*) as n,
  count(*) filter (columns([$name]) is null) as n_lacking
from rep_quarter
where role = 'rep'
  and not is_partial
  and days_employed > $fewest
group by quarter
having count(*) >= 4
order by count(*) filter (columns([$name]) is null) / count(*) desc, quarter
limit 1;
