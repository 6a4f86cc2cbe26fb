-- Whose deals are whose, by the work on them.

-- name: worked_deals
-- closed deals on which reps are recorded to have worked: by their owner at the close, and by
-- anyone who was ever in a team of the owner's
create or replace temp view worked_deals as
with teams_of_rep as (
  select
    rep_id,
    list(distinct team_id) as teams
  from rep_team_history
  group by rep_id
),

workers as (
  select
    a.opportunity_id,
    count(*) as n_activities,
    list(distinct a.rep_id) as reps,
    flatten(list(distinct t.teams)) as teams
  from activities as a
  inner join reps as r using (rep_id)
  left join teams_of_rep as t using (rep_id)
  where r.role = 'rep'
    and a.opportunity_id is not null
  group by a.opportunity_id
),

closed as (
  select
    opportunity_id,
    coalesce(owner_at_close_rep_id, owner_rep_id) as owner
  from opportunities
  where status <> 'open'
)

select
  o.opportunity_id,
  o.owner,
  w.n_activities,
  not list_contains(w.reps, o.owner) as is_of_others,
  t.teams is not null
  and len(w.teams) > 0
  and not list_has_any(w.teams, t.teams) as is_of_other_team
from closed as o
inner join workers as w using (opportunity_id)
inner join reps as r on r.rep_id = o.owner
left join teams_of_rep as t on t.rep_id = o.owner
where r.role = 'rep';

-- name: deals_by_owner
select
  owner,
  count(*) as n,
  count(*) filter (is_of_others) as n_odd
from worked_deals
where n_activities > 1
group by owner
order by owner;

-- name: accounts_of_stays
with sold as (
  select
    o.account_id,
    o.owner_rep_id as rep_id,
    h.team_id,
    count(*) as n
  from opportunities as o
  inner join rep_team_history as h
    on h.rep_id = o.owner_rep_id
    and h.valid_from <= o.created_at::date
    and coalesce(o.created_at::date < h.valid_to, true)
  where o.account_id is not null
  group by all
),

beside as (
  select
    mine.rep_id,
    mine.team_id,
    sum(mine.n * other.n) as n,
    coalesce(sum(mine.n * other.n) filter (other.team_id = mine.team_id), 0) as n_same
  from sold as mine
  inner join sold as other
    on other.account_id = mine.account_id
    and other.rep_id <> mine.rep_id
  group by all
  having sum(mine.n * other.n) >= $fewest
)

select
  count(*) as n,
  count(*) filter (n_same < $seldom * n) as n_odd,
  median(n_same / n) as middle,
  list(rep_id order by rep_id) filter (n_same < $seldom * n) as rep_ids
from beside;
