// Every module says how to enhance a piece of the page; pieces that arrive later are enhanced the same way, once.
const steps = [];

export function enhancing(selector, work) {
  steps.push([selector, work, new WeakSet()]);
}

export function enhance(root = document) {
  for (const [selector, work, done] of steps) {
    const found = [...root.querySelectorAll(selector)];
    if (root.matches?.(selector)) found.unshift(root);
    for (const element of found) {
      if (!done.has(element)) {
        done.add(element);
        work(element);
      }
    }
  }
}

export const words = (key) => document.body.dataset[key] ?? "";
// English is Britain's, with a clock of 24 hours, as the server writes it.
export const locale = () => {
  const language = document.documentElement.lang || "en";
  return language === "en" ? "en-GB" : language;
};
export const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
