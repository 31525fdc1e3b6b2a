-- Full-text search: the words of each page, which a search or `crawl --index` brings up to date from what is noted here.

create table page_index (url_id bigint primary key, words tsvector not null);
create index page_index_words on page_index using gin (words);

-- Pages whose present words are not in the index.
create table unindexed (url_id bigint primary key);
insert into unindexed select url_id from page;

-- Once for each statement that writes pages, however many. A note that is there already is written again: so it is locked
-- until what it is about is committed, and whoever indexes passes it over until then.
create function note_new() returns trigger language plpgsql as $$
begin
    insert into unindexed select url_id from fresh on conflict (url_id) do update set url_id = excluded.url_id;
    return null;
end $$;

create function note_changed_page() returns trigger language plpgsql as $$
begin
    insert into unindexed select f.url_id from fresh f join stale s on s.url_id = f.url_id
    where (f.title, f.description) is distinct from (s.title, s.description)
    on conflict (url_id) do update set url_id = excluded.url_id;
    return null;
end $$;

create function note_changed_content() returns trigger language plpgsql as $$
begin
    insert into unindexed select f.url_id from fresh f join stale s on s.url_id = f.url_id
    where f.text is distinct from s.text
    on conflict (url_id) do update set url_id = excluded.url_id;
    return null;
end $$;

create trigger page_new after insert on page
    referencing new table as fresh for each statement execute function note_new();
create trigger page_changed after update on page
    referencing old table as stale new table as fresh for each statement execute function note_changed_page();
create trigger content_new after insert on content
    referencing new table as fresh for each statement execute function note_new();
create trigger content_changed after update on content
    referencing old table as stale new table as fresh for each statement execute function note_changed_content();

create view search as
select i.words, u.url, h.host, p.status, p.title, p.description
from page_index i
join url u on u.id = i.url_id
join page p on p.url_id = i.url_id
join host h on h.id = u.host_id
where not exists (select 1 from unindexed n where n.url_id = i.url_id);

create view _index as select url_id, words from page_index;
create view _unindexed as select url_id from unindexed;
