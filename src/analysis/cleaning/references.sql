-- What one export calls by name and another by id: both brought to the id.

-- name: macros
-- the 15 characters that a Salesforce id of 18 is also written with
create or replace macro short_id(id) as
case when length(id) = 18 and salesforce_id(id) = id then id[1:15] end;

-- whether a column names anything that is no record's id
create or replace macro names_stranger(child, spelling, parent, id) as exists (
  select 1
  from query_table(child)
  where spelling not in (select id from query_table(parent) where id is not null)
);

-- by what its column says, whose records those rows are that name none by its id
create or replace macro names_in_column(child, spelling, parent, id, is_person) as table
  select
    source_file,
    spelling as written,
    case
      when is_person or spelling in (select alias from called) then spelling
      else nullif(name_key(spelling), '')
    end as alias,
    case
      when is_person then regexp_full_match(spelling, 'P[0-9A-F]{11}')
      else has_letter(spelling)
    end as is_name
  from query_table(child)
  where
    spelling is not null
    and spelling not in (select id from query_table(parent) where id is not null);

-- what a record is called beside its id, the record, and of how many it is the name
create or replace macro records_by_name(parent, id, spellings) as table
  select
    alias,
    min(record) as record,
    count(distinct record) as n_records
  from (
    select
      unnest(spellings) as alias,
      id as record
    from query_table(parent)
    where id is not null
  )
  where
    alias is not null
    and alias not in (select id from query_table(parent) where id is not null)
  group by alias;

-- name: reps
create or replace temp table called as
select * from records_by_name(
  'parsed_reps',
  rep_id,
  [
    stated_name,
    pseudonym(given_name || ' ' || family_name),
    person_email,
    user_id,
    short_id(rep_id)
  ]
);

-- name: teams
create or replace temp table called as
select * from records_by_name(
  'parsed_teams',
  team_id,
  [nullif(name_key(team_name), ''), short_id(team_id)]
);

-- name: accounts
create or replace temp table called as
select * from
  records_by_name(
    'parsed_accounts',
    case when not coalesce(is_deleted, false) then account_id end,
    [nullif(name_key(account_name), ''), short_id(account_id)]
  )
where alias not in (select account_id from parsed_accounts where account_id is not null);

-- name: products
create or replace temp table called as
select * from records_by_name(
  'parsed_products',
  product_id,
  [nullif(name_key(product_name), ''), short_id(product_id)]
);

-- name: campaigns
create or replace temp table called as
select * from
  records_by_name(
    'parsed_campaigns',
    case when not coalesce(is_deleted, false) then campaign_id end,
    [nullif(name_key(campaign_name), ''), short_id(campaign_id)]
  )
where alias not in (select campaign_id from parsed_campaigns where campaign_id is not null);

-- name: opportunities
create or replace temp table called as
select * from records_by_name('parsed_opportunities', opportunity_id, [short_id(opportunity_id)]);

-- name: name_counts
select
  source_file,
  count(*) filter (c.n_records = 1) as n_matched,
  count(*) filter (c.n_records > 1) as n_ambiguous,
  count(*) filter (c.alias is null and n.is_name) as n_unknown,
  count(distinct written) filter (c.n_records = 1) as n_names,
  (
    select count(columns([$name]))
    from query_table($child) as t
    where t.source_file = n.source_file
  ) as n_of
from names_in_column($child, columns([$name]), $parent, columns([$key]), $is_person) as n
left join called as c using (alias)
group by source_file
order by source_file;

-- name: new_values
create or replace temp table new_values as
select distinct
  written as old_value,
  c.record as new_value
from names_in_column($child, columns([$name]), $parent, columns([$key]), $is_person)
inner join called as c using (alias)
where c.n_records = 1;
