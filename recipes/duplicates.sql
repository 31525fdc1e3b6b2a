-- Pages that are the same to the byte: the first and the last address of each.
select copies, min(url) as first, max(url) as last from duplicates group by content_hash, copies order by copies desc, first
