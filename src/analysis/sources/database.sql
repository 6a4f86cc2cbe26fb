-- The few words of SQL that every table shares.

-- name: macros
-- The suffix of an 18-character Salesforce id says which of the 15 before are capitals: five
-- characters a letter, the first of them the lowest bit.  In a letter's or digit's code the sixth
-- bit is clear for capitals only; those of five bytes lie 8 bits apart, and the remainder by 127
-- puts them side by side.
create macro id_letter(x, o) as substr(
  '5PXH1LTD3NVFZJRB4OWG0KSC2MUEYIQA',
  1 + ((try_cast('0x' || hex(substr(x, o, 5)) as bigint) >> 5) & 4311810305) % 127,
  1
);

create macro id_suffix(x) as id_letter(x, 1) || id_letter(x, 6) || id_letter(x, 11);

create macro id_18(x) as substr(x, 1, 15) || id_suffix(x);

create macro id_respelled(x) as list_aggregate(
  list_transform(
    range(15),
    lambda i: case
      when
        (strpos('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', upper(x)[16 + i // 5]) - 1)
        & (1 << (i % 5)::int)
        > 0
        then upper(x[i + 1])
      else lower(x[i + 1])
    end
  ),
  'string_agg',
  ''
);

-- Most ids are of 15 characters or bear their suffix; only what was brought to capitals or small
-- letters is spelled again.
create macro salesforce_id(x) as case
  when
    not coalesce(
      regexp_full_match(x, '[A-Za-z0-9]{15}([A-Z0-5]{3})?|[a-z0-9]{15}[a-z0-5]{3}'), false
    )
    then null
  when strlen(x) = 15 then x || id_suffix(x)
  when substr(x, 16) = id_suffix(x) then x
  when regexp_full_match(x, '[A-Z0-9]{18}|[a-z0-9]{18}')
    then list_filter(
      [id_18(id_respelled(x))],
      lambda i: substr(i, 16) = upper(substr(x, 16))
    )[1]
end;

-- a cell that was guarded from spreadsheets: ="007", =T("007")
create macro unguarded(x) as nullif(
  trim(replace(regexp_extract(x, '^=(?:T[(])?"((?:[^"]|"")*)"[)]?$', 1), '""', '"')), ''
);

-- `blanks`: those that `trim` alone leaves
create macro bare_text(x) as case
  when
    trim(x, getvariable('blanks'))[1] = '='
    and regexp_full_match(trim(x, getvariable('blanks')), '="(?:[^"]|"")*"|=T[(]"(?:[^"]|"")*"[)]')
    then unguarded(trim(x, getvariable('blanks')))
  else nullif(trim(x, getvariable('blanks')), '')
end;

-- most cells have no blank at an end, and are left alone
create macro cell_text(x) as case
  when
    regexp_matches(
      x,
      '^[\s\p{Z}\v\x{200B}-\x{200D}\x{2060}\x{FEFF}]|^='
      '|[\s\p{Z}\v\x{200B}-\x{200D}\x{2060}\x{FEFF}]$'
    )
    then bare_text(x)
  else nullif(x, '')
end;

create macro unquoted(x) as case
  when x[1] = '''' then nullif(trim(regexp_replace(x, '^''(.*?)''?$', '\1')), '')
  else x
end;

create macro plain_id(x) as case
  when regexp_full_match(x, '[0-9]{1,15}([.]0{1,2}|,0)') then regexp_extract(x, '^[0-9]+')
  else x
end;

-- "Doe, Jane" as "Jane Doe"; a title behind a comma is no first name
create macro turned(x) as case
  when regexp_matches(x, ', ?(?:jr|sr|ii|iii|iv|ph[.]?d|m[.]?d|mba|esq|cpa|dr)[.]?$') then x
  else regexp_replace(x, '^([^,@]+), ?([^,@]+)$', '\2 \1')
end;

-- a person's name or address in one spelling, without what a CRM puts behind that of a user who
-- left
create macro person_text(x) as trim(
  turned(
    trim(
      regexp_replace(
        regexp_replace(
          regexp_replace(
            lower(nfc_normalize(translate(x, '’‘‐‑', '''''--'))),
            '[\x{200B}-\x{200F}\x{2060}\x{FEFF}\x{AD}]', '', 'g'
          ),
          '[\s\p{Z}]+', ' ', 'g'
        ),
        ' ?[<(\[](?:inactive(?: user)?|deactivated(?: user)?|deleted(?: user)?'
        '|disabled|former|archived|removed'
        '|inaktiv|deaktiviert|ausgeschieden|inactif|d[eé]sactiv[eé]e?|inactiv[oa]|desactivad[oa]'
        '|inattiv[oa]|inativ[oa]|desativad[oa]|inactief|mailto:|[^<>()]*@[^<>()]*)[>)\]]',
        '', 'g'
      )
    )
  )
);

