-- What is derived from stored bodies: metadata, articles and items.

-- What each page was derived from: the hash of its body, and the version of what derived it. No row: nothing was yet.
create table derived (
    url_id integer not null,
    kind text not null,
    content_hash text not null,
    version text not null,
    primary key (url_id, kind)
) without rowid;

create table meta_value (
    url_id integer not null,
    number integer not null,
    source text not null,
    name text not null,
    value text,
    position integer not null,
    primary key (url_id, number)
) without rowid;

create table page_fact (
    url_id integer primary key,
    type text,
    title text,
    description text,
    image text,
    site_name text,
    author text,
    published_at text,
    modified_at text,
    price real,
    currency text,
    availability text,
    language text,
    words integer not null
);

create table article (
    url_id integer primary key,
    title text,
    author text,
    published_at text,
    language text,
    words integer not null,
    -- A simhash of 64 bits; null for a short text.
    simhash integer,
    text text not null,
    markdown text not null
);

-- Pairs of articles whose simhashes differ in few bits.
create table near (url_id integer not null, other_id integer not null, distance integer not null, primary key (url_id, other_id)) without rowid;

create table item (
    url_id integer not null,
    number integer not null,
    item text not null,
    position integer not null,
    data text not null,
    primary key (url_id, number)
) without rowid;

create view metadata as -- One row for each thing that a page says of itself in its mark-up, as `extract` found it.
select u.url, -- The canonical URL
    m.source, -- jsonld, opengraph, twitter, microdata, rdfa, meta, hreflang, heading or image
    m.name, -- A path such as offers.price, a property such as og:title, a language, h1 to h6, or the URL of an image
    m.value, -- Its value; the alternative text of an image, null if it has none
    m.position -- Which of its source it is on the page, from 1 on; what belongs to one JSON-LD node or item has the same
from meta_value m join url u on u.id = m.url_id;

create view page_data as -- One row for each page that `extract` read: the usual questions, answered in the order docs/metadata.md tells.
select u.url, -- The canonical URL
    p.type, -- What it is about, such as Product, NewsArticle or website
    p.title, -- Its title
    p.description, -- Its description
    p.image, -- The URL of its image
    p.site_name, -- What the site is called
    p.author, -- Who wrote it
    p.published_at, -- When it was published, ISO 8601
    p.modified_at, -- When it was last changed, ISO 8601
    p.price, -- A price
    p.currency, -- Of the price, ISO 4217
    p.availability, -- Such as InStock
    p.language, -- As declared, or else as detected
    p.words -- Words of its readable text
from page_fact p join url u on u.id = p.url_id;

create view articles as -- One row for each page with a main content, as `extract` found it.
select u.url, -- The canonical URL
    a.title, -- Its title
    a.author, -- Who wrote it
    a.published_at, -- When it was published, ISO 8601
    a.language, -- As declared, or else as detected
    a.words, -- Words of the text
    a.text, -- The main content without navigation
    a.markdown -- The same as Markdown, links absolute
from article a join url u on u.id = a.url_id;

create view near_duplicates as -- One row for each pair of articles of 50 words or more that are almost the same.
select u.url, -- The canonical URL of the one
    o.url as other_url, -- The canonical URL of the other
    n.distance -- Bits of 64 in which their simhashes differ, 3 at most
from near n join url u on u.id = n.url_id join url o on o.id = n.other_id;

create view items as -- One row for each item that the rules of `extract items` found.
select i.item, -- What the rules call it
    u.url, -- The canonical URL of its page
    i.position, -- Which of the page it is, from 1 on
    i.data -- Its fields as a JSON object
from item i join url u on u.id = i.url_id;
