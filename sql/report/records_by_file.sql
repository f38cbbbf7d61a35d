-- query: what became of the records of each file of events?
-- parameters: limit (50)
-- columns:
--   object_key: of the file; files that one COPY read are counted together, at the first of them
--   records: records read
--   plays: song plays, each counted once
--   duplicates: further copies of plays that are in this or an earlier file
--   not_plays: staged records with another page
--   not_staged: rejected records, and those that the log format leaves out
--   erased: records of erased persons
with copies as (
    select
        object_id,
        page,
        row_number() over (
            partition by page, session_id, item_in_session, ts, user_id order by object_id, byte_offset
        ) as copy
    from staging_events
),

staged as (
    select
        object_id,
        sum(case when page = 'NextSong' and copy = 1 then 1 else 0 end) as plays,
        sum(case when page = 'NextSong' and copy > 1 then 1 else 0 end) as duplicates,
        sum(case when page = 'NextSong' then 0 else 1 end) as not_plays
    from copies
    group by object_id
),

files as (
    select
        coalesce(group_id, object_id) as object_id,
        min(case when object_id = coalesce(group_id, object_id) then object_key end) as object_key,
        sum(rows_rejected) as not_staged,
        sum(coalesce(rows_erased, 0)) as erased
    from etl_objects
    where source = 'events'
    group by coalesce(group_id, object_id)
)

select
    files.object_key,
    cast(coalesce(plays + duplicates + not_plays, 0) + not_staged + erased as bigint) as records,
    cast(coalesce(plays, 0) as bigint) as plays,
    cast(coalesce(duplicates, 0) as bigint) as duplicates,
    cast(coalesce(not_plays, 0) as bigint) as not_plays,
    cast(not_staged as bigint) as not_staged,
    cast(erased as bigint) as erased
from files
left join staged on staged.object_id = files.object_id
order by records desc, f_bytes(files.object_key)
limit $1;