create macro pseudonym(x) as
'P' || upper(substr(sha256(getvariable('dataset_key') || nullif(person_text(x), '')), 1, 11));

create macro person_key(x) as
'P' || upper(substr(sha256(getvariable('dataset_key') || x), 1, 15));

-- Letters of any script as a pattern.  Some signs pass for one; \p{L}, which knows them all, takes
-- ten times as long to compile, in each column of each file.
create macro has_letter(x) as regexp_matches(
  x,
  '[A-Za-z\x{AA}\x{B5}\x{BA}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1FFF}\x{2C00}-\x{2DFF}'
  '\x{3005}-\x{10FFFF}]'
);

-- an address, or two words or a comma between letters
create macro is_person(x) as regexp_matches(
  x,
  '@'
  '|[A-Za-z\x{AA}\x{B5}\x{BA}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1FFF}\x{2C00}-\x{2DFF}'
  '\x{3005}-\x{10FFFF}].*[\s\p{Z}]'
  '.*[A-Za-z\x{AA}\x{B5}\x{BA}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1FFF}\x{2C00}-\x{2DFF}'
  '\x{3005}-\x{10FFFF}]'
  '|[A-Za-z\x{AA}\x{B5}\x{BA}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1FFF}\x{2C00}-\x{2DFF}'
  '\x{3005}-\x{10FFFF}] ?, ?'
  '[A-Za-z\x{AA}\x{B5}\x{BA}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1FFF}\x{2C00}-\x{2DFF}'
  '\x{3005}-\x{10FFFF}]'
);

create macro name_key(x) as regexp_replace(lower(strip_accents(x)), '[^\p{L}\p{N}]', '', 'g');

-- an address in any script, also in an internationalised domain or with its sign in disguise
create macro without_email(x) as case
  when contains(x, '@') or contains(x, '＠') or contains(x, '%40')
    then regexp_replace(
      x,
      '[^\s@\x{FF20}<>()\[\]{},;:|]+(?:@|\x{FF20}|%40)'
      '[^\s@\x{FF20}<>()\[\]{},;:|.\x{3002}\x{FF0E}\x{FF61}]+'
      '(?:[.\x{3002}\x{FF0E}\x{FF61}][^\s@\x{FF20}<>()\[\]{},;:|.\x{3002}\x{FF0E}\x{FF61}]+)+',
      '[e-mail]', 'g'
    )
  else x
end;

create macro is_placeholder(x) as coalesce(
  lower(trim(x)) in (
    'select', '-select-', '--select--', 'none', '-none-', '--none--', '-', '--', 'n/a', '#n/a',
    'null', '(blank)', 'tbd', '?', '- none -', '-- none --', '- select -', '(none)', '(null)',
    '[null]', '<na>', 'nan', 'undefined', '(not set)', 'not set', '\n'
  ),
  false
);

-- the primary team of a HubSpot user, or the only one
create macro hubspot_team(teams) as case
  when json_valid(teams)
    then list_transform(
      [json_extract(teams, '$[*]')],
      lambda all_teams: list_transform(
        [
          list_filter(
            all_teams,
            lambda t: json_extract_string(t, '$.primary') = 'true' or len(all_teams) = 1
          )
        ],
        lambda first: case when len(first) = 1 then first[1] end
      )[1]
    )[1]
end;

-- whether two entries of different origin are of one meeting: begun within five minutes, or most of
-- the shorter within the longer
create macro is_near(mine, other) as coalesce(
  mine.origin <> other.origin and (
    epoch(mine.from_at) - epoch(other.from_at) <= 300
    or least(epoch(mine.from_at) + mine.minutes * 60, epoch(other.from_at) + other.minutes * 60)
    - epoch(mine.from_at) >= 0.8 * 60 * least(mine.minutes, other.minutes)
  ),
  false
);

-- a sum in whole parts of a unit: the same in whatever order
create macro exact_sum(amount, parts) as
sum(try_cast(round(amount * parts) as hugeint))::double / parts;
