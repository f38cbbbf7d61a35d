"use strict";
// Key figures, with the change of the last complete period against the one before.

const headline = (() => {
  const { element, number, percent, day, date, moment, plural } = words;

  // Returns the last two consecutive complete periods between two days, of the coarser grain that
  // has them.
  const lastTwo = (grains, of, first, last) => {
    const order = ["day", "week", "month", "quarter"];
    const coarserFirst = [...grains].sort((a, b) => order.indexOf(b) - order.indexOf(a));
    for (const grain of coarserFirst) {
      const rows = of(`plays_by_period.${grain}`);
      if (rows === null) return null;
      const complete = rows.filter((row) => date(row.period) >= first && +periods.end(date(row.period), grain) <= +last + periods.DAY);
      const [before, now] = complete.slice(-2);
      if (now && +periods.end(date(before.period), grain) === +date(now.period)) return { grain, before, now };
    }
    return null;
  };

  const signed = (value, text) => `${value > 0 ? "+" : value < 0 ? "−" : "±"}${text(Math.abs(value))}`;
  const change = (two, key) => {
    if (!two || !two.before[key]) return null;
    const share = ((two.now[key] - two.before[key]) / two.before[key]) * 100;
    return { text: signed(share, percent), title: `${periods.full(date(two.before.period), two.grain)}: ${number(two.before[key])}; ${periods.full(date(two.now.period), two.grain)}: ${number(two.now[key])}` };
  };
  const points = (two, of) => {
    const rows = two && of(`free_and_paid.${two.grain}`);
    const share = (period) => rows?.find((row) => row.period === period)?.paid_plays_percent;
    const [before, now] = two ? [share(two.before.period), share(two.now.period)] : [];
    if (before === undefined || now === undefined) return null;
    return { text: signed(now - before, (value) => `${number(Math.round(value * 10) / 10)} points`), title: `${periods.full(date(two.before.period), two.grain)}: ${percent(before)}; ${periods.full(date(two.now.period), two.grain)}: ${percent(now)}` };
  };

  const card = ([label, value, more, changed]) => {
    const shown = element("dd", { class: "value" }, value);
    // The longer a value, the smaller its text: it never leaves the card.
    shown.style.setProperty("--letters", String(Math.max(6, value.length)));
    return element("div", {}, element("dt", {}, label), shown, element("dd", { class: "soft" }, more), changed && element("dd", { class: "change", title: changed.title }, changed.text));
  };

  // `of` returns the rows of a result, or null before it is known; `held` is what the plays hold.
  const show = (report, coverage, of, held) => {
    const row = (key) => of(key)?.[0] ?? {};
    const two = lastTwo(report.grains, of, ...report.span);
    const [all, listening] = [row("overview"), row("listening_time")];
    const paid = of("plays_by_level")?.find((it) => it.level === "paid");
    const known = (value, text) => (value === undefined ? "…" : value === null ? "–" : text(value));
    const cards = [
      ["Plays", number(coverage.plays), known(all.guest_plays, (guests) => (guests ? `${number(guests)} by guests` : known(listening.days, (days) => `${plural(days, "day", "days")} with plays`))), change(two, "plays")],
      !held.personal && ["Listeners", known(listening.listeners, number), known(all.sessions, (sessions) => plural(sessions, "session", "sessions")), change(two, "listeners")],
      ["Listening time", known(listening.hours, (hours) => `${number(hours)} h`), known(listening.minutes_a_play, (minutes) => `${number(minutes)} min per play`), change(two, "hours")],
      held.levels && ["Paid share", of("plays_by_level") === null ? "…" : percent(paid ? paid.percent : 0), "of plays", points(two, of)],
      ["Songs", known(all.songs, number), known(all.artists, (artists) => `by ${plural(artists, "artist", "artists")}`)],
      (!held.personal || held.matched) && ["Match coverage", percent(coverage.plays ? (coverage.matched / coverage.plays) * 100 : null), `${number(coverage.matched)} of ${number(coverage.plays)} plays`],
      ["Period, UTC", known(all.first_play, (text) => day(moment(text))), known(all.last_play, (text) => `to ${day(moment(text))}`)],
    ];
    document.getElementById("headline").replaceChildren(...cards.filter(Boolean).map(card));
    document.getElementById("compared").textContent = two ? `Changes compare the last complete ${two.grain} (${periods.full(date(two.now.period), two.grain).replace(/^Week from/, "from")}) with the ${two.grain} before.` : "";
  };

  return { show };
})();
