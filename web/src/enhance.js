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
export const locale = () => document.documentElement.lang || "en";
export const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
