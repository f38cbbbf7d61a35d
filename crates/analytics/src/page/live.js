"use strict";
// What only the served page does: ask within other bounds, and run a statement of one's own.

(() => {
  const { element, number } = words;
  const token = document.querySelector('meta[name="sparkify-token"]').content;
  const form = document.getElementById("filters");
  const state = document.getElementById("state");
  const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });

  const told = (place, message, hint) => {
    place.classList.toggle("bad", Boolean(message));
    place.replaceChildren(...[message, hint && element("span", { class: "soft" }, ` ${hint}`)].filter(Boolean));
  };
  // Asks; while a load has the file it says so and asks again.
  const ask = async (path, body, signal, place) => {
    for (;;) {
      const answered = await fetch(path, { method: "POST", signal, headers: { "content-type": "application/json", "sparkify-token": token }, body: JSON.stringify(body) });
      if (!answered.ok) return { error: (await answered.text()).trim(), hint: answered.status === 403 ? "Reload this page." : null };
      const answer = await answered.json();
      if (!answer.busy) return answer;
      told(place, null, "A load is writing the warehouse; this page asks again until it is done …");
      await pause(1000);
      signal.throwIfAborted();
    }
  };
  const failed = (error) => ({ error: "The server does not answer.", hint: `Is “sparkify serve” still running? (${error.message})` });

  let asking = null;
  const fill = async () => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const bounds = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value || null]));
    document.getElementById("figures").setAttribute("aria-busy", "true");
    // An answer that is there at once needs no word.
    const slow = setTimeout(() => told(state, null, "Asking …"), 300);
    let answer;
    try {
      answer = await ask("/data", bounds, signal, state);
    } catch (error) {
      if (signal.aborted) return;
      answer = failed(error);
    } finally {
      clearTimeout(slow);
    }
    document.getElementById("figures").removeAttribute("aria-busy");
    if (answer.error) {
      told(state, answer.error, answer.hint);
      return;
    }
    told(state, null, null);
    choices(answer.choices, bounds.level);
    page.show(answer);
    words.say(`Figures shown: ${number(answer.coverage.plays)} plays`);
    const kept = new URLSearchParams(Object.entries(bounds).filter(([, value]) => value !== null)).toString();
    history.replaceState(null, "", `${location.pathname}${kept && `?${kept}`}${location.hash}`);
  };
  const choices = ({ first, last, levels }, chosen) => {
    for (const name of ["since", "until"]) Object.assign(form.elements[name], { min: first ?? "", max: last ?? "" });
    const select = form.elements.level;
    const all = chosen && !levels.includes(chosen) ? [...levels, chosen] : levels;
    select.replaceChildren(element("option", { value: "" }, "All"), ...all.map((level) => element("option", { value: level }, words.clean(level))));
    select.value = chosen ?? "";
  };

  form.addEventListener("change", fill);
  form.addEventListener("submit", (event) => { event.preventDefault(); fill(); });
  form.addEventListener("reset", () => setTimeout(fill));
  // A page that is loaded again has the bounds that it had.
  const before = new URLSearchParams(location.search);
  choices({ first: null, last: null, levels: [] }, before.get("level"));
  for (const name of ["since", "until"]) form.elements[name].value = before.get(name) ?? "";
  fill();

  const statement = document.getElementById("statement");
  const sql = document.getElementById("sql");
  const said = document.getElementById("sql-state");
  const place = document.getElementById("answer");
  const cancel = document.getElementById("cancel");
  let running = null;
  const run = async () => {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    cancel.disabled = false;
    place.replaceChildren();
    told(said, null, "Running …");
    const began = performance.now();
    let answer;
    try {
      answer = await ask("/sql", { sql: statement.value }, mine.signal, said);
    } catch (error) {
      answer = mine.signal.aborted ? { error: "Cancelled.", hint: null } : failed(error);
    }
    if (running !== mine) return;
    running = null;
    cancel.disabled = true;
    if (answer.error) {
      told(said, answer.error, answer.hint);
      return;
    }
    const rows = answer.rows.length;
    const took = number(Math.round(performance.now() - began));
    told(said, null, `${words.plural(rows, "row", "rows")} in ${took} ms${answer.more ? `: the first ${number(rows)}, there are more` : ""}`);
    const left = tables.left(answer);
    place.replaceChildren(...[
      page.scrolled("Answer", tables.build(answer, "Answer")),
      left && element("p", { class: "soft" }, `${left} The CSV has all of them.`),
      page.button("Download CSV", () => tables.download("answer", answer), { "aria-label": "Download CSV: the answer" }),
    ].filter(Boolean));
  };
  sql.addEventListener("submit", (event) => { event.preventDefault(); run(); });
  cancel.addEventListener("click", () => running?.abort());
  statement.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });
})();
