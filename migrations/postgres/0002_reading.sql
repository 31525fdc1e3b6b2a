-- What commands and recipes read as they do on SQLite.

-- A page is looked for by its URL, which may be longer than a row of any other kind of index.
create index url_text on url using hash (url);

-- The tables as the reading side sees them where the public views do not do: with the ids by which rows are found fast. They
-- may change, and so nobody else is to rely on them.
create view _meta as select key, value from meta;
create view _run as select id, started_at, finished_at, outcome, requests, bytes from run;
create view _host as
select id, host, asked_at, blocked_until, robots_at, robots_status, robots_failure, robots_body, crawl_delay_ms from host;
create view _url as
select id, url, host_id, state, reason, depth, attempts, due_at, referrer_id, first_seen_at, followed, sitemap, lastmod, known,
    trap_id
from url;
create view _page as
select url_id, status, content_type, title, description, size, content_hash, redirect_to, fetched_at, elapsed_ms, headers,
    interval_ms, fresh_until
from page;
create view _content as select url_id, text, body from content;
create view _link as select from_id, position, to_id, text, rel, element, follow from link;
create view _failure as select url_id, kind, message from failure;
create view _fetch as select id, run_id, url_id, url, at, status, failure, elapsed_ms, bytes, unchanged from request;
create view _trap as select id, host_id, pattern from trap;
create view _seed as select url_id from seed;
create view _heir as select url_id, seed_id from heir;

-- The place of a text in another, from 1 on; 0 if it is not in it.
create function instr(text, text) returns int language sql immutable strict parallel safe return strpos($1, $2);
