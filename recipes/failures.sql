-- What could not be fetched: failures by kind, with an example.
select kind, count(*) as urls, min(url) as example from failures group by kind order by urls desc, kind
