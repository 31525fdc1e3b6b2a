-- Orphans as audits and reports have them: pages that no other page links to. Seeds are none, nor what seeds redirect to.
drop view orphans;
create view orphans as -- One row for each HTML page of status 200, no seed, that no a, area or frame of another page links to. A redirect is no link.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    p.status, -- HTTP status: 200
    u.depth, -- Links away from a seed
    r.url as referrer -- The URL it was found on: a sitemap, a redirect, a page whose link is gone or is for no visitor
from page p
join url u on u.id = p.url_id and u.state < 2
join host h on h.id = u.host_id
left join url r on r.id = u.referrer_id
where p.status = 200
    and (lower(p.content_type) like 'text/html%' or lower(p.content_type) like 'application/xhtml+xml%')
    and p.url_id not in (
        select l.to_id from link l join page s on s.url_id = l.from_id and s.status = 200
        where l.from_id <> l.to_id and l.element in ('a', 'area', 'iframe', 'frame')
        union select url_id from seed
        union select url_id from heir);
