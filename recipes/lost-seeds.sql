-- Seeds that brought no page, and why, in the order in which they were given.
select line, given, final_url, state, reason, status from seeds
where state <> 'fetched' or status >= 400 order by line, given
