{{ config(materialized='table', dist='song_id', sort=['duration', 'song_id']) }}
select
    song_id,
    title,
    duration
from {{ ref('stg_songs') }}
where full_minutes >= 1
