-- Quotas that are sums of others.

-- name: sums_among_quotas
with quotas_of_reps as (
  select
    quarter,
    coalesce(team_id, '') as team_id,
    rep_id,
    quota_amount as quota
  from rep_quarter
  where not is_partial
    and quota_amount > 0
),

beside as (
  select
    *,
    sum(quota) over team as of_team,
    count(*) over team as n_team,
    sum(quota) over company as of_company,
    count(*) over company as n_company
  from quotas_of_reps
  window
    team as (partition by quarter, team_id),
    company as (partition by quarter)
),

marked as (
  select
    *,
    (n_team > 2 and abs(of_team - 2 * quota) <= $same_sum * quota)
    or (n_company > 2 and abs(of_company - 2 * quota) <= $same_sum * quota) as is_sum
  from beside
)

select
  count(distinct row(quarter, team_id)) as n,
  count(distinct row(quarter, team_id)) filter (is_sum) as n_odd,
  list(distinct rep_id order by rep_id) filter (is_sum) as rep_ids
from marked;
