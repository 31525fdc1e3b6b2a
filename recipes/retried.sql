-- URLs that took more than one request in the last run.
select url, count(*) as requests, count(*) filter (where failure is not null or status >= 500) as troubles from fetches
where run = (select max(id) from runs) group by url having count(*) > 1 order by requests desc, url
