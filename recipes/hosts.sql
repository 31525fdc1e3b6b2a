-- How each host fared: its URLs by state, and its robots.txt.
select host, fetched, failed, skipped, pending, robots_status from hosts order by discovered desc, host
