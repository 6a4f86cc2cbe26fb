with d as (
 select o.opportunity_id, o.account_id, o.owner_rep_id rep, o.created_at::date as day, h.team_id from opportunities o join rep_team_history h on h.rep_id=o.owner_rep_id and h.valid_from<=o.created_at::date and coalesce(o.created_at::date<h.valid_to,true)
 where account_id is not null),
per as (select account_id, rep, team_id, count(*) n from d group by all),
x as (select d.rep, d.team_id, p.team_id as other, sum(p.n) n from d join per p on p.account_id=d.account_id and p.rep<>d.rep group by all),
s as (select rep, team_id, sum(n) n, sum(n) filter(other=team_id) n_same, arg_max(other,n) as usual from x group by all)
select rep, team_id, n, n_same/n as share, usual=team_id as ok from s order by share limit 12
