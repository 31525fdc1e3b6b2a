-- Pages whose body is not kept, and so is missing in an archive: --body-types and --no-bodies decide.
select p.url, p.status, p.content_type from pages p left join bodies b on b.url = p.url
where p.status = 200 and b.url is null order by p.url
