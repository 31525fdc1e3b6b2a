-- Orphans as audits and reports have them: pages that no visitor comes to by a link, neither at once nor through redirects.
create or replace view orphans as
with recursive led (id) as (
    (select l.to_id from link l join page s on s.url_id = l.from_id and s.status = 200
    where l.from_id <> l.to_id and l.element in ('a', 'area', 'iframe', 'frame')
    union select url_id from seed
    union select url_id from heir)
    union select p.redirect_to from led join page p on p.url_id = led.id where p.redirect_to is not null)
select u.url, h.host, p.status, u.depth, r.url as referrer
from page p
join url u on u.id = p.url_id and u.state < 2
join host h on h.id = u.host_id
left join url r on r.id = u.referrer_id
where p.status = 200
    and (lower(p.content_type) like 'text/html%' or lower(p.content_type) like 'application/xhtml+xml%')
    and not exists (select 1 from led where led.id = p.url_id);
