"use strict";
// Applies the saved theme before the first paint.
try {
  const chosen = localStorage.getItem("sparkify-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Without local storage the theme of the system applies.
}
