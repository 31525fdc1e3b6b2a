-- The slowest hosts: the :limit (10) that take longest for a response, on average.
select host, fetched, mean_elapsed_ms from hosts
where fetched > 0 order by mean_elapsed_ms desc, host limit coalesce(:limit, 10)
