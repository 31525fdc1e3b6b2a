-- The hosts out of scope that pages link to.
select u.host, count(distinct u.url) as urls, count(*) as links, min(l.from_url) as found_on
from urls u join links l on l.to_url = u.url
where u.reason = 'scope' group by u.host order by links desc, u.host
