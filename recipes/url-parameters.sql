-- Addresses that exist with several query strings: facets, sessions and calendars show here first.
select substr(url, 1, instr(url, '?') - 1) as address, count(*) as variants, min(url) as example
from urls where instr(url, '?') > 0 group by address order by variants desc, address
