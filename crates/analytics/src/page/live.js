"use strict";
// Served page only: filters and the SQL editor.

(() => {
  const { element, number } = words;
  // The cookie has the key from now on: the address can be bookmarked without it.
  const address = new URL(location.href);
  address.searchParams.delete("key");
  history.replaceState(null, "", address);
  const token = document.querySelector('meta[name="sparkify-token"]').content;
  const form = document.getElementById("filters");
  const state = document.getElementById("state");
  const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });

  const showMessage = (place, message, hint) => {
    place.classList.toggle("bad", Boolean(message));
    place.replaceChildren(...[message, hint && element("span", { class: "soft" }, ` ${hint}`)].filter(Boolean));
  };
  // Sends a request. While a load locks the file, shows a message and retries every second.
  const request = async (path, body, signal, place) => {
    for (;;) {
      const answered = await fetch(path, { method: "POST", signal, headers: { "content-type": "application/json", "sparkify-token": token }, body: JSON.stringify(body) });
      if (!answered.ok) return { error: (await answered.text()).trim(), hint: answered.status === 403 ? "Reload this page." : null };
      const answer = await answered.json();
      if (!answer.busy) return answer;
      showMessage(place, null, "A load is writing to the warehouse; the page retries until it has finished …");
      await pause(1000);
      signal.throwIfAborted();
    }
  };
  const failed = (error) => ({ error: "The server does not respond.", hint: `Is “sparkify serve” still running? (${error.message})` });

  let asking = null;
  const fill = async () => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const bounds = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value || null]));
    document.getElementById("figures").setAttribute("aria-busy", "true");
    // Fast responses show no message.
    const slow = setTimeout(() => showMessage(state, null, "Loading …"), 300);
    let answer;
    try {
      answer = await request("/data", bounds, signal, state);
    } catch (error) {
      if (signal.aborted) return;
      answer = failed(error);
    } finally {
      clearTimeout(slow);
    }
    document.getElementById("figures").removeAttribute("aria-busy");
    if (answer.error) {
      showMessage(state, answer.error, answer.hint);
      return;
    }
    showMessage(state, null, null);
    choices(answer.choices, bounds.level);
    page.show(answer);
    words.say(`Charts updated: ${number(answer.coverage.plays)} plays`);
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
  // Restores the filters from the URL.
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
    showMessage(said, null, "Running …");
    const began = performance.now();
    let answer;
    try {
      answer = await request("/sql", { sql: statement.value }, mine.signal, said);
    } catch (error) {
      answer = mine.signal.aborted ? { error: "Cancelled.", hint: null } : failed(error);
    }
    if (running !== mine) return;
    running = null;
    cancel.disabled = true;
    if (answer.error) {
      showMessage(said, answer.error, answer.hint);
      return;
    }
    const rows = answer.rows.length;
    const took = number(Math.round(performance.now() - began));
    showMessage(said, null, `${words.plural(rows, "row", "rows")} in ${took} ms${answer.more ? `: only the first ${number(rows)} rows` : ""}`);
    const left = tables.left(answer);
    place.replaceChildren(...[
      page.scrolled("Result", tables.build(answer, "Result")),
      left && element("p", { class: "soft" }, `${left} The CSV has all rows.`),
      page.button("Download CSV", () => tables.download("result", answer), { "aria-label": "Download CSV: the result" }),
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
