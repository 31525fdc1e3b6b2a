-- What came back: pages by HTTP status.
select status, count(*) as pages from pages group by status order by pages desc, status
