{{ config(materialized='view') }}
select
    song_id,
    title,
    duration,
    -- A lateral alias, which Redshift allows.
    duration / 60 as minutes,
    floor(minutes) as full_minutes
from {{ ref('songs') }}
