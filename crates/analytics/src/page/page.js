"use strict";
// Page logic: fills the charts from the data, switches themes, and handles keyboard navigation.

const page = (() => {
  const { element, number, percent, day, date, moment, time, clean } = words;
  let report = null;
  // Results by saved query and `by`. A chart keeps that of earlier filters until it has a new one.
  const answers = new Map();
  // State of each chart, for redrawing.
  const figures = new Map();
  // Width of a figure on paper instead of that on the screen.
  let paper = null;

  const keyOf = (entry) => (entry.by ? `${entry.question}.${entry.by}` : entry.question);
  const rowsOf = (key) => (answers.has(key) ? tables.objects(answers.get(key).answer) : null);
  const coverage = () => {
    const rows = rowsOf("match_coverage");
    const [plays, other] = [rows, rows.filter((row) => row.match_method === "not in the catalogue")].map((of) => d3.sum(of, (row) => row.plays));
    return { plays, matched: plays - other };
  };
  const command = (entry) => {
    const quoted = (value) => (/^[\w.-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`);
    const bounds = Object.entries(report.bounds).filter(([name, value]) => value !== null && !entry.ignores.includes(name));
    return ["sparkify query", entry.question, entry.by ? `--by ${entry.by}` : null, ...bounds.map(([name, value]) => `--${name} ${quoted(value)}`)].filter(Boolean).join(" ");
  };
  const copy = async (text, button) => {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      // Pages from disk may lack clipboard access: fall back to execCommand, which needs a selection.
      const field = element("textarea", { class: "unseen", "aria-hidden": "true" });
      field.value = text;
      document.body.append(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
      button.focus();
    }
    words.say(done ? "Copied" : "The browser blocks copying");
    const label = button.textContent;
    button.textContent = done ? "Copied" : "Not allowed";
    setTimeout(() => { button.textContent = label; }, 1500);
  };
  const button = (text, does, attributes = {}) => {
    const made = element("button", { type: "button", ...attributes }, text);
    made.addEventListener("click", () => does(made));
    return made;
  };
  // Collapsed section, filled when it is opened.
  const opened = (label, name, fill) => {
    const body = element("div", { class: "opened" });
    const made = element("details", {}, element("summary", { "aria-label": `${label}: ${name}` }, label), body);
    made.addEventListener("toggle", () => { if (made.open) body.replaceChildren(...fill()); });
    return made;
  };
  const scrolled = (name, child) => element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, child);

  const notes = ({ chart, entry }) => {
    const found = [];
    const { personal, matched: any } = holds();
    if (entry.covers && !chart.covered && (!personal || any)) {
      const { plays, matched } = coverage();
      const share = plays ? ` (${percent((matched / plays) * 100)})` : "";
      found.push(`Covers ${entry.covers}. Catalogue match coverage: ${number(matched)} of ${number(plays)} plays${share}.`);
    }
    if (entry.ignores.length) found.push(`Not filtered by ${entry.ignores.join(", ")}: the saved query does not support it.`);
    if (entry.answer.more) found.push(`Only the first ${number(entry.answer.rows.length)} rows are in this page; ${command(entry)} returns all.`);
    return found;
  };

  const tableOf = (entry, name) => () => {
    const left = tables.left(entry.answer);
    return [scrolled(`Table: ${name}`, tables.build(entry.answer, name, { meanings: entry.columns })), left && element("p", { class: "soft" }, `${left} The CSV has all rows.`)].filter(Boolean);
  };
  const sqlOf = (entry, name) => () => {
    const bound = entry.values.map(([parameter, value], index) => `$${index + 1} ${parameter}: ${value === null ? "null" : clean(value)}`);
    return [
      scrolled(`SQL: ${name}`, element("pre", {}, element("code", {}, entry.sql))),
      bound.length ? element("p", { class: "soft" }, `Parameters: ${bound.join(", ")}`) : null,
      element("p", { class: "soft" }, "Command: ", element("code", {}, command(entry))),
      button("Copy SQL", (it) => copy(entry.sql, it), { "aria-label": `Copy SQL: ${name}` }),
    ].filter(Boolean);
  };

  // Keyboard navigation: arrow keys send pointer events to the chart and announce the value.
  const walkable = (holder, drawn) => {
    let at = -1;
    const go = (to) => {
      const places = holder.querySelectorAll('g.stops > *');
      if (!places.length) return;
      at = Math.max(0, Math.min(places.length - 1, to));
      const { left, top, width, height } = places[at].getBoundingClientRect();
      const place = { clientX: left + width / 2, clientY: top + height / 2, pointerType: "mouse", bubbles: true };
      const svg = holder.querySelector("svg");
      svg.dispatchEvent(new PointerEvent("pointerenter", place));
      svg.dispatchEvent(new PointerEvent("pointermove", place));
      words.say(drawn.steps[at].replaceAll("\n", ", "));
    };
    holder.onkeydown = (event) => {
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: Infinity }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      go(to);
    };
    holder.onblur = () => holder.querySelector("svg")?.dispatchEvent(new PointerEvent("pointerleave", { bubbles: true }));
  };

  const legend = (drawn) => {
    const made = element("p", { class: "legend" });
    if (drawn.unit) made.append(element("span", { class: "soft" }, drawn.unit));
    for (const it of drawn.legend ?? []) {
      const mark = element("span", { class: "swatch", "aria-hidden": "true" });
      mark.style.background = it.dash ? `repeating-linear-gradient(90deg, ${it.color} 0 5px, transparent 5px 8px)` : it.color;
      if (it.dash) mark.classList.add("dashed");
      made.append(element("span", {}, mark, it.label));
    }
    if (drawn.ramp) made.append(element("span", { class: "ramp" }, drawn.ramp[0], element("span", { class: "bar", "aria-hidden": "true" }), drawn.ramp[1]));
    return made;
  };

  const draw = (figure) => {
    const { chart, variant, holder, entry } = figure;
    if (!entry) return;
    figure.width = paper ? paper(figure.node) : holder.clientWidth;
    const all = tables.objects(entry.answer);
    const rows = chart.usable ? chart.usable(all) : all;
    holder.onkeydown = null;
    for (const name of ["tabindex", "role", "aria-label"]) holder.removeAttribute(name);
    if (!rows.length) {
      figure.legend.replaceChildren();
      holder.replaceChildren(element("p", { class: "soft" }, chart.none ?? "No data for these filters."));
      return;
    }
    const drawn = chart.draw(rows, Math.max(240, figure.width), variant, all);
    if (drawn.facts) {
      holder.replaceChildren(element("dl", { class: "facts" }, ...drawn.facts.flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, value)])));
      return;
    }
    drawn.svg.setAttribute("aria-hidden", "true");
    holder.replaceChildren(drawn.svg);
    holder.setAttribute("role", "img");
    holder.setAttribute("tabindex", "0");
    holder.setAttribute("aria-label", `${drawn.alt} The table below has every value.`);
    figure.legend.replaceChildren(...legend(drawn).childNodes);
    walkable(holder, drawn);
  };

  // Shows a variant, or that its result is not known yet.
  const choose = (figure, variant) => {
    const entry = answers.get(variant.key);
    Object.assign(figure, { variant, entry });
    if (!entry) {
      figure.holder.replaceChildren(element("p", { class: "soft loading" }, "Loading …"));
      return;
    }
    figure.asks.textContent = words.sentence(entry.asks);
    figure.notes.replaceChildren(...notes(figure).map((note) => element("p", { class: "soft" }, note)));
    const name = figure.name + (figure.variants.length > 1 ? `, ${variant.label.toLowerCase()}` : "");
    const open = [...figure.tools.querySelectorAll("details")].map((it) => it.open);
    const csv = button("CSV", () => tables.download(entry.by ? `${entry.question}-${entry.by}` : entry.question, entry.answer), { class: "csv", "aria-label": `Download CSV: ${name}` });
    const parts = [opened("Table", name, tableOf(entry, name)), opened("SQL", name, sqlOf(entry, name))];
    parts.forEach((it, index) => { it.open = open[index] ?? false; });
    figure.tools.replaceChildren(...parts, csv);
    figure.node.removeAttribute("aria-busy");
    draw(figure);
  };

  // Offers the variants of a figure, which depend on the span of the data.
  const offer = (figure) => {
    const { chart, name, segments } = figure;
    figure.variants = chart.variants(report);
    const variant = figure.variants.find((it) => it.label === figure.variant?.label) ?? figure.variants[0];
    segments.hidden = figure.variants.length < 2;
    segments.replaceChildren(element("legend", { class: "unseen" }, `${name} by`), ...figure.variants.map((it) => {
      const input = element("input", { type: "radio", name: `${figure.node.dataset.chart}-by`, checked: it === variant });
      input.addEventListener("change", () => choose(figure, it));
      return element("label", {}, input, element("span", {}, it.label));
    }));
    const isSame = figure.entry && keyOf(figure.entry) === variant.key;
    Object.assign(figure, { variant, entry: isSame ? figure.entry : undefined });
  };

  const build = (node) => {
    const name = node.querySelector("h3").textContent;
    const id = `figure-${node.dataset.chart}`;
    node.querySelector("h3").id = id;
    node.setAttribute("aria-labelledby", id);
    const figure = { chart: charts[node.dataset.chart], name, node, asks: element("p", { class: "asks" }), segments: element("fieldset", { class: "segments", hidden: true }), legend: element("p", { class: "legend" }), holder: element("div", { class: "holder" }), notes: element("div", { class: "notes" }), tools: element("div", { class: "tools" }) };
    node.append(figure.asks, figure.segments, figure.legend, figure.holder, figure.notes, figure.tools);
    figures.set(node.dataset.chart, figure);
  };

  const bounded = () => {
    const { since, until, level } = report.bounds;
    return [since && `from ${day(date(since))}`, until && `to ${day(date(until))}`, level && `level ${clean(level)} where supported`].filter(Boolean).join(", ");
  };
  const standing = () => {
    const load = report.load ? `Data as of load ${number(report.load.number)}, ${time(moment(report.load.started))}` : "No published load yet";
    const bounds = bounded();
    document.getElementById("standing").textContent = `${load} · ${bounds ? `${bounds} · ` : ""}all times in UTC`;
    document.getElementById("foot").textContent = `Generated by sparkify ${report.version}. Each chart shows its SQL.`;
  };

  // Guides a reader who has no plays to see.
  const emptiness = () => {
    const code = (text) => element("code", {}, text);
    if (report.choices.first === null) {
      return [
        element("h2", {}, "The warehouse has no plays yet"),
        element("p", {}, "Load event and song files: ", code("sparkify etl --log-data FOLDER --song-data FOLDER")),
        element("p", {}, "Or try it with sample data: ", code("sparkify generate sample"), " and then ", code("sparkify etl --log-data sample/log_data --song-data sample/song_data")),
      ];
    }
    const form = document.getElementById("filters");
    return [
      element("h2", {}, `No plays for these filters (${bounded()})`),
      element("p", {}, `Plays run from ${day(date(report.choices.first))} to ${day(date(report.choices.last))}${report.choices.levels.length ? `, at level ${report.choices.levels.map(clean).join(" or ")}` : ""}.`),
      form ? button("Reset the filters", () => form.reset()) : element("p", {}, "Write the report again with other values of ", code("--since"), ", ", code("--until"), " or ", code("--level"), "."),
    ];
  };
  const showEmptiness = (none) => {
    const empty = document.getElementById("empty");
    empty.hidden = !none;
    document.getElementById("figures").hidden = none;
    document.querySelector(".contents").hidden = none;
    if (none) empty.replaceChildren(...emptiness());
  };

  // What the plays hold, beside their number. A result that is not known yet leaves everything out
  // that depends on it.
  const holds = () => {
    const users = rowsOf("top_users") ?? [];
    const personal = users.length === 1 && users[0].first_name === null && users[0].last_name === null;
    return { personal, matched: coverage().matched > 0, levels: report.choices.levels.length > 0 };
  };
  // Leaves out the charts that have nothing to say, and sections without a chart.
  const leaveOut = () => {
    const held = holds();
    for (const { chart, node, entry } of figures.values()) node.hidden = Boolean(entry && chart.informs && !chart.informs(tables.objects(entry.answer), held));
    for (const section of document.querySelectorAll("#figures section:has(figure)")) {
      section.hidden = !section.querySelector("figure:not([hidden])");
      document.querySelector(`.contents a[href="#${section.getAttribute("aria-labelledby")}"]`).hidden = section.hidden;
    }
    return held;
  };

  // First and last day of the plays that pass the filters.
  const spanOf = ({ choices: { first, last }, bounds: { since, until } }) => [since && since > first ? since : first, until && until < last ? until : last].map((it) => it && date(it));
  // Begins a report: its results follow one by one.
  const begin = (head) => {
    report = { ...head, span: spanOf(head) };
    answers.clear();
    standing();
    for (const figure of figures.values()) {
      figure.node.setAttribute("aria-busy", "true");
      offer(figure);
      if (!figure.entry) choose(figure, figure.variant);
    }
  };
  const add = (entry) => {
    const key = keyOf(entry);
    answers.set(key, entry);
    if (key === "match_coverage") showEmptiness(coverage().plays === 0);
    if (coverage().plays === 0) return;
    for (const figure of figures.values()) if (figure.variant.key === key) choose(figure, figure.variant);
    const held = leaveOut();
    if (/^(match_coverage|overview|listening_time|plays_by_level|plays_by_period|free_and_paid|top_users)/.test(key)) headline.show(report, coverage(), rowsOf, held);
  };

  const colours = () => {
    const root = document.documentElement;
    for (const input of document.querySelectorAll("#theme input")) {
      input.checked = input.value === (root.dataset.theme ?? "system");
      input.addEventListener("change", () => {
        if (input.value === "system") delete root.dataset.theme;
        else root.dataset.theme = input.value;
        try {
          localStorage.setItem("sparkify-theme", input.value);
        } catch {
          // Without local storage the choice lasts until the page is closed.
        }
      });
    }
  };

  const redraw = () => {
    for (const figure of figures.values()) if (paper || figure.holder.clientWidth !== figure.width) draw(figure);
  };

  colours();
  document.querySelectorAll("figure[data-chart]").forEach(build);
  let waiting = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(redraw);
  }).observe(document.getElementById("content"));
  // On paper a figure has the width of the print style, whatever that of the window.
  window.addEventListener("beforeprint", () => {
    paper = (node) => (node.classList.contains("wide") ? 680 : 325);
    marks.setPaper(true);
    redraw();
  });
  window.addEventListener("afterprint", () => {
    paper = null;
    marks.setPaper(false);
    redraw();
  });
  const data = document.getElementById("data").textContent;
  if (data.trim()) {
    const { answers: all, ...head } = JSON.parse(data);
    begin(head);
    all.forEach(add);
  }
  return { begin, add, coverage, button, scrolled, copy };
})();
