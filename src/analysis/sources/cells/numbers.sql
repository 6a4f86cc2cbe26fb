-- Amounts and lengths of time, as cells write them.

-- name: macros
create macro plain_signs(x) as translate(x, getvariable('number_signs'), '--   ''''''');

-- the number of an amount: EUR 1.234,50, $(1.2k), 12 %
create macro amount_core(x) as regexp_extract(
  plain_signs(x),
  '^(?:[(]?[+-]? ?(?:(?:[A-Z]{3}|[A-Z]{0,3}\p{Sc}|kr|zł) ?)?[+-]? ?'
  '([.,]?[0-9](?:[0-9., '']*[0-9])?(?:[eE][+-]?[0-9]{1,2})?) ?'
  '(?:[kK]|[mM](?:n|io)?|[bB]n?|Mrd)? ?%? ?(?:(?:[A-Z]{3}|[A-Z]{0,3}\p{Sc}|kr|zł))?-?[)]?)$',
  1
);

-- the number of a length: 45 min, 1.5h
create macro length_core(x) as regexp_extract(
  plain_signs(x),
  '^(?:[+-]?([.,]?[0-9](?:[0-9., '']*[0-9])?(?:[eE][+-]?[0-9]{1,2})?) ?'
  '(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)?[.]?)$',
  1
);

create macro bare_core(c, comma) as replace(replace(replace(c, comma, ''), ' ', ''), '''', '');

create macro core_value(c, point, comma) as case
  when length(regexp_extract(bare_core(c, comma), '^[0-9]*')) <= 15
    then try_cast(replace(bare_core(c, comma), point, '.') as double)
end;

create macro scale_of(x) as case
  lower(
    regexp_extract(
      x,
      '[0-9] ?([kK]|[mM](?:n|io)?|[bB]n?|Mrd) ?%? ?(?:[A-Z]{3}|[A-Z]{0,3}\p{Sc}|kr|zł)?-?[)]?$',
      1
    )
  )
  when '' then 1
  when 'k' then 1e3
  when 'm' then 1e6
  when 'mn' then 1e6
  when 'mio' then 1e6
  else 1e9
end;

create macro sign_of(x) as case
  when regexp_matches(x, '^[(].*[)]$') or regexp_matches(x, '^[^0-9]*-|-$') then -1
  else 1
end;

create macro money_sign(x) as coalesce(
  nullif(regexp_extract(x, '^[(]?[+-]? ?([A-Z]{3}|[A-Z]{0,3}\p{Sc}|kr|zł)', 1), ''),
  regexp_extract(x, '[0-9 %]([A-Z]{3}|[A-Z]{0,3}\p{Sc}|kr|zł)-?[)]?$', 1)
);

-- the company's currency where the sign may stand for it, else unknown
create macro own_currency(codes) as case
  when list_contains(codes, getvariable('currency')) then getvariable('currency')
  else '?'
end;

create macro money_code(s) as case
  when coalesce(s, '') = '' then null
  when length(s) = 3 and regexp_full_match(s, '[A-Z]{3}') then s
  else case s
    when '€' then 'EUR'
    when '£' then 'GBP'
    when '₹' then 'INR'
    when '₩' then 'KRW'
    when 'US$' then 'USD'
    when 'C$' then 'CAD'
    when 'CA$' then 'CAD'
    when 'A$' then 'AUD'
    when 'R$' then 'BRL'
    when 'NZ$' then 'NZD'
    when 'zł' then 'PLN'
    when '$' then own_currency(['USD', 'CAD', 'AUD', 'NZD', 'SGD', 'HKD', 'MXN'])
    when '¥' then own_currency(['JPY', 'CNY'])
    when 'kr' then own_currency(['SEK', 'NOK', 'DKK'])
    else '?'
  end
end;

create macro unit_minutes(u) as case
  when u in ('ms', 'millisecond', 'milliseconds') then 1 / 60000.0
  when u[1] = 's' then 1 / 60.0
  when u[1] = 'm' then 1.0
  when u[1] = 'h' then 60.0
end;

create macro spelt_part(x, p, i) as
coalesce(try_cast(nullif(regexp_extract(x, p, i), '') as double), 0);
