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

-- What the CRM says of a contact's part in buying, in one of nine words: a role is no title, and
-- whatever else stands in the cell, a name perhaps, is only "other".
create or replace macro buying_role(word) as case
  when name_key(word) in ('', 'none', 'select', 'bitteauswahlen', 'keine', 'ninguno') then null
  when name_key(word) in (
      'decisionmaker', 'entscheider', 'entscheiderin', 'entscheidungstrager', 'decideur',
      'responsabledeladecision', 'responsabledetomadedecisiones', 'decisor', 'decisore',
      'beslisser', 'tomadordedecision')
    then 'decision maker'
  when name_key(word) in (
      'budgetholder', 'economicbuyer', 'economicdecisionmaker', 'budgetverantwortlicher',
      'budgetverantwortliche', 'wirtschaftlicherentscheider', 'wirtschaftlichereinkaufer',
      'acheteureconomique', 'compradoreconomico', 'budgethouder')
    then 'budget holder'
  when name_key(word) in ('executivesponsor', 'sponsor', 'champion', 'internalchampion',
      'forderer', 'parrain', 'patrocinadorejecutivo')
    then 'champion'
  when name_key(word) in ('influencer', 'beeinflusser', 'einflussnehmer', 'prescripteur',
      'influenceur', 'influenciador', 'influyente')
    then 'influencer'
  when name_key(word) in ('evaluator', 'technicalbuyer', 'technicaldecisionmaker', 'bewerter',
      'gutachter', 'technischereinkaufer', 'technischerentscheider', 'evaluateur', 'evaluador',
      'acheteurtechnique', 'compradortecnico')
    then 'evaluator'
  when name_key(word) in ('businessuser', 'enduser', 'user', 'anwender', 'anwenderin',
      'endbenutzer', 'benutzer', 'geschaftsanwender', 'utilisateur', 'utilisateurfinal',
      'usuario', 'usuariofinal', 'gebruiker')
    then 'user'
  when name_key(word) in ('legalandcompliance', 'legal', 'compliance', 'recht', 'juridique')
    then 'legal'
  when name_key(word) in ('blocker', 'blockierer', 'bloqueur', 'bloqueador', 'opponent')
    then 'blocker'
  else 'other'
end;

create or replace macro buying_roles(cell) as nullif(array_to_string(list_sort(list_distinct(
  list_transform(regexp_split_to_array(cell, '[;|,/]'), lambda word: buying_role(word))
)), '; '), '');
