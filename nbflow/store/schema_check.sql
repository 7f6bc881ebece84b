-- name: columns
-- Every column of every table and view, in order.
SELECT 'column', table_name, column_index, column_name, data_type, is_nullable, column_default
FROM duckdb_columns() WHERE database_name = current_database() AND NOT internal ORDER BY table_name, column_index;

-- name: views
-- What each view selects.
SELECT 'view', view_name, sql FROM duckdb_views() WHERE database_name = current_database() AND NOT internal ORDER BY view_name;

-- name: enums
-- The words of each enum, in order.
SELECT 'enum', type_name, labels FROM duckdb_types() WHERE database_name = current_database() AND NOT internal ORDER BY type_name;

-- name: constraints
-- Keys and NOT NULLs.
SELECT 'constraint', table_name, constraint_type, constraint_text
FROM duckdb_constraints() WHERE database_name = current_database() ORDER BY ALL;
