-- What pages were before, as far as --keep-versions kept it.

-- One row for each content, however many versions and pages share it.
create table old_content (id integer primary key, hash text not null unique, text text, body blob);

-- Of one page, a larger id is a later version.
create table version (
    id integer primary key,
    url_id integer not null,
    content_id integer not null,
    fetched_at integer not null,
    status integer not null,
    content_type text,
    charset text,
    size integer not null
);
create index version_url on version (url_id);
create index version_content on version (content_id);

create trigger version_deleted after delete on version begin
    delete from old_content
    where id = old.content_id and not exists (select 1 from version where content_id = old.content_id);
end;

create view versions as -- One row for each older content of a page; the present one is in pages and bodies.
select u.url, -- The canonical URL
    strftime('%Y-%m-%dT%H:%M:%fZ', v.fetched_at / 1000.0, 'unixepoch') as fetched_at, -- When it was last found so
    v.status, -- The HTTP status
    v.content_type, -- As the response named it
    v.charset, -- By which the text was decoded
    v.size, -- Bytes of the body
    c.hash as content_hash, -- SHA-256 of the body
    c.body, -- The body as received; null if bodies were not stored
    c.text -- The readable text
from version v join old_content c on c.id = v.content_id join url u on u.id = v.url_id;
