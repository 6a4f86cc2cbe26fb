-- Days and times, brought to the one notation that a cast reads.

-- name: macros
-- years of the Buddhist calendar run 543 ahead
create macro from_buddhist(t) as case
  when regexp_matches(t, '^2[456][0-9]{2}[^0-9]') then (t[1:4]::int - 543)::varchar || t[5:]
  when regexp_matches(t, '^[0-9]{1,2}[/.-][0-9]{1,2}[/.-]2[456][0-9]{2}(?:[^0-9]|$)')
    then regexp_extract(t, '^[0-9]{1,2}[/.-][0-9]{1,2}[/.-]')
      || (regexp_extract(t, '[/.-](2[456][0-9]{2})', 1)::int - 543)::varchar
      || regexp_extract(t, '^[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}(.*)$', 1)
  else t
end;

create macro clock_zone(t) as regexp_extract(
  t, '[0-9]:[0-9]{2}[^+Z-]*?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)$', 1
);

create macro wall_clock(t) as case
  when regexp_matches(t, '[0-9] ?[AaPp][.]?[Mm]')
    then try_strptime(
        regexp_replace(
          t, '^([0-9-]+)[T ,]+([0-9:]+)(?:[.,][0-9]+)? ?([AaPp]).*$', '\1 \2 \3M'
        ),
        ['%Y-%m-%d %I:%M:%S %p', '%Y-%m-%d %I:%M %p']
      )
  else try_cast(
      regexp_replace(
        replace(regexp_replace(t, '^([0-9-]+)[T ,]+', '\1 '), ',', '.'),
        '(:[0-9.]+) ?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)$',
        '\1'
      ) as timestamp
    )
end;

create macro moment(t) as try_cast(
  wall_clock(t)::varchar
  || case when clock_zone(t) in ('Z', 'UTC', 'GMT') then '+00' else clock_zone(t) end
  as timestamptz
);

-- years of two digits: 90 to 99 are of the last century
create macro iso_years(t) as regexp_replace(
  regexp_replace(t, '^([0-8][0-9])-', '20\1-'), '^(9[0-9])-', '19\1-'
);

create macro numbers_text(x, parts) as iso_years(
  regexp_replace(x, '^([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4}|[0-9]{2})', parts)
);

create macro named_text(x) as iso_years(
  regexp_replace(x, '^([0-9]{1,2}) m([0-9]{2}) ([0-9]{4}|[0-9]{2})', '\3-\2-\1')
);

create macro iso_text(x) as
regexp_replace(x, '^([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})', '\1-\2-\3');

create macro compact_text(x) as
regexp_replace(x, '^([0-9]{4})([0-9]{2})([0-9]{2})$', '\1-\2-\3');
