-- Pages behind a login, as far as it shows: they ask for one, or redirect to what looks like one.
select url, status, redirect_to from pages
where status in (401, 403, 407) or redirect_to like '%login%' or redirect_to like '%signin%' or redirect_to like '%sign-in%'
order by url
