"use strict";
// Formatting of numbers, dates and names, and creation of DOM elements from text.

const words = (() => {
  const digits = [0, 1, 2].map((most) => new Intl.NumberFormat("en", { maximumFractionDigits: most }));
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const days = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
  const dayForm = days({ day: "numeric", month: "short", year: "numeric" });
  const weekdayForm = days({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
  const monthForm = days({ month: "long", year: "numeric" });
  const tickForm = days({ day: "numeric", month: "short" });
  const monthTickForm = days({ month: "short" });
  const momentForm = days({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

  const isNone = (value) => value === null || value === undefined || Number.isNaN(value);
  // Two decimals, as saved queries round.
  const exact = (value) => (isNone(value) ? "–" : digits[2].format(value));
  // No more digits than a reader needs: 468, 31.6, 0.44.
  const number = (value) => {
    if (isNone(value)) return "–";
    const size = Math.abs(value);
    return digits[Number.isInteger(value) || size >= 100 ? 0 : size >= 1 ? 1 : 2].format(value);
  };
  const percent = (value) => {
    if (isNone(value)) return "–";
    return value > 0 && value < 0.05 ? "< 0.1 %" : `${digits[1].format(value)} %`;
  };
  const date = (text) => new Date(`${text.slice(0, 10)}T00:00:00Z`);
  const moment = (text) => new Date(`${text.slice(0, 23).replace(" ", "T")}Z`);

  // Control and bidirectional characters are shown as a dot; the data is unchanged.
  const clean = (text) => String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "\u00b7");
  const cut = (text, most) => {
    const letters = Array.from(clean(text).slice(0, most * 4));
    return letters.length > most ? `${letters.slice(0, Math.max(1, most - 1)).join("").trimEnd()}…` : letters.join("");
  };

  const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
  const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;

  // element("p", { class: "soft" }, "text", child): text is never read as markup.
  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
    return made;
  };

  return {
    number, exact, percent, cut, clean, date, moment, weekdays, sentence, plural, element,
    compact: (value) => short.format(value),
    day: (value) => dayForm.format(value),
    weekdayOf: (value) => weekdayForm.format(value),
    month: (value) => monthForm.format(value),
    tick: (value) => tickForm.format(value),
    monthTick: (value) => monthTickForm.format(value),
    time: (value) => `${momentForm.format(value)} UTC`,
    hour: (hour) => `${String(hour).padStart(2, "0")}:00`,
    say: (text) => { document.getElementById("said").textContent = text; },
  };
})();
