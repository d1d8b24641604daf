-- name: insert_shelf
INSERT INTO shelves (name, room) VALUES (:name, :room);

-- name: insert_book
INSERT INTO books (title, shelf) VALUES (:title, :shelf);

-- name: select_shelves
SELECT name, room, colour FROM shelves ORDER BY name;

-- name: dialect
SELECT 'neither';
