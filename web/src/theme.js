// Light, dark, or as the system says; kept in a cookie, so that the server renders it without a flash.
import { enhancing } from "./enhance.js";

const order = ["auto", "light", "dark"];

enhancing("[data-theme-switch]", (button) => {
  const show = () => { button.dataset.themeSwitch = document.documentElement.dataset.theme ?? "auto"; };
  show();
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(button.dataset.themeSwitch) + 1) % order.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    document.cookie = `theme=${next};path=/;max-age=31536000;samesite=lax`;
    show();
    document.dispatchEvent(new CustomEvent("theme"));
  });
});
matchMedia("(prefers-color-scheme: dark)").addEventListener?.("change", () => document.dispatchEvent(new CustomEvent("theme")));
