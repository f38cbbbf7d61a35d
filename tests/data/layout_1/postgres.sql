-- Warehouse of sparkify 0.1.0 (layout 1) on PostgreSQL: see README.md. Descriptions in comments are left out.

create or replace function f_epoch_ms(ms bigint) returns timestamp language sql immutable parallel safe as $$
    select timestamp '1970-01-01' + make_interval(days => (ms / 86400000)::integer, secs => (ms % 86400000)::double precision / 1000)
$$;
create or replace function f_ms(moment timestamp) returns bigint language sql immutable parallel safe as $$
    select floor(extract(epoch from moment) * 1000)::bigint
$$;
create or replace function f_bytes(value text) returns text language sql immutable parallel safe as $$
    select value
$$;
create or replace function f_same(one anyelement, other anyelement) returns boolean language sql immutable parallel safe as $$
    select one is not distinct from other
$$;
create or replace function f_songplay_id(session_id bigint, item_in_session bigint, ts bigint, user_id bigint)
returns uuid language sql immutable parallel safe as $$
    select md5(session_id::text || '|' || item_in_session::text || '|' || ts::text || '|' || coalesce(user_id::text, ''))::uuid
$$;
create or replace function f_week(moment timestamp) returns integer language sql immutable parallel safe as $$
    select extract(week from moment)::integer
$$;
create or replace function f_weekday(moment timestamp) returns integer language sql immutable parallel safe as $$
    select extract(dow from moment)::integer
$$;
create or replace function f_round(value double precision) returns double precision language sql immutable parallel safe as $$
    select floor(value * 100 + 0.5) / 100
$$;
create or replace function f_percent(part double precision, whole double precision)
returns double precision language sql immutable parallel safe as $$
    select floor(part / nullif(whole, 0) * 10000 + 0.5) / 100
$$;

create table if not exists etl_loads (
    load_id bigint not null,
    started_at timestamp not null,
    finished_at timestamp not null,
    version varchar collate "C" not null,
    kind varchar collate "C" not null,
    objects bigint not null,
    replaced bigint not null,
    size_bytes bigint not null,
    events bigint not null,
    songs bigint not null,
    rejects bigint not null,
    repairs bigint not null,
    outcome varchar collate "C" not null,
    message varchar collate "C"
);
create table if not exists etl_objects (
    object_id bigint not null,
    object_key varchar collate "C" not null,
    source varchar collate "C" not null,
    size_bytes bigint not null,
    modified_ns bigint,
    etag varchar collate "C",
    fingerprint varchar collate "C" not null,
    load_id bigint not null,
    rows_staged bigint not null,
    rows_rejected bigint not null,
    group_id bigint
);
create table if not exists etl_rejects (
    load_id bigint not null,
    object_id bigint not null,
    byte_offset bigint not null,
    byte_length bigint not null,
    reason varchar collate "C" not null,
    "raw" bytea not null
);
create table if not exists staging_events (
    artist varchar collate "C",
    auth varchar collate "C",
    first_name varchar collate "C",
    gender varchar collate "C",
    item_in_session integer,
    last_name varchar collate "C",
    length double precision,
    level varchar collate "C",
    location varchar collate "C",
    method varchar collate "C",
    page varchar collate "C",
    registration double precision,
    session_id bigint,
    song varchar collate "C",
    status integer,
    ts bigint,
    user_agent varchar collate "C",
    user_id bigint,
    load_id bigint not null,
    object_id bigint not null,
    byte_offset bigint not null
);
create table if not exists staging_songs (
    num_songs integer,
    artist_id varchar collate "C",
    artist_latitude double precision,
    artist_longitude double precision,
    artist_location varchar collate "C",
    artist_name varchar collate "C",
    song_id varchar collate "C",
    title varchar collate "C",
    duration double precision,
    year integer,
    load_id bigint not null,
    object_id bigint not null,
    byte_offset bigint not null
);
create table if not exists songs (
    song_id varchar collate "C" not null,
    title varchar collate "C" not null,
    artist_id varchar collate "C" not null,
    year integer,
    duration double precision not null
);
create table if not exists artists (
    artist_id varchar collate "C" not null,
    name varchar collate "C" not null,
    location varchar collate "C",
    latitude double precision,
    longitude double precision
);
create table if not exists users (
    user_id bigint not null,
    first_name varchar collate "C",
    last_name varchar collate "C",
    gender varchar collate "C",
    level varchar collate "C"
);
create table if not exists user_levels (
    user_id bigint not null,
    level varchar collate "C" not null,
    valid_from timestamp not null,
    valid_to timestamp,
    is_current boolean not null
);
create table if not exists songplays (
    songplay_id uuid not null,
    start_time timestamp not null,
    user_id bigint,
    level varchar collate "C",
    song_id varchar collate "C",
    artist_id varchar collate "C",
    session_id bigint not null,
    location varchar collate "C",
    user_agent varchar collate "C",
    item_in_session integer not null,
    song_title varchar collate "C",
    artist_name varchar collate "C",
    length double precision,
    match_method varchar collate "C"
);
create table if not exists time (
    start_time timestamp not null,
    hour integer not null,
    day integer not null,
    week integer not null,
    month integer not null,
    year integer not null,
    weekday integer not null
);

insert into etl_loads values
(1, '2026-11-28 08:26:18.306063', '2026-11-28 08:26:18.362582', '0.1.0', 'full', 16, 0, 26319, 49, 14, 0, 14, 'published', null),
(2, '2026-11-28 08:26:18.673502', '2026-11-28 08:26:18.706158', '0.1.0', 'incremental', 1, 0, 755, 1, 0, 1, 2, 'failed', '1 records (50.00 %) cannot be used, and at most 1.00 % may be'),
(3, '2026-11-28 08:26:18.830235', '2026-11-28 08:26:18.939575', '0.1.0', 'incremental', 2, 0, 7935, 17, 0, 1, 6, 'published', null);

