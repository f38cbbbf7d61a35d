"use strict";
// Served page only: the SQL editor with its history.

(() => {
  const { element, number } = words;
  const { request, failed, showMessage } = live;
  const statement = document.getElementById("statement");
  const form = document.getElementById("editor");
  const said = document.getElementById("sql-state");
  const place = document.getElementById("answer");
  const cancel = document.getElementById("cancel");
  const list = document.getElementById("history");

  // Statements of this browser, newest first.
  const KEY = "sparkify-sql-history";
  const KEPT = 50;
  let past = [];
  try {
    past = JSON.parse(localStorage.getItem(KEY) ?? "[]").filter((sql) => typeof sql === "string");
  } catch {
    // Without local storage the history lasts until the page is closed.
  }
  const showPast = () => {
    const entry = (sql) => {
      const made = element("button", { type: "button", class: "entry", title: words.cut(sql, 2000) }, words.cut(sql.replace(/\s+/g, " "), 200));
      made.addEventListener("click", () => {
        statement.value = sql;
        statement.focus();
      });
      return element("li", {}, made);
    };
    list.replaceChildren(...past.map(entry));
    document.getElementById("past").hidden = past.length === 0;
  };
  const keep = (changed) => {
    past = changed.slice(0, KEPT);
    try {
      localStorage.setItem(KEY, JSON.stringify(past));
    } catch {
      // As above.
    }
    showPast();
  };
  document.getElementById("forget").addEventListener("click", () => keep([]));
  showPast();

  // An error keeps the columns of its text, so that the caret is below the mistake.
  const showError = ({ error, hint }) => {
    said.classList.add("bad");
    const [first, ...rest] = error.trimEnd().split("\n");
    said.replaceChildren(...[first, hint && element("span", { class: "soft" }, ` ${hint}`)].filter(Boolean));
    const lines = rest.join("\n").replace(/^\n+/, "");
    place.replaceChildren(...(lines ? [page.scrolled("Position of the error", element("pre", { class: "bad" }, lines))] : []));
  };
  const showResult = (answer, time) => {
    const rows = answer.rows.length;
    showMessage(said, null, `${words.plural(rows, "row", "rows")} in ${number(Math.round(time))} ms${answer.more ? `: only the first ${number(rows)} rows` : ""}`);
    const left = tables.left(answer);
    place.replaceChildren(...[
      page.scrolled("Result", tables.build(answer, "Result", { typed: true })),
      left && element("p", { class: "soft" }, `${left} The CSV has all rows.`),
      page.button("Download CSV", () => tables.download("result", answer), { "aria-label": "Download CSV: the result" }),
    ].filter(Boolean));
  };

  let running = null;
  const run = async () => {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    cancel.disabled = false;
    place.replaceChildren();
    showMessage(said, null, "Running …");
    const sql = statement.value;
    if (sql.trim()) keep([sql, ...past.filter((it) => it !== sql)]);
    const began = performance.now();
    let answer = null;
    try {
      await request("/sql", { sql }, mine.signal, said, (line) => { answer = line; });
    } catch (error) {
      answer = mine.signal.aborted ? { error: "Cancelled.", hint: null } : failed(error);
    }
    if (running !== mine) return;
    running = null;
    cancel.disabled = true;
    if (answer.error) showError(answer);
    else showResult(answer, performance.now() - began);
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); run(); });
  cancel.addEventListener("click", () => running?.abort());
  statement.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });
})();
