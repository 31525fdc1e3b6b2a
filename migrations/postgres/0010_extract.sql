-- What is derived from stored bodies: metadata, articles and items.

-- What each page was derived from: the hash of its body, and the version of what derived it. No row: nothing was yet.
create table derived (
    url_id bigint not null,
    kind text collate "C" not null,
    content_hash text collate "C" not null,
    version text collate "C" not null,
    primary key (url_id, kind)
);

create table meta_value (
    url_id bigint not null,
    number int not null,
    source text collate "C" not null,
    name text collate "C" not null,
    value text,
    position int not null,
    primary key (url_id, number)
);

create table page_fact (
    url_id bigint primary key,
    type text,
    title text,
    description text,
    image text,
    site_name text collate "C",
    author text,
    published_at text,
    modified_at text,
    price double precision,
    currency text,
    availability text,
    language text,
    words bigint not null
);

create table article (
    url_id bigint primary key,
    title text,
    author text,
    published_at text,
    language text,
    words bigint not null,
    -- A simhash of 64 bits; null for a short text.
    simhash bigint,
    text text not null,
    markdown text not null
);

-- Pairs of articles whose simhashes differ in few bits.
create table near (url_id bigint not null, other_id bigint not null, distance int not null, primary key (url_id, other_id));

create table item (
    url_id bigint not null,
    number int not null,
    item text collate "C" not null,
    position int not null,
    data json not null,
    primary key (url_id, number)
);

create view metadata as
select u.url,
    m.source,
    m.name,
    m.value,
    m.position
from meta_value m join url u on u.id = m.url_id;

create view page_data as
select u.url,
    p.type,
    p.title,
    p.description,
    p.image,
    p.site_name,
    p.author,
    p.published_at,
    p.modified_at,
    p.price,
    p.currency,
    p.availability,
    p.language,
    p.words
from page_fact p join url u on u.id = p.url_id;

create view articles as
select u.url,
    a.title,
    a.author,
    a.published_at,
    a.language,
    a.words,
    a.text,
    a.markdown
from article a join url u on u.id = a.url_id;

create view near_duplicates as
select u.url,
    o.url as other_url,
    n.distance
from near n join url u on u.id = n.url_id join url o on o.id = n.other_id;

create view items as
select i.item,
    u.url,
    i.position,
    i.data
from item i join url u on u.id = i.url_id;
