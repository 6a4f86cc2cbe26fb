-- Which accounts, products, deals and leads are one and the same.

-- name: decisions
select
  name_key(variant) as variant,
  name_key(canonical) as canonical
from accepted_names
where table_name = $table;

-- name: ids_by_spelling
select distinct
  name_key(columns([$name])) as spelling,
  columns([$key]) as record
from query_table($parsed)
where
  columns([$key]) is not null
  and name_key(columns([$name])) in (select unnest($wanted::varchar[]))
order by all;


-- name: accounts_of_one_name
select list_sort(list_distinct(list(account_id))) as ids
from parsed_accounts
where
  account_id is not null
  and name_key(account_name) <> ''
  and not coalesce(is_deleted, false)
  and account_id not in (select unnest($given_up::varchar[]))
group by name_key(account_name)
having
  count(distinct account_id) > 1
  and count(distinct country) <= 1
  and count(distinct parent_id) <= 1
order by ids;

-- name: products_of_one_name
select list_sort(list_distinct(list(product_id))) as ids
from parsed_products
where
  product_id is not null
  and name_key(product_name) <> ''
  and product_id not in (select unnest($given_up::varchar[]))
group by name_key(product_name)
having
  count(distinct product_id) > 1
  and count(distinct product_family) <= 1
order by ids;

-- name: name_review
create or replace table name_review (
  table_name varchar,
  variant varchar,
  canonical varchar,
  similarity double
);

-- name: open_spellings
select any_value(spelling order by spelling) as spelling
from (
  select columns([$name]) as spelling
  from query_table($table)
)
where
  name_key(spelling) <> ''
  and name_key(spelling) not in (
    select name_key(variant)
    from accepted_names
    where
      table_name = $table
      and name_key(variant) = name_key(canonical)
  )
group by name_key(spelling);

-- name: merges_in_their_table
select
  record_id as loser,
  survivor_id as survivor
from record_merges
where table_name = $table;

-- name: merges_in_their_rows
select
  record_id as loser,
  survivor_id as survivor
from record_merges
where table_name = $table
union
select
  columns([$key]) as loser,
  master_record_id as survivor
from query_table($parsed)
where
  columns([$key]) is not null
  and master_record_id is not null
union
select
  trim(unnest(string_split(merged_record_ids, ';'))) as loser,
  columns([$key]) as survivor
from query_table($parsed)
where
  columns([$key]) is not null
  and merged_record_ids is not null;

-- name: ids
select distinct columns([$key]) as id
from query_table($parsed)
where columns([$key]) is not null;

-- name: survivors
create or replace temp table survivors (
  table_name varchar,
  record_id varchar,
  survivor_id varchar,
  rule varchar
);

-- name: new_values
create or replace temp table new_values as
select
  record_id as old_value,
  survivor_id as new_value
from survivors
where
  table_name = $table
  and survivor_id is not null;

-- name: mark_rekeyed_deals
update parsed_opportunities as child
set rekeyed_by = concat_ws(' ', rekeyed_by, s.rule)
from survivors as s
where
  s.table_name = $table
  and s.survivor_id is not null
  and s.record_id = case when $table = 'accounts' then account_id else product_id end;

-- name: mark_merged_steps
update parsed_lead_status_history as step
set merged_from = step.lead_id
from survivors as s
where
  s.table_name = 'leads'
  and s.survivor_id is not null
  and s.record_id = step.lead_id;

-- From its own first step on, a lead's own steps say where it stands; of two records
-- merged away that tell one step, one tells it.
-- name: mark_overlapping_steps
update parsed_lead_status_history as step
set is_overlap = true
from (
  select
    source_file,
    source_row,
    min(entered_at) filter (
      merged_from is null
      and not coalesce(is_deleted, false)
      and lower(coalesce(field_name, 'status')) = 'status'
    ) over (partition by lead_id) as own_first,
    row_number() over (
      partition by lead_id, field_name, entered_at, lead_status
      order by merged_from, source_file, source_row
    ) as place,
    merged_from,
    entered_at
  from parsed_lead_status_history
  where
    lead_id in (
      select survivor_id
      from survivors
      where table_name = 'leads'
    )
) as told
where
  step.source_file = told.source_file
  and step.source_row = told.source_row
  and told.merged_from is not null
  and (told.entered_at >= told.own_first or told.place > 1);

-- name: date_merged_leads
update parsed_leads as lead_row
set created_at = least(lead_row.created_at, earlier.created_at)
from (
  select
    s.survivor_id,
    min(l.created_at) as created_at
  from survivors as s
  inner join parsed_leads as l on s.record_id = l.lead_id
  where s.table_name = 'leads' and s.survivor_id is not null
  group by s.survivor_id
) as earlier
where lead_row.lead_id = earlier.survivor_id;
