-- Full-text search. A commit only notes what changed; `search` and `crawl --index` bring the index up to date.
--
-- For each page the index holds: what `outdated` has, if it is there; nothing, if it is only in `unindexed`; else what
-- `searchable` has. FTS5 can take a page out only by the very words with which it came in.
create table unindexed (url_id integer primary key);
create table outdated (url_id integer primary key, title text, description text, text text);
insert into unindexed select url_id from page;

create view searchable as -- One row for each page: its words, as the full-text index takes them.
select p.url_id, -- The row of the URL
    p.title, -- The title
    p.description, -- The meta description
    c.text -- The readable text
from page p left join content c on c.url_id = p.url_id;

create virtual table page_index using fts5 (
    title, description, text,
    content = 'searchable', content_rowid = 'url_id', tokenize = 'unicode61 remove_diacritics 2'
);
insert into page_index (page_index, rank) values ('rank', 'bm25(10.0, 4.0, 1.0)');

create view search as -- One row for each indexed page; ask it with `where words match '…' order by rank`.
select f.page_index as words, -- What `match` is applied to, in the syntax of FTS5
    u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    p.status, -- HTTP status
    f.title, -- The title
    f.description, -- The meta description
    -- FTS5 takes time that grows with the square of the hits in a page.
    iif(length(f.text) > 10000, substr(f.text, 1, 200),
        snippet(page_index, -1, '[', ']', '…', 24)) as snippet, -- Where the words stand, each between [ and ]; the beginning of a long page
    f.rank -- BM25, where a title weighs ten times as much as the text: the least is the best
from page_index f
cross join url u on u.id = f.rowid
cross join page p on p.url_id = f.rowid
cross join host h on h.id = u.host_id
-- Whatever is outdated is in `unindexed` too.
where f.rowid not in (select url_id from unindexed);
