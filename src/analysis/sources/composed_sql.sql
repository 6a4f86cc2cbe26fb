-- What the catalog says of tables that are put together by their columns.

-- name: blank_columns
select
  column_name,
  data_type
from duckdb_columns()
where table_name = $table
  and schema_name = 'main'
  and database_name = 'temp'
  and column_default is not null;
