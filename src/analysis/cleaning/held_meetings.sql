-- Whether a meeting took place, by patterns that stand in `held_meetings`.

-- name: macros
create or replace macro is_cancelled(subject) as
regexp_matches(subject, getvariable('held_meetings')['cancelled'], 'i')
and not regexp_matches(subject, getvariable('held_meetings')['taken_back'], 'i');

create or replace macro is_not_held(outcome) as
regexp_matches(outcome, getvariable('held_meetings')['not_held'], 'i');

-- neither held nor not, in a word of the company's own
create or replace macro is_unknown_outcome(outcome) as
trim(outcome) <> ''
and not is_not_held(outcome)
and not regexp_matches(outcome, getvariable('held_meetings')['took_place'], 'i');
