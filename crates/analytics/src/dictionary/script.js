"use strict";
// Search in tables, tests and saved queries; and the lineage of the column under the pointer.

(() => {
  const form = document.getElementById("search-form");
  const field = document.getElementById("search");
  const found = document.getElementById("found");
  form.hidden = false;
  const rows = [...document.querySelectorAll("tbody tr")];
  const search = () => {
    const terms = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = `${row.closest("section")?.getAttribute("aria-labelledby") ?? ""} ${row.textContent}`.toLowerCase();
      row.hidden = !terms.every((term) => text.includes(term));
      count += row.hidden ? 0 : 1;
    }
    // A part without a row that matches is hidden with its heading.
    for (const part of document.querySelectorAll("main section, main > .part")) {
      const own = [...part.querySelectorAll("tbody tr")];
      part.hidden = terms.length > 0 && own.every((row) => row.hidden);
    }
    found.textContent = terms.length ? (count ? `${count} of ${rows.length} rows` : "Nothing found. Try a part of a name, such as “user”.") : "";
  };
  field.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());
  // A link leads to a row that the search may hide.
  window.addEventListener("hashchange", () => {
    if (document.querySelector(":target")?.closest("[hidden]")) {
      field.value = "";
      search();
      document.querySelector(":target").scrollIntoView();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== field) {
      event.preventDefault();
      field.focus();
    }
  });

  const graph = document.getElementById("lineage-graph");
  const lines = [...graph.querySelectorAll(".line")];
  // Marks the lines to and from a column, and on to the ends of the graph.
  const follow = (name) => {
    const on = new Set();
    const walk = (at, from, to) => {
      for (const line of lines) {
        if (line.dataset[from] === at && !on.has(line)) {
          on.add(line);
          walk(line.dataset[to], from, to);
        }
      }
    };
    walk(name, "from", "to");
    const forward = [...on];
    on.clear();
    walk(name, "to", "from");
    const marked = new Set([...forward, ...on]);
    graph.classList.toggle("followed", marked.size > 0);
    for (const line of lines) line.classList.toggle("on", marked.has(line));
  };
  for (const link of graph.querySelectorAll("a")) {
    const name = link.getAttribute("href").slice(1);
    for (const event of ["pointerenter", "focus"]) link.addEventListener(event, () => follow(name));
    for (const event of ["pointerleave", "blur"]) link.addEventListener(event, () => follow(""));
  }
})();
