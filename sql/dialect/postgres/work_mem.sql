-- Memory of one sort or join before it spills to disk, and hash joins only: the planner would
-- sort all plays with their texts for a merge join with a few keys.
select
    set_config('work_mem', cast($1 as varchar), false) as work_mem,
    set_config('enable_mergejoin', 'off', false) as enable_mergejoin;
