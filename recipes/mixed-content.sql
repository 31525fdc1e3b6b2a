-- Links from https to plain http: where the reader leaves the encrypted web.
select from_url, to_url, element, text from links
where from_url like 'https://%' and to_url like 'http://%' order by from_url, to_url
