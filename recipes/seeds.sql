-- What became of each seed.
select url, state, reason, status from seeds order by url