insert into etl_objects values
(1, '/data/song_data/A/A/A/TRAAAAA18F00000001.json', 'songs', 266, 1543622400000000000, null, '8f08eccb3a930d507f075937c6f3d73b', 1, 1, 0, null),
(2, '/data/song_data/A/A/A/TRAAAAB18F00000002.json', 'songs', 265, 1543622400000000000, null, '4fb4fa38834fe7e563051fba4f63e31a', 1, 1, 0, null),
(3, '/data/song_data/A/A/B/TRAABAA18F00000003.json', 'songs', 270, 1543622400000000000, null, 'bb435412725d2e9eff1178c8e9e40950', 1, 1, 0, null),
(4, '/data/song_data/A/A/B/TRAABAB18F00000004.json', 'songs', 242, 1543622400000000000, null, '4f2a383fef2a83c0c75061fa38e646f4', 1, 1, 0, null),
(5, '/data/song_data/A/A/C/TRAACAA18F00000005.json', 'songs', 257, 1543622400000000000, null, '8b1c8f0a960d601ea5b1b40afe229523', 1, 1, 0, null),
(6, '/data/song_data/A/A/C/TRAACAB18F00000006.json', 'songs', 254, 1543622400000000000, null, '3adecf78789fde0f34d7ccac54c2d476', 1, 1, 0, null),
(7, '/data/song_data/A/A/D/TRAADAA18F00000007.json', 'songs', 236, 1543622400000000000, null, '5bd42f764d39bd702c21bd21982d9ebe', 1, 1, 0, null),
(8, '/data/song_data/A/A/D/TRAADAB18F00000008.json', 'songs', 277, 1543622400000000000, null, '4bd1eff6d9b37ae752591948355d4f60', 1, 1, 0, null),
(9, '/data/song_data/A/B/A/TRABAAA18F00000009.json', 'songs', 245, 1543622400000000000, null, '539989ef57cc3bde49aec62ae4a30fff', 1, 1, 0, null),
(10, '/data/song_data/A/B/A/TRABAAB18F00000010.json', 'songs', 483, 1543622400000000000, null, '07b130cedac7aa989bb9ce833e47ebe5', 1, 2, 0, null),
(11, '/data/song_data/A/B/B/TRABBAA18F00000011.json', 'songs', 267, 1543622400000000000, null, '0a85ff5e0d780182675322d8e6290fb0', 1, 1, 0, null),
(12, '/data/song_data/A/B/B/TRABBAB18F00000012.json', 'songs', 245, 1543622400000000000, null, '7283cd17fa90f8a047f77657a307672e', 1, 1, 0, null),
(13, '/data/song_data/A/B/C/TRABCAA18F00000013.json', 'songs', 261, 1543622400000000000, null, '7fec9abb1073c8cd1d000f81fffc5b9b', 1, 1, 0, null),
(14, '/data/log_data/2018/11/2018-11-02-events.json', 'events', 7723, 1543622400000000000, null, '7adb206b87cd52e8d2744033c93c5095', 1, 17, 0, null),
(15, '/data/log_data/2018/11/2018-11-05-events.json', 'events', 8876, 1543622400000000000, null, 'a1cfdc0a49c7ef771a8ccb7a210c79f4', 1, 19, 0, null),
(16, '/data/log_data/2018/11/2018-11-06-events.json', 'events', 6152, 1543622400000000000, null, 'ca6d0b1c8c8aad90cd40c409470095d2', 1, 13, 0, null),
(17, '/data/log_data/2018/11/2018-11-07-events.json', 'events', 755, 1543622400000000000, null, '97f943de5835194f7f78d221f9087a62', 3, 1, 1, null),
(18, '/data/log_data/2018/11/2018-11-08-events.json', 'events', 7180, 1543622400000000000, null, '9f7a5febee8809265f30ffc686177325', 3, 16, 0, null);

insert into etl_rejects values
(3, 17, 388, 366, 'ts is missing', '\x7b22617274697374223a2022426a5c75303063335c7530306236726e73756e64222c202261757468223a20224c6f6767656420496e222c202266697273744e616d65223a20224b6f6669222c202267656e646572223a20224d222c20226974656d496e53657373696f6e223a20312c20226c6173744e616d65223a20224d6172636865747469222c20226c656e677468223a203230312e392c20226c6576656c223a202266726565222c20226c6f636174696f6e223a202244756c7574682c204d4e2d5749222c20226d6574686f64223a2022505554222c202270616765223a20224e657874536f6e67222c2022726567697374726174696f6e223a20313534303938373437313436372e302c202273657373696f6e4964223a203930312c2022736f6e67223a2022466a5c75303063335c75303061347272616e222c2022737461747573223a203230302c2022757365724167656e74223a202278222c2022757365724964223a20223132227d');

insert into staging_songs values
(1, 'ARVOLKO1FIXTURE001', 47.6, -122.33, 'Tacoma, WA', 'Mira Volkova', 'SOAVOLK18FIXTUR001', 'It''s Only Weather', 187.25, 2004, 1, 1, 0),
(1, 'ARVOLKO1FIXTURE001', 47.6, -122.33, 'Tacoma, WA', 'Mira Volkova', 'SOAVOLK18FIXTUR002', 'It''s Only Weather', 241, 2011, 1, 2, 0),
(1, 'ARBJORN1FIXTURE002', null, null, 'Umeå, Sweden', 'Björnsund', 'SOBJORN18FIXTUR003', 'Fjärran', 243.33098, 1998, 1, 3, 0),
(1, 'ARBJORN1FIXTURE002', null, null, '', 'Bjornsund', 'SOBJORN18FIXTUR004', 'Snölykta', 210, 0, 1, 4, 0),
(1, 'ARLANTE1FIXTURE003', null, null, '', 'Lantern Parade', 'SOLANTE18FIXTUR005', 'Glasshouse Hours', 214.54322, 1987, 1, 5, 0),
(1, 'ARLANTE1FIXTURE003', null, null, 'Leeds', 'The Lantern Parade', 'SOLANTE18FIXTUR006', 'Paraffin', 180.1, 1989, 1, 6, 0),
(1, 'AREIGHT1FIXTURE004', null, null, '27', '808', 'SOEIGHT18FIXTUR007', 'Seventeen Doors', 128.6, 0, 1, 7, 0),
(1, 'ARHOLLO1FIXTURE005', 35.1, -90, 'Memphis, TN', 'Hollow Fern', 'SOHOLLO18FIXTUR008', 'Marigold', 158.5, 1993, 1, 8, 0),
(1, 'ARCOPPE1FIXTURE006', null, null, '', 'Copper Weir', 'SOCOPPE18FIXTUR009', 'Ferry Steps', 201.3, 1976, 1, 9, 0),
(1, 'ARCOPPE1FIXTURE006', null, null, '', 'Copper Weir', 'SOCOPPE18FIXTUR010', 'Untitled', 95.5, 1976, 1, 10, 0),
(1, 'ARCOPPE1FIXTURE006', null, null, '', 'Copper Weir', 'SOCOPPE18FIXTUR009', 'Ferry Steps', 201.3, 0, 1, 10, 241),
(1, 'ARRAVNS1FIXTURE007', 55.67, 12.57, 'København', 'Sankt Ravn', 'SORAVNS18FIXTUR011', 'Ønsketræ', 330.5, 2008, 1, 11, 0),
(1, 'ARHARBO1FIXTURE008', null, null, '', 'Harbour Clerks', 'SOTIDES18FIXTUR012', 'Low Tide', 176, 2001, 1, 12, 0),
(2, 'ARMISCE1FIXTURE009', null, null, 'Cork, Ireland', 'Wren & Ledger', 'SOMISCE18FIXTUR013', 'Blue Ledger', 199.99, 1965, 1, 13, 0);

