-- Links that lead nowhere: their target, why, how many there are, and a page that has one.
select to_url, status, failure, count(*) as links, min(from_url) as found_on
from broken_links group by to_url, status, failure order by links desc, to_url
