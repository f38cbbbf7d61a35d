"use strict";
// A result as a table, and as the CSV that `sparkify query --format csv` writes.

const tables = (() => {
  const { element, number, exact, clean } = words;
  const numeric = (kind) => kind === "integer" || kind === "double" || kind === "decimal";
  // Limits of the table; the CSV is complete.
  const LONGEST = 300;
  const ROWS = 500;

  const shown = (value, kind, name) => {
    if (value === null) return "";
    if (numeric(kind) && typeof value === "number" && /(^|_)(id|year|decade)$|^load$/.test(name)) return String(value);
    if (numeric(kind)) return Number.isFinite(Number(value)) && Number.isSafeInteger(Math.trunc(Number(value))) ? exact(Number(value)) : String(value);
    const text = String(value);
    return clean(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
  };

  // Values that a reader copies whole, and dates, stay in one line.
  const isWhole = (value, kind) => kind === "date" || kind === "timestamp" || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
  const cell = (value, column) => {
    const made = element("td", { class: numeric(column.kind) ? "number" : isWhole(value, column.kind) ? "whole" : null });
    if (value === null) made.append(element("span", { class: "soft" }, "none"));
    else made.append(element("bdi", {}, shown(value, column.kind, column.name)));
    return made;
  };

  // With `typed`, columns have their own names and types; else `meanings` describes them.
  const build = (answer, caption, { meanings = [], typed = false } = {}) => {
    const head = answer.columns.map((column, index) => element("th", {
      scope: "col", class: numeric(column.kind) ? "number" : null, title: meanings[index]?.description,
    }, typed ? clean(column.name) : column.name.replaceAll("_", " "), typed && element("span", { class: "type" }, column.kind)));
    const rows = answer.rows.slice(0, ROWS).map((row) => element("tr", {}, ...row.map((value, index) => cell(value, answer.columns[index]))));
    return element("table", {},
      element("caption", { class: "unseen" }, caption),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...rows));
  };

  const left = (answer) => (answer.rows.length > ROWS ? `The first ${number(ROWS)} of ${number(answer.rows.length)} rows.` : null);

  const field = (value) => {
    if (value === null) return "";
    const text = String(value);
    if (text === "") return '""';
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (values) => `${values.map(field).join(",")}\n`;
  const csv = (answer) => line(answer.columns.map((column) => column.name)) + answer.rows.map(line).join("");

  const download = (name, answer) => {
    const address = URL.createObjectURL(new Blob([csv(answer)], { type: "text/csv;charset=utf-8" }));
    const link = element("a", { href: address, download: `${name}.csv` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };

  // Converts rows to objects; numbers that are sent as text become numbers.
  const objects = (answer) => answer.rows.map((row) => Object.fromEntries(answer.columns.map((column, index) => {
    const value = row[index];
    return [column.name, value !== null && numeric(column.kind) ? Number(value) : value];
  })));

  return { build, csv, download, left, objects };
})();
