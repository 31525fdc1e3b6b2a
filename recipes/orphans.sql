-- Pages of status 200, no seeds, to which no link of another page leads, at once or through redirects.
select url, status, referrer from orphans order by url
