-- What a title says of a user's work: integration, marketing, rep or manager; missing where it says
-- neither.  Who manages accounts, territories or partners sells; who manages people does not count
-- as selling.

-- name: macros
create or replace macro plain_title(title) as lower(strip_accents(title));

create or replace macro role_of_title(title) as case
  when regexp_matches(plain_title(title), 'integration|automation|data ?loader|\bbot\b|\bapi\b')
    then 'integration'
  when regexp_matches(plain_title(title), 'marketing') then 'marketing'
  when regexp_matches(
      plain_title(title),
      '\b(key ?|strategic |global |senior |national )*(account|territory|channel|partner|'
      'client|customer|relationship|portfolio)s?[ -]?(success )?(manager|director)|'
      'business development (manager|representative|executive)')
    then 'rep'
  when regexp_matches(
      plain_title(title),
      'manager|director|head|\b[sea]?vp\b|vice president|chief|president|\bc[eorfm]o\b|'
      '\bcro\b|leiter|leitung|geschaftsfuhrer|directeur|directrice|responsable|gerente|jefe|'
      'jefa|diretor|direttore|direttrice|responsabile|hoofd|kierownik|dyrektor')
    then 'manager'
  when regexp_matches(
      plain_title(title),
      'account exec|sales|seller|selling|\b(ae|sdr|bdr|rep|reps)\b|representative|'
      'business develop|closer|vertrieb|verkauf|verkaufer|aussendienst|außendienst|'
      'innendienst|kundenberater|commercial|vente|vendeur|vendeuse|ventas|vendedor|comercial|'
      'vendite|venditore|vendas|verkoop|verkoper|accountmanager|handlowiec|sprzedaz')
    then 'rep'
end;
