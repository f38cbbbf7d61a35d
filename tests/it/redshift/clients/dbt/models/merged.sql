{{ config(materialized='incremental', unique_key='song_id', incremental_strategy='merge') }}
select
    song_id,
    {% if is_incremental() %} duration * 2 {% else %} duration {% endif %} as duration
from {{ ref('stg_songs') }}
