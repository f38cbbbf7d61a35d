"use strict";
// Definition of each chart: saved queries, drawing, and text for screen readers. Observable Plot
// draws SVG. Colours are CSS variables, so themes and print need no redraw.

const charts = (() => {
  const { number, percent, compact, cut, day, weekdayOf, hour, weekdays, date } = words;
  const A = "var(--a)";
  const B = "var(--b)";
  const HEAT = [0, 1, 2, 3, 4, 5, 6].map((step) => `var(--h${step})`);
  const DAY = 86_400_000;

  const plot = (options) => Plot.plot({ className: "plot", ...options });
  const most = (rows, key) => rows.reduce((best, row) => (row[key] > best[key] ? row : best), rows[0]);
  const least = (rows, key) => rows.reduce((best, row) => (row[key] < best[key] ? row : best), rows[0]);
  const tip = (rows, pointer, channels, title) => Plot.tip(rows, pointer({ ...channels, title, fill: "var(--raised)", stroke: "var(--edge)", textPadding: 10, lineHeight: 1.35, lineWidth: 30 }));
  // Invisible marks that give the arrow keys positions.
  const stops = (rows, channels) => Plot.dot(rows, { ...channels, r: 2, fill: "none", stroke: "none", className: "stops" });
  const lines = (...parts) => parts.filter(Boolean).join("\n");
  const hours = (row) => `${number(row.hours)} h`;

  // Horizontal bars, longest first: the name above its bar, the value at the right edge.
  const ranked = (rows, width, { name, value, written = number, about, kind }) => {
    const items = rows.map((row, index) => ({ row, index, value: row[value] ?? 0, name: name(row) }));
    const letters = Math.floor((width - 70) / 6.6);
    const title = (item) => lines(cut(item.name, 90), about(item.row));
    const y = { y: "index" };
    const svg = plot({
      width, height: Math.max(1, items.length) * 40 + 4, margin: 0, marginTop: 2, marginBottom: 2,
      x: { axis: null, domain: [0, Math.max(1, ...items.map((item) => item.value))] },
      y: { axis: null, type: "band", padding: 0, domain: items.map((item) => item.index) },
      marks: [
        Plot.barX(items, { x1: 0, x2: (item) => Math.max(item.value, 0), ...y, fill: A, insetTop: 21, insetBottom: 9, rx: 2 }),
        Plot.text(items, { ...y, text: (item) => cut(item.name, letters), frameAnchor: "left", textAnchor: "start", dy: -8 }),
        Plot.text(items, { ...y, text: (item) => written(item.value), frameAnchor: "right", textAnchor: "end", dy: -8, fontVariant: "tabular-nums", fontWeight: 600 }),
        stops(items, { x: "value", ...y }),
        tip(items, Plot.pointerY, { x: "value", ...y, maxRadius: Infinity }, title),
      ],
    });
    const listed = items.slice(0, 5).map((item) => `${cut(item.name, 60)} ${written(item.value)}`).join("; ");
    return { svg, steps: items.map(title), alt: `Ranked bars of ${kind}, ${items.length} in all. ${listed}${items.length > 5 ? "; and more" : ""}.` };
  };

  // Vertical bars.
  const upright = (rows, width, { x, value, about, kind, unit, ticks }) => {
    const items = rows.map((row) => ({ row, x: x(row), value: row[value] }));
    const title = (item) => lines(about(item.row));
    const svg = plot({
      width, height: 260, marginLeft: 44, marginBottom: 30, marginRight: 8,
      x: { type: "band", label: null, domain: items.map((item) => item.x), ticks, padding: 0.18, tickSize: 0 },
      y: { label: null, grid: true, ticks: 5, tickFormat: compact, tickSize: 0, nice: true, zero: true },
      marks: [
        Plot.barY(items, { x: "x", y: "value", fill: A, rx: 1.5 }),
        Plot.ruleY([0], { stroke: "var(--axis)" }),
        stops(items, { x: "x", y: "value" }),
        tip(items, Plot.pointerX, { x: "x", y: "value", maxRadius: Infinity }, title),
      ],
    });
    const [high, low] = [most(items, "value"), least(items, "value")];
    return { svg, unit, steps: items.map(title), alt: `Bars of ${kind}. Most at ${high.x} with ${number(high.value)}, fewest at ${low.x} with ${number(low.value)}.` };
  };

  // Bars along a time axis, one per period, in one or more stacked layers.
  const timed = (rows, width, { when, layers, about, kind, unit, step }) => {
    const items = rows.map((row) => ({ row, start: date(row[when]), end: new Date(+date(row[when]) + step * DAY), middle: new Date(+date(row[when]) + (step * DAY) / 2) }));
    const top = (item) => Math.max(0, layers.reduce((sum, layer) => sum + Math.max(0, item.row[layer.key]), 0));
    const parts = items.flatMap((item) => layers.map((layer) => ({ ...item, value: layer.sign === -1 ? -item.row[layer.key] : item.row[layer.key], color: layer.color })));
    const range = items.length ? [items[0].start, items[items.length - 1].end] : undefined;
    const thin = items.length && ((width - 60) * step * DAY) / (range[1] - range[0]) < 4;
    const title = (item) => lines(step > 1 ? `Week from ${day(item.start)}` : weekdayOf(item.start), about(item.row));
    const signed = layers.some((layer) => layer.sign === -1);
    const y = (item) => (signed ? item.row[layers[0].key] : top(item));
    const svg = plot({
      width, height: 280, marginLeft: 44, marginRight: 8, marginBottom: 36,
      x: { type: "utc", label: null, domain: range, tickSize: 0 },
      y: { label: null, grid: true, ticks: 5, tickFormat: (value) => compact(Math.abs(value)), tickSize: 0, nice: true, zero: true },
      marks: [
        Plot.rectY(parts, { x1: "start", x2: "end", y: "value", fill: "color", inset: thin ? 0 : 0.75 }),
        Plot.ruleY([0], { stroke: "var(--axis)" }),
        Plot.ruleX(items, Plot.pointerX({ x: "middle", stroke: "var(--axis)", strokeDasharray: "2,3", maxRadius: Infinity })),
        stops(items, { x: "middle", y }),
        tip(items, Plot.pointerX, { x: "middle", y, maxRadius: Infinity }, title),
      ],
    });
    const first = layers[0].key;
    const [high, low] = [most(rows, first), least(rows, first)];
    return {
      svg, unit, legend: layers.length > 1 ? layers : null, steps: items.map(title),
      alt: `Bars of ${kind}, ${day(items[0].start)} to ${day(new Date(+items[items.length - 1].end - DAY))}. ${layers[0].label}: most ${number(high[first])} from ${day(date(high[when]))}, fewest ${number(low[first])} from ${day(date(low[when]))}.`,
    };
  };

  const shares = (rows, width, { when, layers, about, kind, unit }) => {
    const items = rows.map((row) => ({ row, at: date(row[when]) }));
    const title = (item) => lines(weekdayOf(item.at), about(item.row));
    const svg = plot({
      width, height: 260, marginLeft: 44, marginRight: 12, marginBottom: 36,
      x: { type: "utc", label: null, tickSize: 0 },
      y: { label: null, grid: true, domain: [0, 100], ticks: 5, tickFormat: (value) => `${value} %`, tickSize: 0 },
      marks: [
        Plot.ruleY([0], { stroke: "var(--axis)" }),
        ...layers.map((layer) => Plot.lineY(items, { x: "at", y: (item) => item.row[layer.key], stroke: layer.color, strokeWidth: 2, strokeDasharray: layer.dash })),
        ...layers.map((layer) => Plot.dot(items, Plot.pointerX({ x: "at", y: (item) => item.row[layer.key], fill: layer.color, r: 4, maxRadius: Infinity }))),
        stops(items, { x: "at", y: (item) => item.row[layers[0].key] }),
        tip(items, Plot.pointerX, { x: "at", y: (item) => item.row[layers[0].key], maxRadius: Infinity }, title),
      ],
    });
    const ends = [rows[0], rows[rows.length - 1]];
    const said = layers.map((layer) => `${layer.label}: ${percent(ends[0][layer.key])} at first, ${percent(ends[1][layer.key])} at last`).join("; ");
    return { svg, unit, legend: layers, steps: items.map(title), alt: `Lines of ${kind}, ${day(items[0].at)} to ${day(items[items.length - 1].at)}. ${said}.` };
  };

  const heat = (rows, width) => {
    const order = [1, 2, 3, 4, 5, 6, 0];
    const top = Math.max(1, ...rows.map((row) => row.plays));
    const title = (row) => lines(`${weekdays[row.weekday]}, ${hour(row.hour)} to ${hour((row.hour + 1) % 24)} UTC`, words.plural(row.plays, "play", "plays"));
    const short = width < 520;
    const svg = plot({
      width, height: Math.max(210, Math.min(300, width / 3.4)), marginLeft: short ? 34 : 82, marginRight: 2, marginBottom: 28, marginTop: 4,
      x: { type: "band", label: null, ticks: [0, 3, 6, 9, 12, 15, 18, 21], tickFormat: (value) => (short ? String(value) : hour(value)), tickSize: 0, padding: 0 },
      y: { type: "band", label: null, domain: order, tickFormat: (value) => (short ? weekdays[value].slice(0, 3) : weekdays[value]), tickSize: 0, padding: 0 },
      color: { type: "threshold", domain: [1, 2, 3, 4, 5, 6].map((step) => (top * step) / 7), range: HEAT },
      marks: [
        Plot.cell(rows, { x: "hour", y: "weekday", fill: "plays", inset: 0.75, rx: 2 }),
        Plot.cell(rows, Plot.pointer({ x: "hour", y: "weekday", stroke: "var(--ink)", strokeWidth: 2, inset: 0.5, rx: 2 })),
        stops(rows, { x: "hour", y: "weekday" }),
        tip(rows, Plot.pointer, { x: "hour", y: "weekday" }, title),
      ],
    });
    const high = most(rows, "plays");
    return { svg, unit: "Plays in each hour, UTC, of all weeks", ramp: ["0", number(top)], steps: rows.map(title), alt: `Heat map of plays by weekday and hour, UTC. Most on ${weekdays[high.weekday]} at ${hour(high.hour)} with ${number(high.plays)}.` };
  };

  // Heat map of the latest 16 cohorts. The query returns no row for a week without plays, so
  // missing cells are filled with zero. A week that may still grow is pale.
  const retention = (rows, width) => {
    const WEEK = 7 * DAY;
    const cohorts = [...new Set(rows.map((row) => row.cohort))].slice(-16);
    const end = Math.max(...rows.map((row) => +date(row.cohort) + row.weeks_after * WEEK));
    const known = new Map(rows.map((row) => [`${row.cohort}/${row.weeks_after}`, row]));
    const cells = cohorts.flatMap((cohort) => {
      const size = known.get(`${cohort}/0`)?.cohort_listeners ?? 0;
      const weeks = Math.min(15, Math.round((end - +date(cohort)) / WEEK));
      return Array.from({ length: weeks + 1 }, (_, after) => known.get(`${cohort}/${after}`) ?? { cohort, weeks_after: after, cohort_listeners: size, listeners: 0, percent: 0, complete: 1 });
    });
    const short = width < 520;
    const across = Math.max(...cells.map((cell) => cell.weeks_after)) + 1;
    const roomy = (width - (short ? 62 : 150)) / across > 34;
    const step = (value) => Math.min(6, Math.floor((value / 100) * 7));
    const sizes = new Map(cells.map((cell) => [cell.cohort, cell.cohort_listeners]));
    const title = (cell) => lines(`First listened in the week from ${day(date(cell.cohort))}`, `${cell.weeks_after === 0 ? "that week" : words.plural(cell.weeks_after, "week", "weeks") + " after"}: ${number(cell.listeners)} of ${number(cell.cohort_listeners)} (${percent(cell.percent)})`, ...(cell.complete ? [] : ["The data ends before the end of this week."]));
    const svg = plot({
      width, height: cohorts.length * 34 + 44, marginLeft: short ? 58 : 148, marginRight: 2, marginTop: 40, marginBottom: 4,
      x: { type: "band", axis: "top", label: null, tickSize: 0, padding: 0, tickFormat: (value) => (value === 0 ? (short ? "0" : "first week") : `+${value}`) },
      y: { type: "band", label: null, domain: cohorts, tickSize: 0, padding: 0, tickFormat: (value) => (short ? words.tick(date(value)) : `${day(date(value))} · ${number(sizes.get(value))}`) },
      color: { type: "threshold", domain: [1, 2, 3, 4, 5, 6].map((at) => (100 * at) / 7), range: HEAT },
      marks: [
        Plot.cell(cells, { x: "weeks_after", y: "cohort", fill: "percent", fillOpacity: (cell) => (cell.complete ? 1 : 0.45), inset: 1, rx: 2 }),
        roomy ? Plot.text(cells, { x: "weeks_after", y: "cohort", text: (cell) => `${Math.round(cell.percent)}${short ? "" : " %"}`, fill: (cell) => (step(cell.percent) > 3 ? "var(--on-dark)" : "var(--on-light)") }) : null,
        Plot.cell(cells, Plot.pointer({ x: "weeks_after", y: "cohort", stroke: "var(--ink)", strokeWidth: 2, inset: 0.5, rx: 2 })),
        stops(cells, { x: "weeks_after", y: "cohort" }),
        tip(cells, Plot.pointer, { x: "weeks_after", y: "cohort" }, title),
      ],
    });
    const next = cells.filter((cell) => cell.weeks_after === 1 && cell.complete);
    const mean = next.length ? next.reduce((sum, cell) => sum + cell.percent, 0) / next.length : null;
    return {
      svg, unit: `Week of the first play${short ? "" : " and its listeners"}, and the share that played in the weeks after`, ramp: ["0 %", "100 %"], steps: cells.map(title),
      alt: `Grid of ${cohorts.length} weekly cohorts. ${mean === null ? "There is no data after the first week yet." : `On average ${percent(Math.round(mean))} play again in the week after their first.`}`,
    };
  };

  // A result with one row as a list of labels and values.
  const facts = (pairs) => (rows) => ({ facts: pairs.map(([label, key, written = number]) => [label, written(rows[0]?.[key] ?? null)]) });

  const layer = (key, label, color, more = {}) => ({ key, label, color, ...more });
  const plain = (row) => lines(words.plural(row.plays, "play", "plays"), row.listeners === undefined ? null : words.plural(row.listeners, "listener", "listeners"), row.sessions === undefined ? null : words.plural(row.sessions, "session", "sessions"), row.hours === undefined ? null : hours(row), row.percent === undefined ? null : percent(row.percent));
  const counted = (kind, name) => (rows, width) => ranked(rows, width, { kind, name, value: "plays", about: plain });
  const byTime = (one, two) => [{ label: "Day", key: one }, { label: "Week", key: two }];
  const steps = { Day: 1, Week: 7 };
  const by = (question, choices) => choices.map((choice, index) => ({ label: words.sentence(choice), key: index === 0 ? question : `${question}.${choice}`, value: choice }));
  const song = (row) => `${row.song_title} – ${row.artist_name ?? "unknown artist"}`;
  const person = (row) => [row.first_name, row.last_name].filter(Boolean).join(" ") || `User ${row.user_id}`;
  const unknown = (value) => value ?? "Unknown";
  const measured = (name, kind) => (rows, width, variant) => ranked(rows, width, {
    kind: `${kind} by ${variant.value}`, name, value: variant.value, about: plain, written: variant.value === "hours" ? (value) => `${number(value)} h` : number,
  });

  return {
    plays: {
      variants: byTime("plays_by_day", "plays_by_week"),
      draw: (rows, width, variant) => timed(rows, width, {
        when: variant.label === "Day" ? "day" : "week_start", step: steps[variant.label], layers: [layer("plays", "Plays", A)], about: plain,
        kind: `plays by ${variant.label.toLowerCase()}`, unit: `Plays each ${variant.label.toLowerCase()}`,
      }),
    },
    freeAndPaid: {
      variants: byTime("free_and_paid", "free_and_paid.week"),
      draw: (rows, width, variant) => timed(rows, width, {
        when: "period", step: steps[variant.label], layers: [layer("paid_plays", "Paid", A), layer("free_plays", "Free", B)], kind: "paid and free plays", unit: `Plays each ${variant.label.toLowerCase()}`,
        about: (row) => lines(`Paid ${number(row.paid_plays)} (${percent(row.paid_plays_percent)})`, `Free ${number(row.free_plays)}`, `Total ${number(row.paid_plays + row.free_plays)}`),
      }),
    },
    hourByWeekday: { variants: [{ key: "hour_by_weekday" }], draw: heat },
    byHour: {
      variants: [{ key: "plays_by_hour" }],
      draw: (rows, width) => upright(rows, width, { x: (row) => row.hour, value: "plays", ticks: [0, 3, 6, 9, 12, 15, 18, 21], unit: "Plays in each hour, UTC", kind: "plays by hour, UTC", about: (row) => lines(`${hour(row.hour)} to ${hour((row.hour + 1) % 24)} UTC`, plain(row)) }),
    },
    byWeekday: {
      variants: [{ key: "plays_by_weekday" }],
      draw: (rows, width) => upright([...rows.slice(1), ...rows.slice(0, 1)], width, { x: (row) => weekdays[row.weekday].slice(0, 3), value: "plays", unit: "Plays on each day, UTC", kind: "plays by weekday, UTC", about: (row) => lines(weekdays[row.weekday], plain(row)) }),
    },
    topSongs: { variants: by("top_songs", ["plays", "listeners", "hours"]), draw: measured(song, "songs") },
    topArtists: { variants: by("top_artists", ["plays", "listeners", "hours"]), draw: measured((row) => row.artist_name, "artists") },
    decades: {
      variants: [{ key: "songs_by_decade" }],
      usable: (rows) => rows.filter((row) => row.decade !== null),
      none: "No played song has a known year.",
      draw: (rows, width) => upright(rows, width, { x: (row) => `${row.decade}s`, value: "plays", unit: "Plays of songs whose year is known", kind: "plays by decade of release", about: (row) => lines(`${row.decade}s`, words.plural(row.plays, "play", "plays"), words.plural(row.songs, "song", "songs"), `${percent(row.percent)} of all plays`) }),
    },
    coverage: {
      variants: [{ key: "match_coverage" }],
      draw: counted("plays by catalogue match", (row) => ({ exact: "Title, artist and duration agree", title_artist: "Title and artist agree", "not in the catalogue": "Not in the catalogue" })[row.match_method] ?? row.match_method),
    },
    topUsers: { variants: by("top_users", ["plays", "hours", "sessions"]), draw: measured(person, "users") },
    newAndReturning: {
      variants: byTime("new_and_returning", "new_and_returning.week"),
      draw: (rows, width, variant) => timed(rows, width, {
        when: "period", step: steps[variant.label], layers: [layer("returning_listeners", "Returning", A), layer("new_listeners", "New", B)], kind: "returning and new listeners", unit: `Listeners each ${variant.label.toLowerCase()}`,
        about: (row) => lines(`Returning ${number(row.returning_listeners)}`, `New ${number(row.new_listeners)} (${percent(row.new_percent)})`, `Total ${number(row.listeners)}`),
      }),
    },
    retention: { variants: [{ key: "retention" }], draw: retention },
    gender: { variants: [{ key: "gender" }], draw: counted("plays by gender", (row) => ({ F: "Women", M: "Men" })[row.gender] ?? row.gender ?? "Not logged") },
    paidShare: {
      variants: byTime("free_and_paid", "free_and_paid.week"),
      draw: (rows, width, variant) => shares(rows, width, {
        when: "period", kind: "the share of paying listeners and of their plays", unit: `Share each ${variant.label.toLowerCase()}`,
        layers: [layer("paid_listeners_percent", "Of listeners", A), layer("paid_plays_percent", "Of plays", B, { dash: "6,4" })],
        about: (row) => lines(`${percent(row.paid_listeners_percent)} of listeners`, `${percent(row.paid_plays_percent)} of plays`),
      }),
    },
    levelChanges: {
      variants: byTime("level_changes", "level_changes.week"),
      none: "No user changed between free and paid.",
      draw: (rows, width, variant) => timed(rows, width, {
        when: "period", step: steps[variant.label], layers: [layer("upgrades", "Upgrades, upwards", A), layer("downgrades", "Downgrades, downwards", B, { sign: -1 })], kind: "upgrades and downgrades", unit: `Users each ${variant.label.toLowerCase()}`,
        about: (row) => lines(words.plural(row.upgrades, "upgrade", "upgrades"), words.plural(row.downgrades, "downgrade", "downgrades"), `Net ${row.net > 0 ? "+" : ""}${number(row.net)}`),
      }),
    },
    conversion: {
      variants: [{ key: "conversion" }],
      draw: facts([["Users", "users"], ["Ever free", "free_users"], ["Ever paid", "paid_users"], ["Upgraded to paid", "upgraded"], ["Downgraded to free", "downgraded"], ["Conversion", "conversion_percent", percent], ["Churn", "churn_percent", percent]]),
    },
    byLevel: { variants: [{ key: "plays_by_level" }], draw: counted("plays by level", (row) => words.sentence(row.level ?? "not logged")) },
    sessionLengths: {
      variants: [{ key: "session_lengths" }],
      draw: (rows, width) => upright(rows, width, {
        x: (row) => (row.plays_to === null ? `${row.plays_from}+` : row.plays_from === row.plays_to ? `${row.plays_from}` : `${row.plays_from}–${row.plays_to}`),
        value: "sessions", unit: "Sessions by number of songs", kind: "sessions by number of songs",
        about: (row) => lines(`${row.plays_to === null ? `${row.plays_from} songs or more` : row.plays_from === row.plays_to ? "1 song" : `${row.plays_from} to ${row.plays_to} songs`}`, `${words.plural(row.sessions, "session", "sessions")} (${percent(row.percent)})`, words.plural(row.plays, "play", "plays"), row.minutes_a_session === null ? null : `${number(row.minutes_a_session)} min per session`),
      }),
    },
    sessions: {
      variants: [{ key: "sessions" }],
      draw: facts([["Sessions", "sessions"], ["Songs per session", "plays_a_session"], ["Most songs in a session", "most_plays"], ["Minutes per session", "minutes_a_session"], ["Longest session, minutes", "longest_minutes"], ["Sessions per listener", "sessions_a_listener"]]),
    },
    states: { variants: [{ key: "states" }], draw: counted("plays by state", (row) => unknown(row.state)) },
    locations: { variants: [{ key: "locations" }], draw: counted("plays by metropolitan area", (row) => unknown(row.location)) },
    browsers: { variants: [{ key: "browsers" }], draw: counted("plays by browser", (row) => unknown(row.browser)) },
    systems: { variants: [{ key: "operating_systems" }], draw: counted("plays by operating system", (row) => unknown(row.operating_system)) },
  };
})();
