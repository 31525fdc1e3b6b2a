-- The hosts out of scope that pages link to.
select u.host, count(*) as urls, sum(n.links) as links, min(u.url) as example
from urls u join inbound_links n on n.url = u.url
where u.reason = 'scope' group by u.host order by links desc, u.host
