-- What audits read of derived data: with the ids by which rows are found fast, and with what each page was derived from.
create view _derived as select url_id, kind, content_hash, version from derived;
create view _meta_value as select url_id, number, source, name, value, position from meta_value;
create view _near as select url_id, other_id, distance from near;
-- And what was read of each page.
create or replace view _page as
select url_id, status, content_type, title, description, size, content_hash, redirect_to, fetched_at, elapsed_ms, headers,
    interval_ms, fresh_until, canonical_url, language, charset, kept
from page;
