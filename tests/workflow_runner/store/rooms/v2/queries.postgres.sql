-- name: dialect
SELECT 'postgres';
