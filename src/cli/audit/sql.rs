//! Parts of questions that several findings ask. They are macros so that a question is one literal.

/// Pages that are HTML and answered with 200: `p` is a row of `_page`, `u` that of its URL.
macro_rules! pages {
    () => {
        "_page p join _url u on u.id = p.url_id and u.state < 2 and p.status = 200
             and (lower(p.content_type) like 'text/html%' or lower(p.content_type) like 'application/xhtml+xml%')"
    };
}

/// Where the redirects of a page end: a row for each page that redirects, of which `nth` is 20 if they do not end.
macro_rules! ends {
    () => {
        "with recursive hop (start, id, nth) as (
             select p.url_id, p.redirect_to, 1 from _page p join _url u on u.id = p.url_id and u.state < 2
             where p.redirect_to is not null
             union all
             select h.start, p.redirect_to, h.nth + 1
             from hop h join _page p on p.url_id = h.id join _url u on u.id = p.url_id and u.state < 2
             where p.redirect_to is not null and h.nth < 20),
         ends (start, id, nth) as (
             select h.start, h.id, h.nth from hop h
             join (select start, max(nth) as nth from hop group by start) m on m.start = h.start and m.nth = h.nth) "
    };
}

/// Links of pages that answered with 200: `l` is the link, `f` the URL of the page, `t` the target.
macro_rules! links {
    () => {
        "_link l
         join _page s on s.url_id = l.from_id and s.status = 200
         join _url f on f.id = l.from_id and f.state < 2
         join _url t on t.id = l.to_id"
    };
}

/// That a page names no other URL as the canonical one. The URL that it names may have a fragment, which makes no other page.
macro_rules! canonical {
    () => {
        "(p.canonical_url is null or p.canonical_url = u.url or instr(p.canonical_url, u.url || '#') = 1)"
    };
}

/// A URL without its fragment.
macro_rules! bare {
    ($url:literal) => {
        concat!(
            "case when instr(",
            $url,
            ", '#') > 0 then substr(",
            $url,
            ", 1, instr(",
            $url,
            ", '#') - 1) else ",
            $url,
            " end"
        )
    };
}

/// Pages from which `extract` derived this kind of data as they are now.
macro_rules! extracted {
    ($kind:literal) => {
        concat!(
            $crate::cli::audit::sql::pages!(),
            " join _derived d on d.url_id = p.url_id and d.content_hash = p.content_hash and d.kind = '",
            $kind,
            "'"
        )
    };
}

/// Pages `c` with the canonical URL that they name, without its fragment.
macro_rules! canonicals {
    () => {
        concat!(
            "(select u.id, u.url, ",
            $crate::cli::audit::sql::bare!("p.canonical_url"),
            " as named from ",
            $crate::cli::audit::sql::pages!(),
            " where p.canonical_url is not null) c "
        )
    };
}

/// What pages that answered with 200, and style sheets of such, are put together from: `n` has where it is named, what, and the
/// element that names it.
macro_rules! resources {
    () => {
        "(select u.url, p.url as resource, r.element from _resource r join _probe p on p.id = r.probe_id
              join _url u on u.id = r.from_id and u.state < 2
              join _page s on s.url_id = u.id and s.status = 200
              where r.by_sheet = 0
              union all
              select s.url, p.url, r.element from _resource r join _probe p on p.id = r.probe_id
              join _probe s on s.id = r.from_id
              where r.by_sheet = 1) n"
    };
}

pub(crate) use pages;
pub(super) use {bare, canonical, canonicals, ends, extracted, links, resources};
