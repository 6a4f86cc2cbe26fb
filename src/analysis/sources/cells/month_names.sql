-- Dates with words in them, brought to one spelling.

-- name: macros
-- blanks, hyphens, digits and signs of other scripts, as plain ones; what is invisible is nothing
create macro date_blanks(x) as regexp_replace(
  translate(nfc_normalize(x), getvariable('odd_signs'), getvariable('even_signs')),
  ' {2,}', ' ', 'g'
);

create macro date_offset(x) as regexp_replace(
  x,
  '(?:GMT|UTC) ?([+-][0-9]{2}:?[0-9]{2}) *(?:[(][^()]*[)])?$',
  '\1'
);

-- 20250305T0715 and 20250305071530, taken apart
create macro date_apart(x) as regexp_replace(
  regexp_replace(
    x,
    '^((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})[T ]?([0-9]{2})([0-9]{2})'
    '([0-9]{2}(?:[.,][0-9]+)?)( ?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?$',
    '\1-\2-\3T\4:\5:\6\7'
  ),
  '^((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})T([0-9]{2}):?([0-9]{2})'
  '( ?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?$',
  '\1-\2-\3T\4:\5\6'
);

-- a clock with points: 7.15 and 7.15.30
create macro date_colons(x) as regexp_replace(
  regexp_replace(
    x,
    '^([0-9]{4}[/.-][0-9]{1,2}[/.-][0-9]{1,2}|[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4})'
    '([T ,]+[0-9]{1,2})[.]([0-9]{2})[.]([0-9]{2})($|[^0-9])',
    '\1\2:\3:\4\5'
  ),
  '^([0-9]{4}[/.-][0-9]{1,2}[/.-][0-9]{1,2}|[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4})'
  '([T ,]+[0-9]{1,2})[.]([0-9]{2})($|[^0-9.])',
  '\1\2:\3\4'
);

create macro date_plain(x) as date_colons(date_apart(date_offset(date_blanks(x))));

-- a date in which every number is a mark, long or short
create macro date_spelling(t) as regexp_replace(
  regexp_replace(t, '[0-9]{3,}', chr(57348), 'g'),
  '[0-9]{1,2}', chr(57345), 'g'
);

create macro date_by(t, templates) as coalesce(
  array_to_string(
    list_transform(
      templates[date_spelling(t)],
      lambda part: case
        when part[1] = '#' then regexp_extract_all(t, '[0-9]+')[try_cast(part[2:] as int)]
        else part
      end
    ),
    ''
  ),
  t
);