insert into staging_events values
(null, 'Logged Out', null, null, 0, null, null, 'free', null, 'GET', 'Home', null, 177, null, 200, 1541138122796, null, null, 1, 14, 0),
(null, 'Logged Out', null, null, 1, null, null, 'free', null, 'PUT', 'Login', null, 177, null, 307, 1541138161796, null, null, 1, 14, 284),
(null, 'Logged In', 'Tamsin', 'F', 0, 'Okafor', null, 'free', 'Boise City, ID', 'GET', 'Home', 1540558599796, 103, null, 200, 1541139004467, '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 3, 1, 14, 569),
('808', 'Logged In', 'Tamsin', 'F', 1, 'Okafor', 128.6, 'free', 'Boise City, ID', 'PUT', 'NextSong', 1540558599796, 103, 'Seventeen Doors', 200, 1541139030467, '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 3, 1, 14, 998),
('Mira Volkova', 'Logged In', 'Tamsin', 'F', 2, 'Okafor', 187.25, 'free', 'Boise City, ID', 'PUT', 'NextSong', 1540558599796, 103, 'It''s Only Weather', 200, 1541139158467, '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 3, 1, 14, 1446),
('The Paper Astronauts', 'Logged In', 'Tamsin', 'F', 3, 'Okafor', 201.9, 'free', 'Boise City, ID', 'PUT', 'NextSong', 1540558599796, 103, 'Kite Season', 200, 1541139345467, '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 3, 1, 14, 1906),
('Lucía y los Faros', 'Logged In', 'Nadja', 'F', 0, 'Corvin', 222.22, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 105, 'Ventilador', 200, 1541167526126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 14, 2367),
('The Paper Astronauts', 'Logged In', 'Nadja', 'F', 1, 'Corvin', 201.9, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 105, 'Kite Season', 200, 1541167748126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 14, 2869),
('Odd Corridor', 'Logged In', 'Nadja', 'F', 2, 'Corvin', 269.77, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 105, 'The "Other" Staircase', 200, 1541167949126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 14, 3363),
('Björnsund', 'Logged In', 'Nadja', 'F', 3, 'Corvin', 243.33098, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 105, 'Fjärran', 200, 1541168218126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 14, 3862),
(null, 'Logged In', 'Nadja', 'F', 4, 'Corvin', null, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'GET', 'Home', 1540166191467, 105, null, 200, 1541168461126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 14, 4355),
('Mira Volkova', 'Logged In', 'Nadja', 'F', 5, 'Corvin', 187.25, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 105, 'It''s Only Weather', 200, 1541168491126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 14, 4817),
('The Paper Astronauts', 'Logged In', 'Nadja', 'F', 6, 'Corvin', 201.9, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 105, 'Kite Season', 200, 1541168678126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 14, 5310),
('808', 'Logged In', 'Nadja', 'F', 7, 'Corvin', 128.6, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 105, 'Seventeen Doors', 200, 1541168879126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 14, 5804),
('Señor Niebla', 'Logged In', 'Nadja', 'F', 8, 'Corvin', 305.0117, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 105, 'Café de Noche', 200, 1541169007126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 14, 6285),
('Mira Volkova', 'Logged In', 'Nadja', 'F', 9, 'Corvin', 240.2, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 105, 'It''s Only Weather', 200, 1541169312126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 14, 6822),
('Mira Volkova', 'Logged In', 'Emre', 'M', 0, 'Haldane', 187.25, 'free', 'Santa Fe, NM', 'PUT', 'NextSong', 1540797485796, 106, 'It''s Only Weather', 200, 1541194220126, 'Mozilla/5.0 (Windows NT 6.1; rv:60.0) Gecko/20100101 Firefox/60.0', 17, 1, 14, 7314),
('Copper Weir', 'Logged In', 'Lumi', 'F', 0, 'Aaltonen', 95.5, 'free', 'Duluth, MN-WI', 'PUT', 'NextSong', 1540100465467, 110, 'Untitled (Live)', 200, 1541404827796, 'Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:63.0) Gecko/20100101 Firefox/63.0', 8, 1, 15, 0),
('Lucía y los Faros', 'Logged In', 'Lumi', 'F', 1, 'Aaltonen', 222.22, 'free', 'Duluth, MN-WI', 'PUT', 'NextSong', 1540100465467, 110, 'Ventilador', 200, 1541404922796, 'Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:63.0) Gecko/20100101 Firefox/63.0', 8, 1, 15, 416),
(null, 'Logged In', 'Lumi', 'F', 2, 'Aaltonen', null, 'free', 'Duluth, MN-WI', 'GET', 'Help', 1540100465467, 110, null, 200, 1541405144796, 'Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:63.0) Gecko/20100101 Firefox/63.0', 8, 1, 15, 846),
('Sankt Ravn', 'Logged In', 'Lumi', 'F', 3, 'Aaltonen', 330.5, 'free', 'Duluth, MN-WI', 'PUT', 'NextSong', 1540100465467, 110, 'Ønsketræ', 200, 1541405180796, 'Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:63.0) Gecko/20100101 Firefox/63.0', 8, 1, 15, 1236),
('Señor Niebla', 'Logged In', 'Lumi', 'F', 4, 'Aaltonen', 305.0117, 'free', 'Duluth, MN-WI', 'PUT', 'NextSong', 1540100465467, 110, 'Café de Noche', 200, 1541405510796, 'Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:63.0) Gecko/20100101 Firefox/63.0', 8, 1, 15, 1667),
('The Paper Astronauts', 'Logged In', 'Pru', 'F', 0, 'Lindqvist', 201.9, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 113, 'Kite Season', 200, 1541433601126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 1, 15, 2096),
('The Paper Astronauts', 'Logged In', 'Pru', 'F', 1, 'Lindqvist', 201.9, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 113, 'Kite Season', 200, 1541433802126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 1, 15, 2585),
('Harbour Clerks', 'Logged In', 'Pru', 'F', 2, 'Lindqvist', 176, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 113, 'Low Tide / High Tide', 200, 1541434003126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 1, 15, 3074),
('Mira Volkova', 'Logged In', 'Pru', 'F', 3, 'Lindqvist', 187.25, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 113, 'It''s Only Weather', 200, 1541434179126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 1, 15, 3567),
('Lucía y los Faros', 'Logged In', 'Pru', 'F', 4, 'Lindqvist', 222.22, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 113, 'Ventilador', 200, 1541434366126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 1, 15, 4055),
('Mira Volkova', 'Logged In', 'Pru', 'F', 5, 'Lindqvist', 240.2, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 113, 'It''s Only Weather', 200, 1541434588126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 1, 15, 4546),
('Björnsund', 'Logged In', 'Pru', 'F', 6, 'Lindqvist', 243.33098, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 113, 'Fjärran', 200, 1541434828126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 1, 15, 5033),
('Copper Weir', 'Logged In', 'Otis', 'M', 0, 'Bramley', 95.5, 'free', 'Spokane-Spokane Valley, WA', 'PUT', 'NextSong', 1539897589467, 111, 'Untitled (Live)', 200, 1541443549467, '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 30, 1, 15, 5557),
(null, 'Logged In', 'Otis', 'M', 1, 'Bramley', null, 'free', 'Spokane-Spokane Valley, WA', 'GET', 'Upgrade', 1539897589467, 111, null, 200, 1541443644467, '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 30, 1, 15, 6024),
('Björnsund', 'Logged In', 'Otis', 'M', 2, 'Bramley', 243.33098, 'free', 'Spokane-Spokane Valley, WA', 'PUT', 'NextSong', 1539897589467, 111, 'Fjärran', 200, 1541443693467, '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 30, 1, 15, 6468),
('Señor Niebla', 'Logged In', 'Otis', 'M', 3, 'Bramley', 305.0117, 'free', 'Spokane-Spokane Valley, WA', 'PUT', 'NextSong', 1539897589467, 111, 'Café de Noche', 200, 1541443936467, '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 30, 1, 15, 6976),
(null, 'Logged In', 'Otis', 'M', 4, 'Bramley', null, 'free', 'Spokane-Spokane Valley, WA', 'PUT', 'Submit Upgrade', 1539897589467, 111, null, 307, 1541444241467, '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 30, 1, 15, 7468),
('Björnsund', 'Logged In', 'Otis', 'M', 5, 'Bramley', 243.33098, 'paid', 'Spokane-Spokane Valley, WA', 'PUT', 'NextSong', 1539897589467, 111, 'Fjärran', 200, 1541444294467, '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 30, 1, 15, 7919),
('The Paper Astronauts', 'Logged In', 'Otis', 'M', 6, 'Bramley', 201.9, 'paid', 'Spokane-Spokane Valley, WA', 'PUT', 'NextSong', 1539897589467, 111, 'Kite Season', 200, 1541444537467, '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 30, 1, 15, 8403),
(null, 'Logged Out', null, null, 0, null, null, 'free', null, 'GET', 'About', null, 187, null, 200, 1541505617796, null, null, 1, 16, 0),
('The Paper Astronauts', 'Logged In', 'Kofi', 'M', 0, 'Marchetti', 201.9, 'free', 'Duluth, MN-WI', 'PUT', 'NextSong', 1540987471467, 115, 'Kite Season', 200, 1541506328467, '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 34, 1, 16, 285),
(null, 'Logged In', 'Kofi', 'M', 1, 'Marchetti', null, 'free', 'Duluth, MN-WI', 'GET', 'About', 1540987471467, 115, null, 200, 1541506529467, '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 34, 1, 16, 774),
('Lantern Parade', 'Logged In', 'Kofi', 'M', 2, 'Marchetti', 214.54322, 'free', 'Duluth, MN-WI', 'PUT', 'NextSong', 1540987471467, 115, 'Glasshouse Hours', 200, 1541506572467, '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 34, 1, 16, 1232),
(null, 'Logged In', 'Nadja', 'F', 0, 'Corvin', null, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'GET', 'Home', 1540166191467, 118, null, 200, 1541521239126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 16, 1724),
('Lantern Parade', 'Logged In', 'Nadja', 'F', 1, 'Corvin', 214.54322, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 118, 'Glasshouse Hours', 200, 1541521253126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 16, 2186),
('The Paper Astronauts', 'Logged In', 'Nadja', 'F', 2, 'Corvin', 201.9, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 118, 'Kite Season', 200, 1541521467126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 16, 2683),
('Mira Volkova', 'Logged In', 'Nadja', 'F', 3, 'Corvin', 187.25, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 118, 'It''s Only Weather', 200, 1541521668126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 16, 3177),
('The Paper Astronauts', 'Logged In', 'Nadja', 'F', 4, 'Corvin', 201.9, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 118, 'Kite Season', 200, 1541521855126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 16, 3670),
('Mira Volkova', 'Logged In', 'Nadja', 'F', 5, 'Corvin', 187.25, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 118, 'It''s Only Weather', 200, 1541522056126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 16, 4164),
('Lucía y los Faros', 'Logged In', 'Nadja', 'F', 6, 'Corvin', 222.22, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 118, 'Ventilador', 200, 1541522243126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 16, 4657),
('Odd Corridor', 'Logged In', 'Nadja', 'F', 7, 'Corvin', 269.77, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 118, 'The "Other" Staircase', 200, 1541522465126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 16, 5159),
('The Paper Astronauts', 'Logged In', 'Nadja', 'F', 8, 'Corvin', 201.9, 'paid', 'Portland-Vancouver-Hillsboro, OR-WA', 'PUT', 'NextSong', 1540166191467, 118, 'Kite Season', 200, 1541522734126, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 12, 1, 16, 5658),
('Björnsund', 'Logged In', 'Kofi', 'M', 0, 'Marchetti', 201.9, 'free', 'Duluth, MN-WI', 'PUT', 'NextSong', 1540987471467, 901, 'Fjärran', 200, 1541592728467, 'x', 12, 3, 17, 0),
(null, 'Logged In', 'Dario', 'M', 0, 'Vetter', null, 'free', 'Boise City, ID', 'GET', 'Home', 1539359708126, 125, null, 200, 1541671208126, 'Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko', 21, 3, 18, 0),
(null, 'Logged In', 'Dario', 'M', 1, 'Vetter', null, 'free', 'Boise City, ID', 'GET', 'Help', 1539359708126, 125, null, 200, 1541671259126, 'Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko', 21, 3, 18, 375),
('808', 'Logged In', 'Pru', 'F', 0, 'Lindqvist', 128.6, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 123, 'Seventeen Doors', 200, 1541674818796, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 3, 18, 750),
('Odd Corridor', 'Logged In', 'Pru', 'F', 1, 'Lindqvist', 269.77, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 123, 'The "Other" Staircase', 200, 1541674946796, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 3, 18, 1226),
('Señor Niebla', 'Logged In', 'Pru', 'F', 2, 'Lindqvist', 305.0117, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 123, 'Café de Noche', 200, 1541675215796, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 3, 18, 1720),
(null, 'Logged In', 'Pru', 'F', 3, 'Lindqvist', null, 'paid', 'Burlington-South Burlington, VT', 'GET', 'Error', 1540578914467, 123, null, 404, 1541675520796, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 3, 18, 2252),
('The Paper Astronauts', 'Logged In', 'Pru', 'F', 4, 'Lindqvist', 199, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 123, 'Slow Bicycle', 200, 1541675546796, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 3, 18, 2710),
('Lantern Parade', 'Logged In', 'Pru', 'F', 5, 'Lindqvist', 214.54322, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 123, 'Glasshouse Hours', 200, 1541675745796, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 3, 18, 3200),
('Lantern Parade', 'Logged In', 'Pru', 'F', 6, 'Lindqvist', 214.54322, 'paid', 'Burlington-South Burlington, VT', 'PUT', 'NextSong', 1540578914467, 123, 'Glasshouse Hours', 200, 1541675959796, '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 26, 3, 18, 3692),
(null, 'Logged Out', null, null, 0, null, null, 'free', null, 'GET', 'Home', null, 192, null, 200, 1541719227796, null, null, 3, 18, 4184),
(null, 'Logged Out', null, null, 1, null, null, 'free', null, 'PUT', 'Login', null, 192, null, 307, 1541719309796, null, null, 3, 18, 4468),
('Björnsund', 'Logged In', 'Zoë', 'F', 0, 'Ferreira', 243.33098, 'free', 'Santa Fe, NM', 'PUT', 'NextSong', 1540077876796, 121, 'Fjärran', 200, 1541720410126, '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 55, 3, 18, 4753),
('Mira Volkova', 'Logged In', 'Zoë', 'F', 1, 'Ferreira', 187.25, 'free', 'Santa Fe, NM', 'PUT', 'NextSong', 1540077876796, 121, 'It''s Only Weather', 200, 1541720653126, '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 55, 3, 18, 5255),
(null, 'Logged In', 'Zoë', 'F', 2, 'Ferreira', null, 'free', 'Santa Fe, NM', 'GET', 'Home', 1540077876796, 121, null, 200, 1541720840126, '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 55, 3, 18, 5745),
('Lucía y los Faros', 'Logged In', 'Zoë', 'F', 3, 'Ferreira', 222.22, 'free', 'Santa Fe, NM', 'PUT', 'NextSong', 1540077876796, 121, 'Ventilador', 200, 1541720847126, '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 55, 3, 18, 6204),
('Hollow Fern', 'Logged In', 'Zoë', 'F', 4, 'Ferreira', 158.04036, 'free', 'Santa Fe, NM', 'PUT', 'NextSong', 1540077876796, 121, 'Marigold', 200, 1541721069126, '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 55, 3, 18, 6697);

insert into songs values
('SOAVOLK18FIXTUR001', 'It''s Only Weather', 'ARVOLKO1FIXTURE001', 2004, 187.25),
('SOAVOLK18FIXTUR002', 'It''s Only Weather', 'ARVOLKO1FIXTURE001', 2011, 241),
('SOBJORN18FIXTUR003', 'Fjärran', 'ARBJORN1FIXTURE002', 1998, 243.33098),
('SOBJORN18FIXTUR004', 'Snölykta', 'ARBJORN1FIXTURE002', null, 210),
('SOCOPPE18FIXTUR009', 'Ferry Steps', 'ARCOPPE1FIXTURE006', 1976, 201.3),
('SOCOPPE18FIXTUR010', 'Untitled', 'ARCOPPE1FIXTURE006', 1976, 95.5),
('SOEIGHT18FIXTUR007', 'Seventeen Doors', 'AREIGHT1FIXTURE004', null, 128.6),
('SOHOLLO18FIXTUR008', 'Marigold', 'ARHOLLO1FIXTURE005', 1993, 158.5),
('SOLANTE18FIXTUR005', 'Glasshouse Hours', 'ARLANTE1FIXTURE003', 1987, 214.54322),
('SOLANTE18FIXTUR006', 'Paraffin', 'ARLANTE1FIXTURE003', 1989, 180.1),
('SOMISCE18FIXTUR013', 'Blue Ledger', 'ARMISCE1FIXTURE009', 1965, 199.99),
('SORAVNS18FIXTUR011', 'Ønsketræ', 'ARRAVNS1FIXTURE007', 2008, 330.5),
('SOTIDES18FIXTUR012', 'Low Tide', 'ARHARBO1FIXTURE008', 2001, 176);

insert into artists values
('ARBJORN1FIXTURE002', 'Björnsund', 'Umeå, Sweden', null, null),
('ARCOPPE1FIXTURE006', 'Copper Weir', null, null, null),
('AREIGHT1FIXTURE004', '808', '27', null, null),
('ARHARBO1FIXTURE008', 'Harbour Clerks', null, null, null),
('ARHOLLO1FIXTURE005', 'Hollow Fern', 'Memphis, TN', 35.1, -90),
('ARLANTE1FIXTURE003', 'The Lantern Parade', 'Leeds', null, null),
('ARMISCE1FIXTURE009', 'Wren & Ledger', 'Cork, Ireland', null, null),
('ARRAVNS1FIXTURE007', 'Sankt Ravn', 'København', 55.67, 12.57),
('ARVOLKO1FIXTURE001', 'Mira Volkova', 'Tacoma, WA', 47.6, -122.33);

insert into users values
(3, 'Tamsin', 'Okafor', 'F', 'free'),
(8, 'Lumi', 'Aaltonen', 'F', 'free'),
(12, 'Kofi', 'Marchetti', 'M', 'free'),
(17, 'Emre', 'Haldane', 'M', 'free'),
(21, 'Dario', 'Vetter', 'M', 'free'),
(26, 'Pru', 'Lindqvist', 'F', 'paid'),
(30, 'Otis', 'Bramley', 'M', 'paid'),
(34, 'Kofi', 'Marchetti', 'M', 'free'),
(55, 'Zoë', 'Ferreira', 'F', 'free');

insert into user_levels values
(3, 'free', '2018-11-02 06:10:04.467', null, true),
(8, 'free', '2018-11-05 08:00:27.796', null, true),
(12, 'paid', '2018-11-02 14:05:26.126', '2018-11-07 12:12:08.467', false),
(12, 'free', '2018-11-07 12:12:08.467', null, true),
(17, 'free', '2018-11-02 21:30:20.126', null, true),
(21, 'free', '2018-11-08 10:00:08.126', null, true),
(26, 'paid', '2018-11-05 16:00:01.126', null, true),
(30, 'free', '2018-11-05 18:45:49.467', '2018-11-05 18:58:14.467', false),
(30, 'paid', '2018-11-05 18:58:14.467', null, true),
(34, 'free', '2018-11-06 12:12:08.467', null, true),
(55, 'free', '2018-11-08 23:40:10.126', null, true);

insert into songplays values
('25e9cb63-4874-c785-76ab-2f61b144f4a7', '2018-11-02 06:10:30.467', 3, 'free', 'SOEIGHT18FIXTUR007', 'AREIGHT1FIXTURE004', 103, 'Boise City, ID', '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 1, 'Seventeen Doors', '808', 128.6, 'exact'),
('b6a23ebd-b594-c9a8-77fd-93e5447230b1', '2018-11-02 06:12:38.467', 3, 'free', 'SOAVOLK18FIXTUR001', 'ARVOLKO1FIXTURE001', 103, 'Boise City, ID', '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 2, 'It''s Only Weather', 'Mira Volkova', 187.25, 'exact'),
('59102c4f-54fd-cb8a-613a-094ac43096d0', '2018-11-02 06:15:45.467', 3, 'free', null, null, 103, 'Boise City, ID', '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 3, 'Kite Season', 'The Paper Astronauts', 201.9, null),
('b79f978a-7390-b465-cf77-1f35f6a725fa', '2018-11-02 14:05:26.126', 12, 'paid', null, null, 105, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 0, 'Ventilador', 'Lucía y los Faros', 222.22, null),
('044ac0be-4c21-bfc7-b1de-09538ebca9e7', '2018-11-02 14:09:08.126', 12, 'paid', null, null, 105, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 1, 'Kite Season', 'The Paper Astronauts', 201.9, null),
('5378d674-c20c-4903-ae85-2b47de7d1f85', '2018-11-02 14:12:29.126', 12, 'paid', null, null, 105, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 2, 'The "Other" Staircase', 'Odd Corridor', 269.77, null),
('7a8d8d1a-0684-5a8a-0ccb-fbf5a00785a6', '2018-11-02 14:16:58.126', 12, 'paid', 'SOBJORN18FIXTUR003', 'ARBJORN1FIXTURE002', 105, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 3, 'Fjärran', 'Björnsund', 243.33098, 'exact'),
('0ec8aed6-a103-ad79-9a36-2a6ae6d21f7c', '2018-11-02 14:21:31.126', 12, 'paid', 'SOAVOLK18FIXTUR001', 'ARVOLKO1FIXTURE001', 105, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 5, 'It''s Only Weather', 'Mira Volkova', 187.25, 'exact'),
('29d492bf-8457-a4d5-6d33-f4616dfc71e4', '2018-11-02 14:24:38.126', 12, 'paid', null, null, 105, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 6, 'Kite Season', 'The Paper Astronauts', 201.9, null),
('f06218c1-c3d6-86a6-09dd-3334fda235ff', '2018-11-02 14:27:59.126', 12, 'paid', 'SOEIGHT18FIXTUR007', 'AREIGHT1FIXTURE004', 105, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 7, 'Seventeen Doors', '808', 128.6, 'exact'),
('bd95bbf8-2f42-8792-6baa-0c4f0a6cd72a', '2018-11-02 14:30:07.126', 12, 'paid', null, null, 105, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 8, 'Café de Noche', 'Señor Niebla', 305.0117, null),
('d6d084bf-2de7-c0ed-7dbb-f07637c15d22', '2018-11-02 14:35:12.126', 12, 'paid', 'SOAVOLK18FIXTUR002', 'ARVOLKO1FIXTURE001', 105, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 9, 'It''s Only Weather', 'Mira Volkova', 240.2, 'title_artist'),
('b49dccf8-98fc-b7d0-61d1-4f4cafa828e9', '2018-11-02 21:30:20.126', 17, 'free', 'SOAVOLK18FIXTUR001', 'ARVOLKO1FIXTURE001', 106, 'Santa Fe, NM', 'Mozilla/5.0 (Windows NT 6.1; rv:60.0) Gecko/20100101 Firefox/60.0', 0, 'It''s Only Weather', 'Mira Volkova', 187.25, 'exact'),
('a79e4cc9-fee4-d920-079f-b1662f4ff58c', '2018-11-05 08:00:27.796', 8, 'free', null, null, 110, 'Duluth, MN-WI', 'Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:63.0) Gecko/20100101 Firefox/63.0', 0, 'Untitled (Live)', 'Copper Weir', 95.5, null),
('a1139647-1843-914f-1036-4738b9be81b5', '2018-11-05 08:02:02.796', 8, 'free', null, null, 110, 'Duluth, MN-WI', 'Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:63.0) Gecko/20100101 Firefox/63.0', 1, 'Ventilador', 'Lucía y los Faros', 222.22, null),
('1197b27c-53d1-1951-16ee-162f62f3dc5f', '2018-11-05 08:06:20.796', 8, 'free', 'SORAVNS18FIXTUR011', 'ARRAVNS1FIXTURE007', 110, 'Duluth, MN-WI', 'Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:63.0) Gecko/20100101 Firefox/63.0', 3, 'Ønsketræ', 'Sankt Ravn', 330.5, 'exact'),
('fd14fee6-ce82-18cf-3f55-131a3f9de24a', '2018-11-05 08:11:50.796', 8, 'free', null, null, 110, 'Duluth, MN-WI', 'Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:63.0) Gecko/20100101 Firefox/63.0', 4, 'Café de Noche', 'Señor Niebla', 305.0117, null),
('524cb25f-b922-8f76-b8c2-6a345c0cbcd7', '2018-11-05 16:00:01.126', 26, 'paid', null, null, 113, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 0, 'Kite Season', 'The Paper Astronauts', 201.9, null),
('0706dcab-93fe-e808-30dd-27153d327a84', '2018-11-05 16:03:22.126', 26, 'paid', null, null, 113, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 1, 'Kite Season', 'The Paper Astronauts', 201.9, null),
('bf31efc8-d9a0-669d-7c3f-10845e7dd73e', '2018-11-05 16:06:43.126', 26, 'paid', null, null, 113, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 2, 'Low Tide / High Tide', 'Harbour Clerks', 176, null),
('ac9f41bc-1851-484c-3de8-5a701e8d5d69', '2018-11-05 16:09:39.126', 26, 'paid', 'SOAVOLK18FIXTUR001', 'ARVOLKO1FIXTURE001', 113, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 3, 'It''s Only Weather', 'Mira Volkova', 187.25, 'exact'),
('aeb29e6a-a4f4-9caa-a5d8-263835d43107', '2018-11-05 16:12:46.126', 26, 'paid', null, null, 113, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 4, 'Ventilador', 'Lucía y los Faros', 222.22, null),
('f13dfd37-da08-1790-5d75-ce268f297c67', '2018-11-05 16:16:28.126', 26, 'paid', 'SOAVOLK18FIXTUR002', 'ARVOLKO1FIXTURE001', 113, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 5, 'It''s Only Weather', 'Mira Volkova', 240.2, 'title_artist'),
('ff1a047f-0413-1b87-c415-6bd04fca5772', '2018-11-05 16:20:28.126', 26, 'paid', 'SOBJORN18FIXTUR003', 'ARBJORN1FIXTURE002', 113, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 6, 'Fjärran', 'Björnsund', 243.33098, 'exact'),
('68116b50-d39f-dbec-76b7-34b32317541a', '2018-11-05 18:45:49.467', 30, 'free', null, null, 111, 'Spokane-Spokane Valley, WA', '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 0, 'Untitled (Live)', 'Copper Weir', 95.5, null),
('69b387db-351f-7264-e9d8-567140bb1d89', '2018-11-05 18:48:13.467', 30, 'free', 'SOBJORN18FIXTUR003', 'ARBJORN1FIXTURE002', 111, 'Spokane-Spokane Valley, WA', '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 2, 'Fjärran', 'Björnsund', 243.33098, 'exact'),
('4866cf53-3fb7-160a-2df3-80a638d1cfa3', '2018-11-05 18:52:16.467', 30, 'free', null, null, 111, 'Spokane-Spokane Valley, WA', '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 3, 'Café de Noche', 'Señor Niebla', 305.0117, null),
('10b10e69-ecb2-bc33-81dc-6207e0edf55e', '2018-11-05 18:58:14.467', 30, 'paid', 'SOBJORN18FIXTUR003', 'ARBJORN1FIXTURE002', 111, 'Spokane-Spokane Valley, WA', '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 5, 'Fjärran', 'Björnsund', 243.33098, 'exact'),
('6f1b7c64-9016-8b69-7aa5-ed5d8d126172', '2018-11-05 19:02:17.467', 30, 'paid', null, null, 111, 'Spokane-Spokane Valley, WA', '"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"', 6, 'Kite Season', 'The Paper Astronauts', 201.9, null),
('c35db3eb-b1a3-3962-e65f-fc87b32e2015', '2018-11-06 12:12:08.467', 34, 'free', null, null, 115, 'Duluth, MN-WI', '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 0, 'Kite Season', 'The Paper Astronauts', 201.9, null),
('bba2d9c3-8d09-b2c9-119b-8c77599d7876', '2018-11-06 12:16:12.467', 34, 'free', 'SOLANTE18FIXTUR005', 'ARLANTE1FIXTURE003', 115, 'Duluth, MN-WI', '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 2, 'Glasshouse Hours', 'Lantern Parade', 214.54322, 'exact'),
('7eddb6ce-ff12-5331-f01c-c57945390b22', '2018-11-06 16:20:53.126', 12, 'paid', 'SOLANTE18FIXTUR005', 'ARLANTE1FIXTURE003', 118, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 1, 'Glasshouse Hours', 'Lantern Parade', 214.54322, 'exact'),
('d94b6096-f2a0-a235-89b7-a858c510d967', '2018-11-06 16:24:27.126', 12, 'paid', null, null, 118, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 2, 'Kite Season', 'The Paper Astronauts', 201.9, null),
('d021db5e-d5b3-fda3-dec6-80b4859ed65a', '2018-11-06 16:27:48.126', 12, 'paid', 'SOAVOLK18FIXTUR001', 'ARVOLKO1FIXTURE001', 118, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 3, 'It''s Only Weather', 'Mira Volkova', 187.25, 'exact'),
('b0870d21-1fed-5f97-32a1-d8f53c0224d1', '2018-11-06 16:30:55.126', 12, 'paid', null, null, 118, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 4, 'Kite Season', 'The Paper Astronauts', 201.9, null),
('5b4802aa-2307-bbb7-14c8-522ad9121f3c', '2018-11-06 16:34:16.126', 12, 'paid', 'SOAVOLK18FIXTUR001', 'ARVOLKO1FIXTURE001', 118, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 5, 'It''s Only Weather', 'Mira Volkova', 187.25, 'exact'),
('a5e44bb9-bc4a-3539-308a-ddd99e61e4a3', '2018-11-06 16:37:23.126', 12, 'paid', null, null, 118, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 6, 'Ventilador', 'Lucía y los Faros', 222.22, null),
('4117caac-df1e-5ad3-5f7a-c95c07be85dd', '2018-11-06 16:41:05.126', 12, 'paid', null, null, 118, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 7, 'The "Other" Staircase', 'Odd Corridor', 269.77, null),
('e0746da1-0fa5-34d6-9d07-12c31e393f54', '2018-11-06 16:45:34.126', 12, 'paid', null, null, 118, 'Portland-Vancouver-Hillsboro, OR-WA', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36"', 8, 'Kite Season', 'The Paper Astronauts', 201.9, null),
('9b27a7e3-c2d3-8eba-f4d3-f315643c657e', '2018-11-07 12:12:08.467', 12, 'free', 'SOBJORN18FIXTUR003', 'ARBJORN1FIXTURE002', 901, 'Duluth, MN-WI', 'x', 0, 'Fjärran', 'Björnsund', 201.9, 'title_artist'),
('9d7510b5-297d-ab2e-89f2-f6de592b8d10', '2018-11-08 11:00:18.796', 26, 'paid', 'SOEIGHT18FIXTUR007', 'AREIGHT1FIXTURE004', 123, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 0, 'Seventeen Doors', '808', 128.6, 'exact'),
('7969ffe1-ea75-285b-a9f6-97cc3426c42d', '2018-11-08 11:02:26.796', 26, 'paid', null, null, 123, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 1, 'The "Other" Staircase', 'Odd Corridor', 269.77, null),
('74f206dc-9a36-05bf-7c21-1ceb8939f837', '2018-11-08 11:06:55.796', 26, 'paid', null, null, 123, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 2, 'Café de Noche', 'Señor Niebla', 305.0117, null),
('50e9a4e6-a6bf-ea34-9b10-3f18b031fea8', '2018-11-08 11:12:26.796', 26, 'paid', null, null, 123, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 4, 'Slow Bicycle', 'The Paper Astronauts', 199, null),
('7e71a6a6-baa1-7c09-0a20-9e28bbb4029e', '2018-11-08 11:15:45.796', 26, 'paid', 'SOLANTE18FIXTUR005', 'ARLANTE1FIXTURE003', 123, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 5, 'Glasshouse Hours', 'Lantern Parade', 214.54322, 'exact'),
('de032f1d-1544-8136-157d-ac8ad5aad962', '2018-11-08 11:19:19.796', 26, 'paid', 'SOLANTE18FIXTUR005', 'ARLANTE1FIXTURE003', 123, 'Burlington-South Burlington, VT', '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"', 6, 'Glasshouse Hours', 'Lantern Parade', 214.54322, 'exact'),
('9ba65e5c-d00c-75b7-1401-3e5629c656b5', '2018-11-08 23:40:10.126', 55, 'free', 'SOBJORN18FIXTUR003', 'ARBJORN1FIXTURE002', 121, 'Santa Fe, NM', '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 0, 'Fjärran', 'Björnsund', 243.33098, 'exact'),
('7cbc0732-b3bc-2d7b-9280-1b976dc087d1', '2018-11-08 23:44:13.126', 55, 'free', 'SOAVOLK18FIXTUR001', 'ARVOLKO1FIXTURE001', 121, 'Santa Fe, NM', '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 1, 'It''s Only Weather', 'Mira Volkova', 187.25, 'exact'),
('9224702d-e2e0-6182-e228-bbe3e8d7f82d', '2018-11-08 23:47:27.126', 55, 'free', null, null, 121, 'Santa Fe, NM', '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 3, 'Ventilador', 'Lucía y los Faros', 222.22, null),
('19b06bff-bc3f-e5c0-9d45-0d5dc957d705', '2018-11-08 23:51:09.126', 55, 'free', 'SOHOLLO18FIXTUR008', 'ARHOLLO1FIXTURE005', 121, 'Santa Fe, NM', '"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1"', 4, 'Marigold', 'Hollow Fern', 158.04036, 'title_artist');

insert into time values
('2018-11-02 06:10:30.467', 6, 2, 44, 11, 2018, 5),
('2018-11-02 06:12:38.467', 6, 2, 44, 11, 2018, 5),
('2018-11-02 06:15:45.467', 6, 2, 44, 11, 2018, 5),
('2018-11-02 14:05:26.126', 14, 2, 44, 11, 2018, 5),
('2018-11-02 14:09:08.126', 14, 2, 44, 11, 2018, 5),
('2018-11-02 14:12:29.126', 14, 2, 44, 11, 2018, 5),
('2018-11-02 14:16:58.126', 14, 2, 44, 11, 2018, 5),
('2018-11-02 14:21:31.126', 14, 2, 44, 11, 2018, 5),
('2018-11-02 14:24:38.126', 14, 2, 44, 11, 2018, 5),
('2018-11-02 14:27:59.126', 14, 2, 44, 11, 2018, 5),
('2018-11-02 14:30:07.126', 14, 2, 44, 11, 2018, 5),
('2018-11-02 14:35:12.126', 14, 2, 44, 11, 2018, 5),
('2018-11-02 21:30:20.126', 21, 2, 44, 11, 2018, 5),
('2018-11-05 08:00:27.796', 8, 5, 45, 11, 2018, 1),
('2018-11-05 08:02:02.796', 8, 5, 45, 11, 2018, 1),
('2018-11-05 08:06:20.796', 8, 5, 45, 11, 2018, 1),
('2018-11-05 08:11:50.796', 8, 5, 45, 11, 2018, 1),
('2018-11-05 16:00:01.126', 16, 5, 45, 11, 2018, 1),
('2018-11-05 16:03:22.126', 16, 5, 45, 11, 2018, 1),
('2018-11-05 16:06:43.126', 16, 5, 45, 11, 2018, 1),
('2018-11-05 16:09:39.126', 16, 5, 45, 11, 2018, 1),
('2018-11-05 16:12:46.126', 16, 5, 45, 11, 2018, 1),
('2018-11-05 16:16:28.126', 16, 5, 45, 11, 2018, 1),
('2018-11-05 16:20:28.126', 16, 5, 45, 11, 2018, 1),
('2018-11-05 18:45:49.467', 18, 5, 45, 11, 2018, 1),
('2018-11-05 18:48:13.467', 18, 5, 45, 11, 2018, 1),
('2018-11-05 18:52:16.467', 18, 5, 45, 11, 2018, 1),
('2018-11-05 18:58:14.467', 18, 5, 45, 11, 2018, 1),
('2018-11-05 19:02:17.467', 19, 5, 45, 11, 2018, 1),
('2018-11-06 12:12:08.467', 12, 6, 45, 11, 2018, 2),
('2018-11-06 12:16:12.467', 12, 6, 45, 11, 2018, 2),
('2018-11-06 16:20:53.126', 16, 6, 45, 11, 2018, 2),
('2018-11-06 16:24:27.126', 16, 6, 45, 11, 2018, 2),
('2018-11-06 16:27:48.126', 16, 6, 45, 11, 2018, 2),
('2018-11-06 16:30:55.126', 16, 6, 45, 11, 2018, 2),
('2018-11-06 16:34:16.126', 16, 6, 45, 11, 2018, 2),
('2018-11-06 16:37:23.126', 16, 6, 45, 11, 2018, 2),
('2018-11-06 16:41:05.126', 16, 6, 45, 11, 2018, 2),
('2018-11-06 16:45:34.126', 16, 6, 45, 11, 2018, 2),
('2018-11-07 12:12:08.467', 12, 7, 45, 11, 2018, 3),
('2018-11-08 11:00:18.796', 11, 8, 45, 11, 2018, 4),
('2018-11-08 11:02:26.796', 11, 8, 45, 11, 2018, 4),
('2018-11-08 11:06:55.796', 11, 8, 45, 11, 2018, 4),
('2018-11-08 11:12:26.796', 11, 8, 45, 11, 2018, 4),
('2018-11-08 11:15:45.796', 11, 8, 45, 11, 2018, 4),
('2018-11-08 11:19:19.796', 11, 8, 45, 11, 2018, 4),
('2018-11-08 23:40:10.126', 23, 8, 45, 11, 2018, 4),
('2018-11-08 23:44:13.126', 23, 8, 45, 11, 2018, 4),
('2018-11-08 23:47:27.126', 23, 8, 45, 11, 2018, 4),
('2018-11-08 23:51:09.126', 23, 8, 45, 11, 2018, 4);
