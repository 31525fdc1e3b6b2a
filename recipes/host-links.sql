-- Which host links to which: links from host to host.
select f.host as from_host, t.host as to_host, count(*) as links
from links l join urls f on f.url = l.from_url join urls t on t.url = l.to_url
where f.host <> t.host group by f.host, t.host order by links desc, from_host, to_host
