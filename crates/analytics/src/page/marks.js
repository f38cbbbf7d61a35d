"use strict";
// Forms of charts, drawn by Observable Plot as SVG, with the text for screen readers. Colours are
// CSS variables, so themes and print need no redraw for them.

const marks = (() => {
  const { number, percent, compact, cut, day, hour, weekdays, date } = words;
  const A = "var(--a)";
  const B = "var(--b)";
  const HEAT = [0, 1, 2, 3, 4, 5, 6].map((step) => `var(--h${step})`);

  const plot = (options) => Plot.plot({ className: "plot", ...options });
  const most = (rows, key) => rows.reduce((best, row) => (row[key] > best[key] ? row : best), rows[0]);
  const least = (rows, key) => rows.reduce((best, row) => (row[key] < best[key] ? row : best), rows[0]);
  const tip = (rows, pointer, channels, title) => Plot.tip(rows, pointer({ ...channels, title, fill: "var(--raised)", stroke: "var(--edge)", textPadding: 10, lineHeight: 1.35, lineWidth: 30 }));
  // Invisible marks that give the arrow keys positions.
  const stops = (rows, channels) => Plot.dot(rows, { ...channels, r: 2, fill: "none", stroke: "none", className: "stops" });
  const lines = (...parts) => parts.filter(Boolean).join("\n");
  // On paper, charts are flat, and lists are long since no table is there.
  let onPaper = false;
  const height = (width) => Math.round(onPaper ? Math.max(120, width * 0.22) : Math.max(120, Math.min(220, width * 0.4)));

  // Value axis of counts: whole numbers at up to five ticks, from the first to the last of them.
  const counts = (top, bottom = 0) => {
    const step = Math.max(1, d3.tickStep(bottom, Math.max(top, 1), 4));
    const domain = [-Math.ceil(-bottom / step) * step, Math.ceil(Math.max(top, 1) / step) * step];
    return { label: null, grid: true, domain, ticks: d3.range(domain[0], domain[1] + step / 2, step), tickFormat: (value) => compact(Math.abs(value)), tickSize: 0 };
  };

  // Horizontal bars, longest first, with the name in the bar and the value at the right edge.
  const ranked = (rows, width, { name, value, written = number, about, kind, unit }) => {
    const shown = rows.slice(0, width < 420 && !onPaper ? 5 : 10);
    const items = shown.map((row, index) => ({ row, index, value: row[value] ?? 0, name: name(row) }));
    const letters = Math.floor((width - 84) / 6.6);
    const high = onPaper ? 21 : width < 420 ? 22 : 26;
    const title = (item) => lines(cut(item.name, 90), about(item.row));
    const y = { y: "index" };
    const svg = plot({
      width, height: items.length * high + 2, margin: 0, marginTop: 1, marginBottom: 1,
      x: { axis: null, domain: [0, Math.max(1, ...items.map((item) => item.value))] },
      y: { axis: null, type: "band", padding: 0, domain: items.map((item) => item.index) },
      marks: [
        Plot.barX(items, { x1: 0, x2: (item) => Math.max(item.value, 0), ...y, fill: "var(--tint)", insetTop: 1.5, insetBottom: 1.5, rx: 3 }),
        Plot.text(items, { ...y, text: (item) => cut(item.name, letters), frameAnchor: "left", textAnchor: "start", dx: 8 }),
        Plot.text(items, { ...y, text: (item) => written(item.value), frameAnchor: "right", textAnchor: "end", dx: -6, fontVariant: "tabular-nums", fontWeight: 600 }),
        stops(items, { x: "value", ...y }),
        tip(items, Plot.pointerY, { x: "value", ...y, maxRadius: Infinity }, title),
      ],
    });
    const listed = items.slice(0, 5).map((item) => `${cut(item.name, 60)} ${written(item.value)}`).join("; ");
    const left = rows.length > items.length ? `, the first ${items.length} of ${number(rows.length)}` : "";
    return { svg, unit: `${unit}${left}`, steps: items.map(title), alt: `Ranked bars of ${kind}, ${rows.length} in all. ${listed}${rows.length > 5 ? "; and more" : ""}.` };
  };

  // Vertical bars.
  const upright = (rows, width, { x, value, about, kind, unit, ticks, tickFormat }) => {
    const items = rows.map((row) => ({ row, x: x(row), value: row[value] }));
    const title = (item) => lines(about(item.row));
    const [high, low] = [most(items, "value"), least(items, "value")];
    const svg = plot({
      width, height: height(width), marginLeft: 40, marginBottom: 24, marginRight: 8, marginTop: 12,
      x: { type: "band", label: null, domain: items.map((item) => item.x), ticks, tickFormat, padding: 0.18, tickSize: 0 },
      y: counts(high.value),
      marks: [
        Plot.barY(items, { x: "x", y: "value", fill: A, rx: 1.5 }),
        Plot.ruleY([0], { stroke: "var(--axis)" }),
        stops(items, { x: "x", y: "value" }),
        tip(items, Plot.pointerX, { x: "x", y: "value", maxRadius: Infinity }, title),
      ],
    });
    return { svg, unit, steps: items.map(title), alt: `Bars of ${kind}. Most at ${high.x} with ${number(high.value)}, fewest at ${low.x} with ${number(low.value)}.` };
  };

  // Time axis of all periods between two days, with ticks in the middle of periods.
  const timeAxis = (span, grain, width) => {
    const [first, last] = span.map((it) => periods.start(it, grain));
    const labels = periods.ticks(first, last, grain, width - 56);
    return {
      scale: { type: "utc", label: null, domain: [first, periods.end(last, grain)], axis: null },
      mark: Plot.axisX([...labels.keys()].map((at) => new Date(at)), { tickSize: 0, tickFormat: (at) => labels.get(+at), label: null, lineAnchor: "top" }),
    };
  };
  const timedItems = (rows, grain) => rows.map((row) => {
    const start = date(row.period);
    return { row, start, end: periods.end(start, grain), middle: periods.middle(start, grain) };
  });

  // Bars along a time axis, one per period, in one or more stacked layers.
  const timed = (rows, width, { layers, about, kind, unit, grain, span }) => {
    const items = timedItems(rows, grain);
    const value = (layer, row) => (layer.sign === -1 ? -row[layer.key] : row[layer.key]);
    const signed = layers.some((layer) => layer.sign === -1);
    const sum = (item, sign) => layers.reduce((sum, layer) => sum + Math.max(0, sign * value(layer, item.row)), 0);
    const parts = items.flatMap((item) => layers.map((layer) => ({ ...item, value: value(layer, item.row), color: layer.color })));
    const axis = timeAxis(span, grain, width);
    const [from, to] = axis.scale.domain;
    const thin = ((width - 56) * (items[0].end - items[0].start)) / (to - from) < 4;
    const title = (item) => lines(periods.full(item.start, grain), about(item.row));
    const y = (item) => (signed ? item.row[layers[0].key] : sum(item, 1));
    const svg = plot({
      width, height: height(width), marginLeft: 40, marginRight: 16, marginBottom: 36, marginTop: 12,
      x: axis.scale,
      y: counts(Math.max(...items.map((item) => sum(item, 1))), -Math.max(0, ...items.map((item) => sum(item, -1)))),
      marks: [
        axis.mark,
        Plot.rectY(parts, { x1: "start", x2: "end", y: "value", fill: "color", inset: thin ? 0 : 0.75 }),
        Plot.ruleY([0], { stroke: "var(--axis)" }),
        Plot.ruleX(items, Plot.pointerX({ x: "middle", stroke: "var(--axis)", strokeDasharray: "2,3", maxRadius: Infinity })),
        stops(items, { x: "middle", y }),
        tip(items, Plot.pointerX, { x: "middle", y, maxRadius: Infinity }, title),
      ],
    });
    const first = layers[0].key;
    const [high, low] = [most(rows, first), least(rows, first)];
    const named = (row) => periods.full(date(row.period), grain);
    return {
      svg, unit, legend: layers.length > 1 ? layers : null, steps: items.map(title),
      alt: `Bars of ${kind}, ${day(items[0].start)} to ${day(new Date(+items[items.length - 1].end - periods.DAY))}. ${layers[0].label}: most ${number(high[first])} (${named(high)}), fewest ${number(low[first])} (${named(low)}).`,
    };
  };

  const shares = (rows, width, { layers, about, kind, unit, grain, span }) => {
    const items = timedItems(rows, grain);
    const axis = timeAxis(span, grain, width);
    const title = (item) => lines(periods.full(item.start, grain), about(item.row));
    const at = (layer) => ({ x: "middle", y: (item) => item.row[layer.key] });
    const svg = plot({
      width, height: height(width), marginLeft: 44, marginRight: 16, marginBottom: 36, marginTop: 12,
      x: axis.scale,
      y: { label: null, grid: true, domain: [0, 100], ticks: [0, 25, 50, 75, 100], tickFormat: (value) => `${value} %`, tickSize: 0 },
      marks: [
        axis.mark,
        Plot.ruleY([0], { stroke: "var(--axis)" }),
        ...layers.map((layer) => Plot.lineY(items, { ...at(layer), stroke: layer.color, strokeWidth: 2, strokeDasharray: layer.dash, marker: items.length < 3 ? "circle" : null })),
        ...layers.map((layer) => Plot.dot(items, Plot.pointerX({ ...at(layer), fill: layer.color, r: 4, maxRadius: Infinity }))),
        stops(items, at(layers[0])),
        tip(items, Plot.pointerX, { ...at(layers[0]), maxRadius: Infinity }, title),
      ],
    });
    const ends = [rows[0], rows[rows.length - 1]];
    const said = layers.map((layer) => `${layer.label}: ${percent(ends[0][layer.key])} at first, ${percent(ends[1][layer.key])} at last`).join("; ");
    return { svg, unit, legend: layers, steps: items.map(title), alt: `Lines of ${kind}, ${day(items[0].start)} to ${day(items[items.length - 1].start)}. ${said}.` };
  };

  const heat = (rows, width) => {
    const order = [1, 2, 3, 4, 5, 6, 0];
    const top = Math.max(1, ...rows.map((row) => row.plays));
    const title = (row) => lines(`${weekdays[row.weekday]}, ${hour(row.hour)} to ${hour((row.hour + 1) % 24)} UTC`, words.plural(row.plays, "play", "plays"));
    const short = width < 520;
    const svg = plot({
      width, height: short || onPaper ? 140 : 210, marginLeft: short ? 34 : 82, marginRight: 2, marginBottom: 24, marginTop: 4,
      x: { type: "band", label: null, ticks: d3.range(0, 24, short ? 6 : 3), tickFormat: hour, tickSize: 0, padding: 0 },
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
    return { svg, unit: "Plays per hour of the week, UTC, all weeks", ramp: ["0", number(top)], steps: rows.map(title), alt: `Heat map of plays by weekday and hour, UTC. Most on ${weekdays[high.weekday]} at ${hour(high.hour)} with ${number(high.plays)}.` };
  };

  // Heat map of the newest weekly cohorts. A week without any plays has no row and counts as zero.
  // The first week is always 100 %, so it shows the size of the cohort and is not in the colours. A
  // week that may still grow is pale.
  const retention = (rows, width) => {
    const WEEK = 7 * periods.DAY;
    const short = width < 520;
    const cohorts = [...new Set(rows.map((row) => row.cohort))].sort().slice(short ? -8 : -12);
    const end = Math.max(...rows.map((row) => +date(row.cohort) + row.weeks_after * WEEK));
    const known = new Map(rows.map((row) => [`${row.cohort}/${row.weeks_after}`, row]));
    const cells = cohorts.flatMap((cohort) => {
      const size = known.get(`${cohort}/0`)?.cohort_listeners ?? 0;
      const weeks = Math.min(short ? 7 : 11, Math.round((end - +date(cohort)) / WEEK));
      return Array.from({ length: weeks + 1 }, (_, after) => known.get(`${cohort}/${after}`) ?? { cohort, weeks_after: after, cohort_listeners: size, listeners: 0, percent: 0, complete: 1 });
    });
    const later = cells.filter((cell) => cell.weeks_after > 0);
    const top = Math.max(1, ...later.map((cell) => cell.percent));
    const across = Math.max(...cells.map((cell) => cell.weeks_after)) + 1;
    const roomy = (width - (short ? 62 : 90)) / across > 30;
    const step = (value) => Math.min(6, Math.floor((value / top) * 7));
    const title = (cell) => lines(`First played in the week from ${day(date(cell.cohort))}`, cell.weeks_after === 0 ? words.plural(cell.cohort_listeners, "listener", "listeners") : `${words.plural(cell.weeks_after, "week", "weeks")} after: ${number(cell.listeners)} of ${number(cell.cohort_listeners)} (${percent(cell.percent)})`, ...(cell.complete ? [] : ["The data ends before the end of this week."]));
    const svg = plot({
      width, height: cohorts.length * (short || onPaper ? 20 : 25) + 34, marginLeft: short ? 50 : 90, marginRight: 2, marginTop: 30, marginBottom: 4,
      x: { type: "band", axis: "top", label: null, tickSize: 0, padding: 0, tickFormat: (value) => (value === 0 ? (short ? "New" : "New users") : `+${value}`) },
      y: { type: "band", label: null, domain: cohorts, tickSize: 0, padding: 0, tickFormat: (value) => (short ? words.tick : day)(date(value)) },
      color: { type: "threshold", domain: [1, 2, 3, 4, 5, 6].map((at) => (top * at) / 7), range: HEAT },
      marks: [
        Plot.cell(later, { x: "weeks_after", y: "cohort", fill: "percent", fillOpacity: (cell) => (cell.complete ? 1 : 0.45), inset: 1, rx: 2 }),
        Plot.text(cells.filter((cell) => cell.weeks_after === 0), { x: "weeks_after", y: "cohort", text: (cell) => number(cell.cohort_listeners), fontVariant: "tabular-nums" }),
        roomy ? Plot.text(later, { x: "weeks_after", y: "cohort", text: (cell) => `${Math.round(cell.percent)}${short ? "" : " %"}`, fill: (cell) => (step(cell.percent) > 3 && cell.complete ? "var(--on-dark)" : "var(--on-light)"), className: "on-heat" }) : null,
        Plot.cell(cells, Plot.pointer({ x: "weeks_after", y: "cohort", stroke: "var(--ink)", strokeWidth: 2, inset: 0.5, rx: 2 })),
        stops(cells, { x: "weeks_after", y: "cohort" }),
        tip(cells, Plot.pointer, { x: "weeks_after", y: "cohort" }, title),
      ],
    });
    const next = cells.filter((cell) => cell.weeks_after === 1 && cell.complete);
    const mean = next.length ? d3.sum(next, (cell) => cell.listeners) / d3.sum(next, (cell) => cell.cohort_listeners) : null;
    return {
      svg, unit: "Users by the week of their first play, and the share that played again in the weeks after", ramp: later.length ? ["0 %", percent(Math.round(top))] : null, steps: cells.map(title),
      alt: `Grid of the ${cohorts.length} newest weekly cohorts. ${mean === null ? "There is no data after the first week yet." : `On average ${percent(Math.round(mean * 100))} play again in the week after their first.`}`,
    };
  };

  // A result with one row as a list of labels and values.
  const facts = (pairs) => (rows) => ({ facts: pairs.map(([label, key, written = number]) => [label, written(rows[0]?.[key] ?? null)]) });

  return { A, B, setPaper: (is) => { onPaper = is; }, lines, ranked, upright, timed, shares, heat, retention, facts };
})();
