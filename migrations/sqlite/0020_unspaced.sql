-- Scripts without spaces between words: the index takes each of their characters by itself. What is in the index is made
-- anew, by the next search.

-- What the index takes of a page instead of its words, where these are cut: null where they are not. Characters of such
-- scripts stand apart in it, separated by char(31). Written with the index; stale where the page is in `unindexed`.
create table unspaced (url_id integer primary key, title text, description text, text text);

drop view search;
drop view searchable;
drop table page_index;
delete from outdated;
insert or ignore into unindexed select url_id from page;

create view searchable as -- One row for each page: its words, as the full-text index takes them.
select p.url_id, -- The row of the URL
    coalesce(x.title, p.title) as title, -- The title
    coalesce(x.description, p.description) as description, -- The meta description
    coalesce(x.text, c.text) as text -- The readable text
from page p left join content c on c.url_id = p.url_id left join unspaced x on x.url_id = p.url_id;

-- These characters stand on or beside others. To the tokenizer they would be separators otherwise.
create virtual table page_index using fts5 (
    title, description, text,
    content = 'searchable', content_rowid = 'url_id',
    tokenize = "unicode61 remove_diacritics 2 tokenchars 'ัิีึืฺุู็่้๊๋์ํ๎ັິີຶື຺ຸູົຼ່້໊໋໌ໍ໎ါာိီုူေဲဳဴဵံ့း္်ျြွှၖၗၘၙၞၟၠၢၣၤၧၨၩၪၫၬၭၱၲၳၴႂႃႄႅႆႇႈႉႊႋႌႍႏႚႛႜႝ឴឵ាិីឹឺុូួើឿៀេែៃោៅំះៈ៉៊់៌៍៎៏័៑្៓゙゚៝ꧥꩻꩼꩽ'"
);
insert into page_index (page_index, rank) values ('rank', 'bm25(10.0, 4.0, 1.0)');

create view search as -- One row for each indexed page; ask it with `where words match '…' order by rank`.
select f.page_index as words, -- What `match` is applied to, in the syntax of FTS5; characters of scripts without spaces apart: '"全 文"'
    u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    p.status, -- HTTP status
    p.title, -- The title
    p.description, -- The meta description
    -- FTS5 takes time that grows with the square of the hits in a page.
    replace(iif(length(f.text) > 10000, substr(f.text, 1, 200),
        snippet(page_index, -1, '[', ']', '…', 24)), char(31), '') as snippet, -- Where the words stand, each between [ and ]; the beginning of a long page
    f.rank -- BM25, where a title weighs ten times as much as the text: the least is the best
from page_index f
cross join url u on u.id = f.rowid
cross join page p on p.url_id = f.rowid
cross join host h on h.id = u.host_id
-- Whatever is outdated is in `unindexed` too.
where f.rowid not in (select url_id from unindexed);
