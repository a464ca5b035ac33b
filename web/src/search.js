// The palette: Ctrl-K, or / outside of a field, finds pages and commands at once, and things (stations, sessions,
// payments) by the server.
import { csrf, enhance, enhancing } from "./enhance.js";

const dialog = document.querySelector("dialog.palette");
const input = dialog?.querySelector("input");
const list = dialog?.querySelector("ul");
let hits = [];
let chosen = 0;
let asked = 0;
let searching = false;

const known = () => [...dialog.querySelectorAll("#places-known a")].map((link) => ({
  label: link.textContent.trim(), href: link.getAttribute("href"), hint: link.dataset.hint,
}));

function show() {
  list.replaceChildren(...hits.map((hit, index) => {
    const item = document.createElement("li");
    item.setAttribute("role", "option");
    item.id = `hit-${index}`;
    item.setAttribute("aria-selected", String(index === chosen));
    const link = Object.assign(document.createElement("a"), { href: hit.href, tabIndex: -1 });
    if (hit.kind) link.append(Object.assign(document.createElement("span"), { className: "kind", textContent: hit.kind }));
    link.append(Object.assign(document.createElement("span"), { textContent: hit.label }));
    link.append(Object.assign(document.createElement("span"), { className: "hint", textContent: hit.hint ?? "" }));
    item.append(link);
    return item;
  }));
  const nothing = dialog.querySelector("[data-nothing]");
  nothing.textContent = hits.length || searching ? "" : nothing.dataset.nothing;
  input.setAttribute("aria-activedescendant", hits.length ? `hit-${chosen}` : "");
  list.children[chosen]?.scrollIntoView({ block: "nearest" });
}

async function find() {
  const text = input.value.trim();
  const turn = ++asked;
  const lower = text.toLocaleLowerCase();
  hits = known().filter(({ label }) => label.toLocaleLowerCase().includes(lower));
  chosen = 0;
  searching = text.length > 1 && Boolean(dialog.dataset.searchUrl);
  show();
  if (!searching) return;
  try {
    const answer = await fetch(`${dialog.dataset.searchUrl}?q=${encodeURIComponent(text)}`, { headers: { accept: "application/json", "x-csrf-token": csrf() } });
    const found = answer.ok ? (await answer.json()).items : [];
    if (turn !== asked) return;
    hits = [...hits, ...found];
  } catch { /* the pages and commands stay findable without the server */ }
  if (turn !== asked) return;
  searching = false;
  show();
}

function open() {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  input.value = "";
  find();
  input.focus();
}

if (dialog) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing)) {
      event.preventDefault();
      open();
    }
  });
  input.addEventListener("input", find);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      chosen = hits.length ? (chosen + step + hits.length) % hits.length : 0;
      show();
    } else if (event.key === "Enter" && hits[chosen]) {
      event.preventDefault();
      dialog.close();
      location.assign(hits[chosen].href);
    }
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog || event.target.closest("a")) dialog.close(); });
}
enhancing("[data-search-open]", (button) => button.addEventListener("click", (event) => {
  if (!dialog) return;
  event.preventDefault();
  open();
}));
enhance();
