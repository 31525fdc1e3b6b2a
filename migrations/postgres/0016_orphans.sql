-- Orphans as audits and reports have them: pages that no other page links to. Seeds are none, nor what seeds redirect to.
create or replace view orphans as
select u.url, h.host, p.status, u.depth, r.url as referrer
from page p
join url u on u.id = p.url_id and u.state < 2
join host h on h.id = u.host_id
left join url r on r.id = u.referrer_id
where p.status = 200
    and (lower(p.content_type) like 'text/html%' or lower(p.content_type) like 'application/xhtml+xml%')
    and not exists (
        select 1 from link l join page s on s.url_id = l.from_id and s.status = 200
        where l.to_id = p.url_id and l.from_id <> l.to_id and l.element in ('a', 'area', 'iframe', 'frame'))
    and not exists (select 1 from seed where seed.url_id = p.url_id)
    and not exists (select 1 from heir where heir.url_id = p.url_id);
