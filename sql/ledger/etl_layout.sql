-- One layout of the warehouse: a version of its tables.
-- grain: one layout; source: sparkify, when it creates or upgrades the tables
-- rule: the highest layout is the current one; a warehouse of sparkify 0.1 has layout 1 and no such table
-- key: layout
create table if not exists etl_layout (
    layout bigint not null, -- number of the layout, from 2
    version label not null, -- first version of sparkify that reads and writes this layout
    applied_at timestamp not null -- UTC, when the tables were created or upgraded
    -- redshift: a few rows
) /*redshift diststyle all */;
