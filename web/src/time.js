// Relative times that stay true while the page is open, and countdowns.
import { enhancing, locale } from "./enhance.js";

const STEPS = [[60, "second", 1], [3600, "minute", 60], [86400, "hour", 3600]];
const SHORT = { min: "min", sec: "s", hr: "h" };

enhancing("time[data-relative]", (element) => {
  const words = new Intl.RelativeTimeFormat(locale(), { numeric: "auto", style: "short" });
  const show = () => {
    if (!element.isConnected) return clearInterval(timer);
    const seconds = Math.round((Date.parse(element.dateTime) - Date.now()) / 1000);
    const step = STEPS.find(([below]) => Math.abs(seconds) < below);
    if (step) element.textContent = words.format(Math.round(seconds / step[2]), step[1]).replace(/\b(min|sec|hr)s?\b\.?/, (_, unit) => SHORT[unit]);
  };
  const timer = setInterval(show, 20000);
});

enhancing("time[data-countdown]", (element) => {
  const end = Date.parse(element.dateTime);
  const show = () => {
    if (!element.isConnected) return clearInterval(timer);
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    const two = (number) => String(number).padStart(2, "0");
    element.textContent = left >= 3600
      ? `${Math.floor(left / 3600)}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`
      : `${Math.floor(left / 60)}:${two(left % 60)}`;
    if (left === 0) {
      clearInterval(timer);
      element.dispatchEvent(new CustomEvent("live:expired", { bubbles: true }));
    }
  };
  const timer = setInterval(show, 500);
  show();
});

enhancing("time[data-elapsed]", (element) => {
  const start = Date.parse(element.dateTime);
  const show = () => {
    if (!element.isConnected) return clearInterval(timer);
    const seconds = Math.max(0, Math.floor((Date.now() - start) / 1000));
    const two = (number) => String(number).padStart(2, "0");
    element.textContent = seconds >= 3600
      ? `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
      : `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  };
  const timer = setInterval(show, 1000);
  show();
});
