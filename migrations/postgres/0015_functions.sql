-- Functions for questions about URLs, as they are on SQLite, where src/read/sqlite/functions.rs has them. They take URLs as
-- the views have them: in their canonical form.

-- Scheme, host and port: what the columns `host` hold.
create function url_host(text) returns text language sql immutable strict parallel safe
    return substring($1 from '^https?://[^/?#]+');

create function url_path(text) returns text language sql immutable strict parallel safe
    return substring($1 from '^https?://[^/?#]+([^?#]*)');

-- As forms write it. What is no UTF-8, or holds U+0000, stays as it is written.
create function url_decoded(text) returns text language plpgsql immutable strict as $$
begin
    if $1 !~ '[%+]' then
        return $1;
    end if;
    -- The longest of the alternatives matches.
    return (select convert_from(coalesce(string_agg(
            case when part[1] is not null then decode(part[1], 'hex') else convert_to(part[2], 'UTF8') end, '' order by nth), ''), 'UTF8')
        from regexp_matches(replace($1, '+', ' '), '%([0-9a-fA-F]{2})|([^%]+|%)', 'g') with ordinality found (part, nth));
exception when character_not_in_repertoire or untranslatable_character then
    return $1;
end $$;

-- The value of the first parameter of that name; null without one.
create function url_param(text, text) returns text language sql immutable strict
    return (select url_decoded(substring(pair from '^[^=]*=?(.*)$'))
        from regexp_split_to_table(substring($1 from '^https?://[^/?#]+[^?#]*\?([^#]*)'), '&') with ordinality pairs (pair, nth)
        where pair <> '' and url_decoded(substring(pair from '^[^=]*')) = $2
        order by nth limit 1);

-- By the public suffix list, which the crawler has and the database does not: null is not looked up yet.
alter table host add column domain text collate "C";
create index host_without_domain on host (id) where domain is null;

-- Of a host of this crawl, or of a URL on it.
create function registrable_domain(text) returns text language sql stable strict as $$
    select domain from host where host = url_host($1)
$$;
