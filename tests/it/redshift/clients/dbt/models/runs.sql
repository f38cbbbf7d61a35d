{{ config(materialized='incremental', unique_key='song_id', incremental_strategy='delete+insert', dist='even') }}
select
    song_id,
    title,
    {% if is_incremental() %} 2 {% else %} 1 {% endif %} as run
from {{ ref('stg_songs') }}
{% if is_incremental() %}
where duration > (select min(duration) from {{ ref('stg_songs') }})
{% endif %}
