-- Bodies may be stored compressed (--compress).
--
-- What bodies are compressed with: zstd dictionaries (RFC 8878).
create table dictionary (id integer primary key, bytes blob not null);

-- By which dictionary the body is compressed; 0 by none; null if it is not compressed.
alter table content add column dictionary_id integer;
alter table old_content add column dictionary_id integer;

drop view bodies;
create view bodies as -- One row for each stored body, the latest as received.
select u.url, -- The canonical URL
    c.body -- The bytes: content coding removed, charset untouched. With --compress, for other programs than harvestman, a zstd frame
from content c join url u on u.id = c.url_id where c.body is not null;

drop view versions;
create view versions as -- One row for each older content of a page; the present one is in pages and bodies.
select u.url, -- The canonical URL
    strftime('%Y-%m-%dT%H:%M:%fZ', v.fetched_at / 1000.0, 'unixepoch') as fetched_at, -- When it was last found so
    v.status, -- The HTTP status
    v.content_type, -- As the response named it
    v.charset, -- By which the text was decoded
    v.size, -- Bytes of the body
    c.hash as content_hash, -- SHA-256 of the body
    c.body, -- The body as received; null if bodies were not stored. As in bodies with --compress
    c.text -- The readable text
from version v join old_content c on c.id = v.content_id join url u on u.id = v.url_id;
