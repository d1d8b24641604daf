-- name: dialect
SELECT 'sqlite';
