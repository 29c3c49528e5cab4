-- SPDX-License-Identifier: MIT
-- A typical load of sqlite3: rows, indices, sorting and grouping in memory.
CREATE TABLE entry (id INTEGER PRIMARY KEY, name TEXT, place TEXT, size INTEGER);
INSERT INTO entry
  WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < :rows)
  SELECT n, 'name-' || (n * 7919 % 1000003), substr('abcdefghijklmnopqrstuvwxyz', n % 20 + 1, 6), n % 977 FROM counter;
CREATE INDEX by_name ON entry (name);
CREATE INDEX by_place ON entry (place, size);
UPDATE entry SET name = name || '-' || size WHERE size % 3 = 0;
DELETE FROM entry WHERE size % 11 = 0;
SELECT 'check=' || printf('%016x', sum(found)) FROM
  (SELECT place, count(*) AS found, group_concat(substr(name, 6, 4)) FROM entry GROUP BY place, size ORDER BY found);
