-- What kinds of content there are: responses and bytes by media type.
select case instr(content_type, ';') when 0 then content_type
    else substr(content_type, 1, instr(content_type, ';') - 1) end as media_type, count(*) as pages, sum(size) as bytes
from pages where content_type is not null group by media_type order by pages desc, media_type
