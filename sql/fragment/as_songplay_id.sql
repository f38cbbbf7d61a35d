-- The text $1 as a songplay_id.
cast(cast($1 as varchar) as uuid /*redshift= char(36) */)
