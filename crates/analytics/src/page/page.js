"use strict";
// The page itself: figures filled from the data, colours, the way of the keys through a chart.

const page = (() => {
  const { element, number, percent, compact, day, date, moment, time, clean } = words;
  let report = null;
  // The figures as they stand: what each shows, and how to draw it again.
  const figures = new Map();

  const find = (key) => report.answers.find((it) => (it.by ? `${it.question}.${it.by}` : it.question) === key);
  const command = (told) => {
    const quoted = (value) => (/^[\w.-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`);
    const bounds = Object.entries(report.bounds).filter(([name, value]) => value !== null && !told.ignores.includes(name));
    return ["sparkify query", told.question, told.by ? `--by ${told.by}` : null, ...bounds.map(([name, value]) => `--${name} ${quoted(value)}`)].filter(Boolean).join(" ");
  };
  const copy = async (text, button) => {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      // A page from disk may not be trusted with the clipboard: the older way needs a selection.
      const field = element("textarea", { class: "unseen", "aria-hidden": "true" });
      field.value = text;
      document.body.append(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
      button.focus();
    }
    words.say(done ? "Copied" : "The browser does not allow copying");
    const label = button.textContent;
    button.textContent = done ? "Copied" : "Not allowed";
    setTimeout(() => { button.textContent = label; }, 1500);
  };
  const button = (text, does, attributes = {}) => {
    const made = element("button", { type: "button", ...attributes }, text);
    made.addEventListener("click", () => does(made));
    return made;
  };
  // A part that is opened when somebody wants it, and filled then.
  const opened = (label, name, fill) => {
    const body = element("div", { class: "opened" });
    const made = element("details", {}, element("summary", { "aria-label": `${label}: ${name}` }, label), body);
    made.addEventListener("toggle", () => { if (made.open) body.replaceChildren(...fill()); });
    return made;
  };
  const scrolled = (name, child) => element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, child);

  const notes = (told) => {
    const found = [];
    if (told.covers) {
      const { plays, matched } = report.coverage;
      const share = plays ? ` (${percent(Math.round((matched / plays) * 1000) / 10)})` : "";
      found.push(`Covers ${told.covers}. The catalogue knows the song of ${number(matched)} of ${number(plays)} plays${share}.`);
    }
    if (told.ignores.length) found.push(`Not restricted by ${told.ignores.join(", ")}: the question does not take it.`);
    if (told.answer.more) found.push(`Only the first ${number(told.answer.rows.length)} rows are in this page; ${command(told)} has them all.`);
    return found;
  };

  const tableOf = (told, name) => () => {
    const left = tables.left(told.answer);
    return [scrolled(`Table: ${name}`, tables.build(told.answer, name, told.columns)), left && element("p", { class: "soft" }, `${left} The CSV has all of them.`)].filter(Boolean);
  };
  const sqlOf = (told, name) => () => {
    const bound = told.values.map(([parameter, value], index) => `$${index + 1} ${parameter}: ${value === null ? "null" : clean(value)}`);
    return [
      scrolled(`SQL: ${name}`, element("pre", {}, element("code", {}, told.sql))),
      bound.length ? element("p", { class: "soft" }, `Bound to it: ${bound.join(", ")}`) : null,
      element("p", { class: "soft" }, "The same in a terminal: ", element("code", {}, command(told))),
      button("Copy SQL", (it) => copy(told.sql, it), { "aria-label": `Copy SQL: ${name}` }),
    ].filter(Boolean);
  };

  // Arrow keys walk over a drawing as a pointer would, and what it points at is said.
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
    const { chart, variant, holder, told } = figure;
    figure.width = holder.clientWidth;
    const all = tables.objects(told.answer);
    const rows = chart.usable ? chart.usable(all) : all;
    holder.onkeydown = null;
    holder.removeAttribute("tabindex");
    holder.removeAttribute("role");
    holder.removeAttribute("aria-label");
    if (!rows.length) {
      figure.legend.replaceChildren();
      return holder.replaceChildren(element("p", { class: "soft" }, chart.none ?? "Nothing to show within these bounds."));
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
    const told = find(variant.key);
    Object.assign(figure, { variant, told });
    figure.asks.textContent = words.sentence(told.asks);
    figure.notes.replaceChildren(...notes(told).map((note) => element("p", { class: "soft" }, note)));
    const name = figure.name + (figure.chart.variants.length > 1 ? `, ${variant.label.toLowerCase()}` : "");
    const open = [...figure.tools.querySelectorAll("details")].map((it) => it.open);
    const csv = button("CSV", () => tables.download(told.by ? `${told.question}-${told.by}` : told.question, told.answer), { class: "csv", "aria-label": `Download CSV: ${name}` });
    const parts = [opened("Table", name, tableOf(told, name)), opened("SQL", name, sqlOf(told, name))];
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

  // Many days are weeks to begin with.
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
      ["Listeners", number(all.listeners), `${number(all.sessions)} visits`],
      ["Listening hours", number(all.hours), `${number(listening.minutes_a_play)} min a play`],
      ["Paid share", percent(paid ? Math.round(paid.percent * 10) / 10 : 0), "of plays"],
      ["Songs", number(all.songs), `by ${words.plural(all.artists, "artist", "artists")}`],
      ["Catalogue coverage", percent(plays ? Math.round((matched / plays) * 1000) / 10 : null), `${number(matched)} of ${number(plays)} plays`],
      ["Period, UTC", all.first_play ? day(moment(all.first_play)) : "–", all.last_play ? `to ${day(moment(all.last_play))}` : ""],
    ];
    document.getElementById("headline").replaceChildren(...tiles.map(([label, value, more]) => element("div", {}, element("dt", {}, label), element("dd", { class: "value" }, value), element("dd", { class: "soft" }, more))));
  };

  const bounded = () => {
    const { since, until, level } = report.bounds;
    return [since && `from ${day(date(since))}`, until && `to ${day(date(until))}`, level && `level ${clean(level)} where a question takes one`].filter(Boolean).join(", ");
  };
  const standing = () => {
    const load = report.load ? `Data as of load ${number(report.load.number)}, ${time(moment(report.load.started))}` : "No load was published yet";
    const bounds = bounded();
    document.getElementById("standing").textContent = `${load} · ${bounds ? `${bounds} · ` : ""}all times in UTC`;
    document.getElementById("foot").textContent = `Made by sparkify ${report.version} from the warehouse's tables; each figure shows the SQL that it rests on.`;
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
      empty.textContent = report.choices.first === null ? "There is no play in this warehouse yet: load some with “sparkify etl”." : `There is no play within these bounds (${bounded()}). Plays run from ${day(date(report.choices.first))} to ${day(date(report.choices.last))}.`;
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
          // A browser that keeps nothing forgets it with the page.
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
