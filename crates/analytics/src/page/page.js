"use strict";
// Page logic: fills the charts from the data, switches themes, and handles keyboard navigation.

const page = (() => {
  const { element, number, percent, compact, day, date, moment, time, clean } = words;
  let report = null;
  // State of each chart, for redrawing.
  const figures = new Map();

  const find = (key) => report.answers.find((it) => (it.by ? `${it.question}.${it.by}` : it.question) === key);
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

  const notes = (entry) => {
    const found = [];
    if (entry.covers) {
      const { plays, matched } = report.coverage;
      const share = plays ? ` (${percent(Math.round((matched / plays) * 1000) / 10)})` : "";
      found.push(`Covers ${entry.covers}. Catalogue match coverage: ${number(matched)} of ${number(plays)} plays${share}.`);
    }
    if (entry.ignores.length) found.push(`Not filtered by ${entry.ignores.join(", ")}: the saved query does not support it.`);
    if (entry.answer.more) found.push(`Only the first ${number(entry.answer.rows.length)} rows are in this page; ${command(entry)} returns all.`);
    return found;
  };

  const tableOf = (entry, name) => () => {
    const left = tables.left(entry.answer);
    return [scrolled(`Table: ${name}`, tables.build(entry.answer, name, entry.columns)), left && element("p", { class: "soft" }, `${left} The CSV has all rows.`)].filter(Boolean);
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
    figure.width = holder.clientWidth;
    const all = tables.objects(entry.answer);
    const rows = chart.usable ? chart.usable(all) : all;
    holder.onkeydown = null;
    holder.removeAttribute("tabindex");
    holder.removeAttribute("role");
    holder.removeAttribute("aria-label");
    if (!rows.length) {
      figure.legend.replaceChildren();
      return holder.replaceChildren(element("p", { class: "soft" }, chart.none ?? "No data for these filters."));
    }
    const drawn = chart.draw(rows, Math.max(240, figure.width), variant);
    if (drawn.facts) return holder.replaceChildren(element("dl", { class: "facts" }, ...drawn.facts.flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, value)])));
    drawn.svg.setAttribute("aria-hidden", "true");
    holder.replaceChildren(drawn.svg);
    holder.setAttribute("role", "img");
    holder.setAttribute("tabindex", "0");
    holder.setAttribute("aria-label", `${drawn.alt} The table below has every value.`);
    figure.legend.replaceChildren(...legend(drawn).childNodes);
    walkable(holder, drawn);
  };

  const choose = (figure, variant) => {
    const entry = find(variant.key);
    Object.assign(figure, { variant, entry });
    figure.asks.textContent = words.sentence(entry.asks);
    figure.notes.replaceChildren(...notes(entry).map((note) => element("p", { class: "soft" }, note)));
    const name = figure.name + (figure.chart.variants.length > 1 ? `, ${variant.label.toLowerCase()}` : "");
    const open = [...figure.tools.querySelectorAll("details")].map((it) => it.open);
    const csv = button("CSV", () => tables.download(entry.by ? `${entry.question}-${entry.by}` : entry.question, entry.answer), { class: "csv", "aria-label": `Download CSV: ${name}` });
    const parts = [opened("Table", name, tableOf(entry, name)), opened("SQL", name, sqlOf(entry, name))];
    parts.forEach((it, index) => { it.open = open[index] ?? false; });
    figure.tools.replaceChildren(...parts, csv);
    draw(figure);
  };

  const build = (node) => {
    const chart = charts[node.dataset.chart];
    const name = node.querySelector("h3").textContent;
    const id = `figure-${node.dataset.chart}`;
    node.querySelector("h3").id = id;
    node.setAttribute("aria-labelledby", id);
    const figure = { chart, name, node, asks: element("p", { class: "asks" }), legend: element("p", { class: "legend" }), holder: element("div", { class: "holder" }), notes: element("div", { class: "notes" }), tools: element("div", { class: "tools" }) };
    figures.set(node.dataset.chart, figure);
    node.append(figure.asks);
    if (chart.variants.length > 1) {
      const set = element("fieldset", { class: "segments" }, element("legend", { class: "unseen" }, `${name} by`));
      chart.variants.forEach((variant, index) => {
        const input = element("input", { type: "radio", name: id, value: String(index), checked: index === 0 });
        input.addEventListener("change", () => choose(figure, variant));
        set.append(element("label", {}, input, element("span", {}, variant.label)));
      });
      node.append(set);
    }
    node.append(figure.legend, figure.holder, figure.notes, figure.tools);
    return figure;
  };

  // Starts with weeks if there are more than 120 days.
  const first = (figure) => {
    const { variants } = figure.chart;
    if (variants[0].label !== "Day") return variants[0];
    return variants[find("plays_by_day").answer.rows.length > 120 ? 1 : 0];
  };

  const headline = () => {
    const of = (key) => tables.objects(find(key).answer);
    const [all] = of("overview");
    const paid = of("plays_by_level").find((row) => row.level === "paid");
    const [listening] = of("listening_time");
    const { plays, matched } = report.coverage;
    const tiles = [
      ["Plays", number(all.plays), all.guest_plays ? `${number(all.guest_plays)} by guests` : `${number(listening.days)} days with plays`],
      ["Listeners", number(all.listeners), `${number(all.sessions)} sessions`],
      ["Listening hours", number(all.hours), `${number(listening.minutes_a_play)} min per play`],
      ["Paid share", percent(paid ? Math.round(paid.percent * 10) / 10 : 0), "of plays"],
      ["Songs", number(all.songs), `by ${words.plural(all.artists, "artist", "artists")}`],
      ["Catalogue coverage", percent(plays ? Math.round((matched / plays) * 1000) / 10 : null), `${number(matched)} of ${number(plays)} plays`],
      ["Period, UTC", all.first_play ? day(moment(all.first_play)) : "–", all.last_play ? `to ${day(moment(all.last_play))}` : ""],
    ];
    document.getElementById("headline").replaceChildren(...tiles.map(([label, value, more]) => element("div", {}, element("dt", {}, label), element("dd", { class: "value" }, value), element("dd", { class: "soft" }, more))));
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

  const show = (next) => {
    report = next;
    standing();
    const none = report.coverage.plays === 0;
    const empty = document.getElementById("empty");
    empty.hidden = !none;
    document.getElementById("figures").hidden = none;
    document.querySelector(".contents").hidden = none && !document.getElementById("ask");
    if (none) {
      empty.textContent = report.choices.first === null ? "The warehouse has no plays yet: load data with “sparkify etl”." : `No plays for these filters (${bounded()}). Plays run from ${day(date(report.choices.first))} to ${day(date(report.choices.last))}.`;
      return;
    }
    headline();
    for (const node of document.querySelectorAll("figure[data-chart]")) {
      const known = figures.get(node.dataset.chart);
      const figure = known ?? build(node);
      const variant = known?.variant ?? first(figure);
      const chosen = node.querySelectorAll("input")[figure.chart.variants.indexOf(variant)];
      if (chosen) chosen.checked = true;
      choose(figure, variant);
    }
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

  colours();
  let waiting = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      for (const figure of figures.values()) if (figure.holder.clientWidth !== figure.width) draw(figure);
    });
  }).observe(document.getElementById("content"));
  const data = document.getElementById("data").textContent;
  if (data.trim()) show(JSON.parse(data));
  return { show, button, scrolled, copy };
})();
