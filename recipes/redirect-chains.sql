-- Redirects that lead to another redirect, longest first.
select from_url, to_url, hops, status from redirect_chains where hops > 1 order by hops desc, from_url
