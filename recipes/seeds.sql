-- What became of each seed.
select url, state, reason, status, final_url, line, given from seeds order by url
