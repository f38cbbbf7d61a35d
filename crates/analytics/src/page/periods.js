"use strict";
// Days, weeks (from Monday), months and quarters, UTC: their ends, names, and ticks of a time axis.

const periods = (() => {
  const DAY = 86_400_000;
  const { day, weekdayOf, month, tick, monthTick } = words;
  const quarterOf = (start) => `Q${Math.floor(start.getUTCMonth() / 3) + 1}`;
  const days = (start) => Math.floor(+start / DAY);
  const grains = {
    // `number` counts periods, so that ticks are at Mondays, Januaries and first quarters.
    day: { first: (it) => it, next: (it) => new Date(+it + DAY), number: (it) => days(it) - 4, strides: [1, 2, 7, 14, 28], letters: 6, full: weekdayOf, short: tick },
    week: { first: (it) => new Date((days(it) - ((days(it) + 3) % 7)) * DAY), next: (it) => new Date(+it + 7 * DAY), number: (it) => (days(it) - 4) / 7, strides: [1, 2, 4, 8, 13, 26, 52], letters: 6, full: (it) => `Week from ${day(it)}`, short: tick },
    month: { first: (it) => new Date(Date.UTC(it.getUTCFullYear(), it.getUTCMonth())), next: (it) => new Date(Date.UTC(it.getUTCFullYear(), it.getUTCMonth() + 1)), number: (it) => it.getUTCFullYear() * 12 + it.getUTCMonth(), strides: [1, 3, 6, 12, 24, 60, 120], letters: 4, full: month, short: monthTick },
    quarter: { first: (it) => new Date(Date.UTC(it.getUTCFullYear(), it.getUTCMonth() - (it.getUTCMonth() % 3))), next: (it) => new Date(Date.UTC(it.getUTCFullYear(), it.getUTCMonth() + 3)), number: (it) => it.getUTCFullYear() * 4 + it.getUTCMonth() / 3, strides: [1, 2, 4, 8, 20, 40, 80], letters: 4, full: (it) => `${quarterOf(it)} ${it.getUTCFullYear()}`, short: quarterOf },
  };
  // Start of the period that contains a day.
  const start = (of, grain) => grains[grain].first(of);
  const end = (start, grain) => grains[grain].next(start);
  const middle = (start, grain) => new Date((+start + +end(start, grain)) / 2);

  // Ticks in the middle of periods from `first` to `last`, as many as fit into `width`. The year is
  // on the first tick and where it changes.
  const ticks = (first, last, grain, width) => {
    const { number, strides, letters, short } = grains[grain];
    const room = Math.max(2, Math.floor(width / (letters * 6.5 + 16)));
    const count = number(last) - number(first) + 1;
    const stride = strides.find((it) => count / it <= room) ?? Math.ceil(count / room);
    const labels = new Map();
    let year = null;
    for (let start = first; start <= last; start = end(start, grain)) {
      if (number(start) % stride !== 0 && count > room) continue;
      const own = start.getUTCFullYear();
      const yearOnly = stride > 1 && short(start) === short(new Date(Date.UTC(own, 0))) && grain !== "day" && grain !== "week";
      labels.set(+middle(start, grain), yearOnly && stride % (grain === "month" ? 12 : 4) === 0 ? String(own) : `${short(start)}${own === year ? "" : `\n${own}`}`);
      year = own;
    }
    return labels;
  };

  return { DAY, start, end, middle, ticks, full: (start, grain) => grains[grain].full(start) };
})();
