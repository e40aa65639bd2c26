// Sets the theme before the first paint, and again when the reader asks for the other one.
"use strict";
const STORED = "aiobserve-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

function chosen() {
  return localStorage.getItem(STORED) || (system.matches ? "dark" : "light");
}

function apply() {
  const theme = chosen();
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  if (button) {
    button.setAttribute("aria-pressed", String(theme === "dark"));
    button.textContent = theme === "dark" ? "Light" : "Dark";
  }
  document.dispatchEvent(new CustomEvent("themechange"));
}

apply();
system.addEventListener("change", apply);
document.addEventListener("DOMContentLoaded", () => {
  apply();
  document.getElementById("theme").addEventListener("click", () => {
    localStorage.setItem(STORED, chosen() === "dark" ? "light" : "dark");
    apply();
  });
});
