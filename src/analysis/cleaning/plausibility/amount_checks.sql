-- Rates and amounts that are out of scale.

-- name: rates_apart
with rates as (
  select
    currency,
    valid_from,
    valid_to,
    rate_to_reporting as rate,
    median(rate_to_reporting) over (partition by currency) as middle,
    lag(rate_to_reporting) over in_time as before,
    lead(rate_to_reporting) over in_time as after
  from fx_rates
  where rate_to_reporting > 0
  window in_time as (partition by currency order by valid_from)
),

steps as (
  select
    *,
    least(
      abs(ln(rate / coalesce(before, after))), abs(ln(rate / coalesce(after, before)))
    ) as jump,
    coalesce(
      max(
        case
          when abs(ln(rate * before)) < $like_a_turn * abs(ln(rate / before))
            then abs(ln(rate / before))
        end
      ) over (partition by currency),
      0
    ) as longest_turn,
    case
      when count(*) over (partition by currency) >= $fewest_rates
        then median(abs(ln(rate / before))) over (partition by currency)
      else 0
    end as usual_step
  from rates
),

used as (
  select
    r.*,
    o.close_date,
    coalesce(jump > ln($most_jump), false)
    or (
      abs(ln(rate / middle)) > greatest(ln($smallest_turn), 4 * abs(ln(rate * middle)))
      and longest_turn > $of_distance * abs(ln(rate / middle))
      and longest_turn > $many_steps * usual_step
    ) as is_apart,
    o.close_date > r.valid_from + $most_days::int as is_old
  from opportunities as o
  inner join steps as r
    on r.currency = o.currency
    and r.valid_from <= o.close_date
    and (r.valid_to is null or o.close_date < r.valid_to)
  where o.status = 'won'
    and o.currency <> getvariable('currency')
)

select
  (select count(*) from opportunities where status = 'won') as n,
  count(*) filter (is_apart) as n_apart,
  count(*) filter (is_old) as n_old,
  list(distinct currency || ' from ' || valid_from) filter (is_apart) as apart,
  list(distinct currency || ' from ' || valid_from) filter (is_old) as old
from used;

-- name: won_amounts
select
  currency,
  source_file as file,
  strftime(close_date, '%Y-%m') as month,
  deal_amount
from opportunities
where status = 'won'
  and deal_amount > 0;
