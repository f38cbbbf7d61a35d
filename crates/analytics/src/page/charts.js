"use strict";
// Definition of each chart: its saved queries, form, unit and texts.

const charts = (() => {
  const { number, percent, hour, weekdays, plural } = words;
  const { A, B, lines, ranked, upright, timed, shares, heat, retention, facts } = marks;

  const layer = (key, label, color, more = {}) => ({ key, label, color, ...more });
  const hours = (value) => `${number(value)} h`;
  const plain = (row) => lines(plural(row.plays, "play", "plays"), row.listeners === undefined ? null : plural(row.listeners, "listener", "listeners"), row.sessions === undefined ? null : plural(row.sessions, "session", "sessions"), row.hours === undefined ? null : hours(row.hours), row.percent === undefined ? null : `${percent(row.percent)} of plays`);
  const units = { plays: "Plays", listeners: "Listeners", hours: "Hours of listening", sessions: "Sessions" };

  // A chart has variants: the key of a result, and a label to choose it by. It is `covered` if it
  // shows its share of the plays itself. `informs` tells from the rows and the page if the chart has
  // anything to say; it is left out otherwise.
  const one = (key) => () => [{ key }];
  // One variant per grain of the report, finer first.
  const grained = (question) => ({ grains, span }) => grains.map((grain) => ({ label: words.sentence(grain), key: `${question}.${grain}`, grain, span }));
  const by = (question, choices) => () => choices.map((choice, index) => ({ label: words.sentence(choice), key: index === 0 ? question : `${question}.${choice}`, value: choice }));

  const counted = (kind, name) => (rows, width) => ranked(rows, width, { kind, name, value: "plays", unit: units.plays, about: plain });
  const measured = (name, kind) => (rows, width, { value }) => ranked(rows, width, { kind: `${kind} by ${value}`, name, value, unit: units[value], about: plain, written: value === "hours" ? hours : number });
  const overTime = (form, options) => (rows, width, { grain, span }) => form(rows, width, { ...options, grain, span, unit: `${options.unit} per ${grain}` });
  const song = (row) => `${row.song_title} – ${row.artist_name ?? "unknown artist"}`;
  const person = (row) => [row.first_name, row.last_name].filter(Boolean).join(" ") || `User ${row.user_id}`;
  // True if some row has a value that is known.
  const known = (key) => (rows) => rows.some((row) => row[key] !== null && row[key] !== "other");
  const hasLevels = (rows, page) => page.levels;
  // The history of one person without a name has no other listeners, and its sessions are days.
  const hasListeners = (rows, page) => !page.personal;
  const hasCatalogue = (rows, page) => !page.personal || page.matched;
  const dayOf = (value) => words.day(words.date(value));
  const unknown = (value) => value ?? "Unknown";
  const group = (row) => (row.plays_to === null ? `${row.plays_from}+` : row.plays_from === row.plays_to ? `${row.plays_from}` : `${row.plays_from}–${row.plays_to}`);

  return {
    plays: {
      variants: grained("plays_by_period"),
      draw: overTime(timed, { layers: [layer("plays", "Plays", A)], about: plain, kind: "plays over time", unit: "Plays" }),
    },
    freeAndPaid: {
      variants: grained("free_and_paid"),
      informs: hasLevels,
      none: "No play has level free or paid.",
      draw: overTime(timed, {
        layers: [layer("paid_plays", "Paid", A), layer("free_plays", "Free", B)], kind: "paid and free plays", unit: "Plays",
        about: (row) => lines(`Paid ${number(row.paid_plays)} (${percent(row.paid_plays_percent)})`, `Free ${number(row.free_plays)}`, `Total ${number(row.paid_plays + row.free_plays)}`),
      }),
    },
    hourByWeekday: { variants: one("hour_by_weekday"), draw: heat },
    byHour: {
      variants: one("plays_by_hour"),
      draw: (rows, width) => upright(rows, width, { x: (row) => hour(row.hour), value: "plays", ticks: [0, 6, 12, 18].map(hour), unit: "Plays per hour of the day, UTC, all days", kind: "plays by hour, UTC", about: (row) => lines(`${hour(row.hour)} to ${hour((row.hour + 1) % 24)} UTC`, plain(row)) }),
    },
    byWeekday: {
      variants: one("plays_by_weekday"),
      draw: (rows, width) => upright([...rows.slice(1), ...rows.slice(0, 1)], width, { x: (row) => weekdays[row.weekday].slice(0, 3), value: "plays", unit: "Plays per day of the week, UTC, all weeks", kind: "plays by weekday, UTC", about: (row) => lines(weekdays[row.weekday], plain(row)) }),
    },
    topSongs: { variants: by("top_songs", ["plays", "listeners", "hours"]), draw: measured(song, "songs") },
    topArtists: { variants: by("top_artists", ["plays", "listeners", "hours"]), draw: measured((row) => row.artist_name, "artists") },
    decades: {
      variants: one("songs_by_decade"),
      informs: hasCatalogue,
      usable: (rows) => rows.filter((row) => row.decade !== null),
      covered: true,
      none: "No played song matches a catalogue song with a known year. Load more song files with “sparkify etl --song-data”.",
      // The chart covers few plays in many catalogues, so its share is beside it.
      draw: (rows, width, variant, all) => {
        const [known, plays] = [rows, all].map((of) => d3.sum(of, (row) => row.plays));
        const unit = `Plays of songs whose year is known: ${number(known)} of ${number(plays)} plays (${percent((known / plays) * 100)})`;
        return upright(rows, width, { x: (row) => `${row.decade}s`, value: "plays", unit, kind: "plays by decade of release", about: (row) => lines(`${row.decade}s`, plural(row.plays, "play", "plays"), plural(row.songs, "song", "songs"), `${percent(row.percent)} of all plays`) });
      },
    },
    coverage: {
      variants: one("match_coverage"),
      informs: hasCatalogue,
      draw: counted("plays by catalogue match", (row) => ({ exact: "Title, artist and duration agree", title_artist: "Title and artist agree", "not in the catalogue": "Not in the catalogue" })[row.match_method] ?? row.match_method),
    },
    topUsers: { variants: by("top_users", ["plays", "hours", "sessions"]), informs: hasListeners, none: "No play has a user.", draw: measured(person, "users") },
    newAndReturning: {
      variants: grained("new_and_returning"),
      informs: hasListeners,
      none: "No play has a user.",
      draw: overTime(timed, {
        layers: [layer("returning_listeners", "Returning", A), layer("new_listeners", "New", B)], kind: "returning and new listeners", unit: "Listeners",
        about: (row) => lines(`Returning ${number(row.returning_listeners)}`, `New ${number(row.new_listeners)} (${percent(row.new_percent)})`, `Total ${number(row.listeners)}`),
      }),
    },
    retention: { variants: one("retention"), informs: hasListeners, none: "No user played for the first time in this period.", draw: retention },
    gender: { variants: one("gender"), informs: known("gender"), draw: counted("plays by gender", (row) => ({ F: "Women", M: "Men" })[row.gender] ?? row.gender ?? "Not logged") },
    paidShare: {
      variants: grained("free_and_paid"),
      informs: hasLevels,
      none: "No play has level free or paid.",
      draw: overTime(shares, {
        kind: "the share of paying listeners and of their plays", unit: "Share",
        layers: [layer("paid_listeners_percent", "Of listeners", A), layer("paid_plays_percent", "Of plays", B, { dash: "6,4" })],
        about: (row) => lines(`${percent(row.paid_listeners_percent)} of listeners`, `${percent(row.paid_plays_percent)} of plays`),
      }),
    },
    levelChanges: {
      variants: grained("level_changes"),
      informs: hasLevels,
      none: "No user changed between free and paid in this period.",
      draw: overTime(timed, {
        layers: [layer("upgrades", "Upgrades, upwards", A), layer("downgrades", "Downgrades, downwards", B, { sign: -1 })], kind: "upgrades and downgrades", unit: "Changes",
        about: (row) => lines(plural(row.upgrades, "upgrade", "upgrades"), plural(row.downgrades, "downgrade", "downgrades"), `Net ${row.net > 0 ? "+" : ""}${number(row.net)}`),
      }),
    },
    conversion: {
      variants: one("conversion"),
      informs: hasLevels,
      draw: facts([["Users", "users"], ["Ever free", "free_users"], ["Ever paid", "paid_users"], ["Upgraded to paid", "upgraded"], ["Downgraded to free", "downgraded"], ["Conversion", "conversion_percent", percent], ["Churn", "churn_percent", percent]]),
    },
    byLevel: { variants: one("plays_by_level"), informs: hasLevels, draw: counted("plays by level", (row) => words.sentence(row.level ?? "not logged")) },
    sessionLengths: {
      variants: one("session_lengths"),
      informs: hasListeners,
      draw: (rows, width) => upright(rows, width, {
        x: group, value: "sessions", unit: "Sessions by number of songs", kind: "sessions by number of songs",
        about: (row) => lines(row.plays_from === row.plays_to ? "1 song" : `${group(row)} songs`, `${plural(row.sessions, "session", "sessions")} (${percent(row.percent)})`, plural(row.plays, "play", "plays"), row.minutes_a_session === null ? null : `${number(row.minutes_a_session)} min per session`),
      }),
    },
    sessions: {
      variants: one("sessions"),
      informs: hasListeners,
      draw: facts([["Sessions", "sessions"], ["Sessions per listener", "sessions_a_listener"], ["Songs per session", "plays_a_session"], ["Most songs in a session", "most_plays"], ["Length of a session", "minutes_a_session", (value) => `${number(value)} min`], ["Longest session", "longest_minutes", (value) => `${number(value)} min`]]),
    },
    streaks: {
      variants: one("streaks"),
      informs: ([row], page) => page.personal && row.days > 0,
      draw: ([row]) => ({
        facts: [
          ["Days with plays", number(row.days)],
          ["Plays per day with plays", number(row.plays_a_day)],
          ["Most plays in a day", `${number(row.most_plays)}, on ${dayOf(row.most_plays_on)}`],
          ["Longest streak", `${plural(row.longest_streak, "day", "days")}, ${dayOf(row.longest_from)} to ${dayOf(row.longest_to)}`],
          ["Latest streak", `${plural(row.latest_streak, "day", "days")}, up to ${dayOf(row.latest_to)}`],
        ],
      }),
    },
    states: { variants: one("states"), informs: known("state"), draw: counted("plays by state", (row) => unknown(row.state)) },
    locations: { variants: one("locations"), informs: known("location"), draw: counted("plays by location", (row) => unknown(row.location)) },
    browsers: { variants: one("browsers"), informs: known("browser"), draw: counted("plays by browser", (row) => unknown(row.browser)) },
    systems: { variants: one("operating_systems"), informs: known("operating_system"), draw: counted("plays by operating system", (row) => unknown(row.operating_system)) },
  };
})();
