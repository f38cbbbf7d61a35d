-- Memory of one sort or join before it spills to disk, and hash joins only. For a merge join
-- with a few keys the planner would sort all plays with their texts. Days that are newer than the
-- statistics look empty to it, so that it would choose nested loops, of thousands of rows each.
select
    set_config('work_mem', cast($1 as varchar), false) as work_mem,
    set_config('enable_mergejoin', 'off', false) as enable_mergejoin,
    set_config('enable_nestloop', 'off', false) as enable_nestloop;
