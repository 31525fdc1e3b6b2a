-- What was deliberately not requested: skipped URLs by reason, with an example.
select reason, count(*) as urls, min(url) as example from skipped group by reason order by urls desc, reason
