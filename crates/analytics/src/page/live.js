"use strict";
// Served page only: filters, whose charts appear as their results arrive, and the tabs.

const live = (() => {
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
  // Sends a request and passes each line of the response, which is JSON, to `receive`. While a load
  // locks the file, shows a message and retries every second.
  const request = async (path, body, signal, place, receive) => {
    for (;;) {
      const answered = await fetch(path, { method: "POST", signal, headers: { "content-type": "application/json", "sparkify-token": token }, body: JSON.stringify(body) });
      if (!answered.ok) {
        receive({ error: (await answered.text()).trim(), hint: answered.status === 403 ? "Reload this page." : null });
        return;
      }
      let busy = false;
      const reader = answered.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        const parts = (rest + (value ?? "")).split("\n");
        rest = parts.pop();
        for (const part of parts) {
          const line = JSON.parse(part);
          if (line.busy) busy = true;
          else receive(line);
        }
        if (done) break;
      }
      if (!busy) return;
      showMessage(place, null, "A load is writing to the warehouse; the page retries until it has finished …");
      await pause(1000);
      signal.throwIfAborted();
    }
  };
  const failed = (error) => ({ error: "The server does not respond.", hint: `Is “sparkify serve” still running? (${error.message})` });

  const choices = ({ first, last, levels }, chosen) => {
    for (const name of ["since", "until"]) Object.assign(form.elements[name], { min: first ?? "", max: last ?? "" });
    const select = form.elements.level;
    const all = chosen && !levels.includes(chosen) ? [...levels, chosen] : levels;
    select.replaceChildren(element("option", { value: "" }, "All"), ...all.map((level) => element("option", { value: level }, words.clean(level))));
    select.value = chosen ?? "";
  };

  let asking = null;
  const fill = async () => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const bounds = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value || null]));
    // Fast responses show no message.
    const slow = setTimeout(() => showMessage(state, null, "Loading …"), 300);
    const receive = (line) => {
      if (signal.aborted) return;
      if (line.head) {
        choices(line.head.choices, bounds.level);
        page.begin(line.head);
        const kept = new URLSearchParams(Object.entries(bounds).filter(([, value]) => value !== null)).toString();
        history.replaceState(null, "", `${location.pathname}${kept && `?${kept}`}${location.hash}`);
      } else if (line.answer) {
        page.add(line.answer);
      } else {
        clearTimeout(slow);
        showMessage(state, line.error, line.hint);
        if (line.done) words.say(`Charts updated: ${number(page.coverage().plays)} plays`);
      }
    };
    try {
      await request("/data", bounds, signal, state, receive);
    } catch (error) {
      if (!signal.aborted) receive(failed(error));
    } finally {
      clearTimeout(slow);
    }
  };

  form.addEventListener("change", fill);
  form.addEventListener("submit", (event) => { event.preventDefault(); fill(); });
  form.addEventListener("reset", () => setTimeout(fill));
  // Restores the filters from the URL.
  const before = new URLSearchParams(location.search);
  choices({ first: null, last: null, levels: [] }, before.get("level"));
  for (const name of ["since", "until"]) form.elements[name].value = before.get(name) ?? "";
  fill();

  // Tabs: the address names the shown one, so that the browser's history works.
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  const showTab = () => {
    const sql = location.hash === "#sql";
    for (const tab of tabs) {
      const chosen = (tab.id === "tab-sql") === sql;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
    }
    document.body.classList.toggle("on-sql", sql);
  };
  const select = (tab) => {
    history.pushState(null, "", `${location.pathname}${location.search}${tab.id === "tab-sql" ? "#sql" : ""}`);
    showTab();
    tab.focus();
  };
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") select(tabs[1 - index]);
    });
  }
  window.addEventListener("popstate", showTab);
  showTab();

  return { request, failed, showMessage };
})();
