-- Which host links to which, and how often.
select from_host, to_host, links from host_links order by links desc, from_host, to_host
