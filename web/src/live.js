// Live pages: server-sent events name what changed, and the regions that show it are fetched anew from the same page.
//
//   <main data-live="/s/SECRET/live">          where the events come from
//     <section id="state" data-live-on="*">    fetched anew on every event ("sample status" names only some)
//   <main ... data-live-calm="metered">         events that come all the time: a page of many things follows them every few seconds
//     <section data-live-again="5">            fetched anew after so many seconds, for what no event tells
//     <b data-bind="power">                    its text is the event's field `power`, at once
//   <main ... data-live-from="/s/SECRET">      the page's own address, where it answers a form that was posted elsewhere
//
// The page is the one source of truth: what a live region shows is what a reload would show. A lost line shows the banner
// [data-offline] with the time of the last sign of life; when it comes back, every region is fetched anew.
// A region that is the same as before stays untouched, and so does one that a person is using: a button under the finger,
// a field being typed in, an open dialog. It follows when the hand is off it. A page that nobody sees holds no line, for
// a browser has six of them to a server, all tabs together; shown again, it is fetched anew.
import { enhance, enhancing, locale } from "./enhance.js";

const PAUSE_MS = 800;
const CALM_MS = 5000;
const LEAVE_MS = 5000;
const RELEASES = ["pointerup", "pointercancel", "keyup", "focusout", "close"];
let lastLive = Date.now();
let leaving = 0; // when the browser last began to go elsewhere by itself
const made = new Map(); // how the server last wrote each region, for script changes what the page holds
for (const region of document.querySelectorAll("[data-live-on]")) made.set(region.id, region.outerHTML);

function showLife(alive) {
  if (alive) lastLive = Date.now();
  const time = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", timeZone: document.body.dataset.zone || undefined }).format(lastLive);
  for (const place of document.querySelectorAll("[data-last-live]")) place.textContent = time;
  for (const banner of document.querySelectorAll("[data-offline]")) banner.hidden = alive;
}
addEventListener("beforeunload", () => { leaving = Date.now(); });
document.addEventListener("htmx:afterSwap", (event) => made.delete(event.detail.target.id)); // a filter wrote it anew

function inUse(region) {
  const typing = region.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
  return typing || region.matches(":active") || region.contains(document.querySelector("dialog[open]"));
}

// Fetch regions anew; what is returned are the ids of those that somebody is using.
async function refresh(ids, from) {
  const used = [];
  const answer = await fetch(from, { headers: { accept: "text/html", "x-live": "1" }, credentials: "same-origin" });
  if (answer.redirected && new URL(answer.url).pathname !== new URL(from, location.href).pathname) {
    if (Date.now() > leaving + LEAVE_MS) location.assign(answer.url); // or else it would cut the way that a person took
    return used;
  }
  if (!answer.ok) return used;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ids) {
    const before = document.getElementById(id);
    const after = fresh.getElementById(id);
    const written = after?.outerHTML;
    if (!before || !after || written === made.get(id)) continue;
    if (inUse(before)) {
      used.push(id);
      continue;
    }
    made.set(id, written);
    for (const kept of before.querySelectorAll("[data-live-keep][id]")) {
      after.querySelector(`#${CSS.escape(kept.id)}`)?.replaceWith(kept);
    }
    keepState(before, after);
    const focused = before.contains(document.activeElement) ? document.activeElement.id : "";
    before.replaceWith(after);
    enhance(after);
    if (focused) document.getElementById(focused)?.focus();
  }
  return used;
}

// What the reader unfolded, ticked or typed stays as it is, also what was typed before and refused.
function keepState(before, after) {
  const pairs = (selector) => {
    const later = [...after.querySelectorAll(selector)];
    return [...before.querySelectorAll(selector)].map((one, index) => [one, later[index]]).filter(([, other]) => other);
  };
  for (const [one, other] of pairs("details")) other.open = one.open;
  for (const [one, other] of pairs("input, textarea, select")) {
    if (one.name !== other.name) continue;
    if (one.type === "radio" || one.type === "checkbox") other.checked = one.value === other.value ? one.checked : other.checked;
    else if (one.type !== "hidden" && one.tagName !== "SELECT" && (one.value !== one.defaultValue || one.hasAttribute("aria-invalid"))) {
      other.value = one.value;
      if (one.hasAttribute("aria-invalid")) other.setAttribute("aria-invalid", "true");
    }
  }
}

function listen(root) {
  const waiting = new Set();
  const used = new Set();
  const calm = new Set((root.dataset.liveCalm ?? "").split(" ").filter(Boolean));
  let timer = null;
  let repeat = null;
  let due = 0;
  const regionsFor = (name) => [...root.querySelectorAll("[data-live-on]"), root].filter((region) =>
    region.dataset.liveOn !== undefined && (region.dataset.liveOn === "*" || !name || region.dataset.liveOn.split(" ").includes(name)));
  const flush = async () => {
    const ids = [...waiting].filter((id) => document.getElementById(id));
    waiting.clear();
    try {
      if (ids.length) for (const id of await refresh(ids, root.dataset.liveFrom || location.href)) used.add(id);
      showLife(true);
    } catch { showLife(false); }
    timer = null;
    queue([], PAUSE_MS);
    askAgain();
  };
  const askAgain = () => {
    const regions = [...root.querySelectorAll("[data-live-again]")];
    clearTimeout(repeat);
    if (regions.length) repeat = setTimeout(() => document.hidden || queue(regions.map((region) => region.id), 0), 1000 * Math.min(...regions.map((region) => region.dataset.liveAgain)));
  };
  const queue = (ids, pause = PAUSE_MS / 4) => {
    for (const id of ids) waiting.add(id);
    const wish = Date.now() + pause;
    if (!waiting.size || (timer && due <= wish)) return;
    clearTimeout(timer);
    timer = setTimeout(flush, pause);
    due = wish;
  };
  const want = (name) => queue(regionsFor(name).map((region) => region.id).filter(Boolean), calm.has(name) ? CALM_MS : undefined);
  const release = () => setTimeout(() => {
    const free = [...used].filter((id) => { const region = document.getElementById(id); return region && !inUse(region); });
    for (const id of free) used.delete(id);
    queue(free);
  });
  const hear = (name, data) => {
    showLife(true);
    for (const place of root.querySelectorAll("[data-bind]")) {
      if (data && place.dataset.bind in data) place.textContent = data[place.dataset.bind];
    }
    root.dispatchEvent(new CustomEvent(`live:${name}`, { detail: data }));
    document.dispatchEvent(new CustomEvent("live", { detail: { name, data } }));
    want(name);
  };
  let source = null;
  let last = "";
  const close = () => source?.abort();
  const open = () => {
    if (document.hidden || (source && !source.signal.aborted)) return;
    source = new AbortController();
    stream(source.signal);
  };
  const again = (pause) => {
    showLife(false);
    close();
    setTimeout(open, pause);
  };
  const stream = async (signal) => {
    let answer;
    try {
      const headers = { accept: "text/event-stream", ...(last ? { "last-event-id": last } : {}) };
      answer = await fetch(root.dataset.live, { headers, signal, credentials: "same-origin", cache: "no-store" });
    } catch { return signal.aborted || again(3000); }
    if (answer.status === 401) return want(""); // signed out elsewhere: the page leads to sign-in
    if (!answer.ok) return answer.status >= 500 || answer.status === 429 ? again(15000) : undefined;
    showLife(true);
    want(""); // what happened between the making of the page and now was told to nobody
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        showLife(true);
        const blocks = (text + value).split("\n\n");
        text = blocks.pop();
        for (const block of blocks) take(block);
      }
    } catch { /* the line was lost */ }
    if (!signal.aborted) again(2000);
  };
  const take = (block) => {
    const fields = Object.fromEntries(block.split("\n").filter((line) => !line.startsWith(":")).map((line) => {
      const [name, ...rest] = line.split(": ");
      return [name, rest.join(": ")];
    }));
    if (fields.id) last = fields.id;
    if (fields.event === "resumed") return want("");
    if (!fields.data) return;
    let said;
    try { said = JSON.parse(fields.data); } catch { return; /* not of ours */ }
    const name = said.name ?? fields.event;
    if (name && name !== "ping") hear(name, said.data ?? said);
  };
  open();
  for (const name of RELEASES) document.addEventListener(name, release, { capture: true });
  root.addEventListener("live:expired", () => want(""));
  addEventListener("offline", () => showLife(false));
  addEventListener("online", () => want(""));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    open();
    want("");
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    made.clear(); // a button pressed before is busy until its region comes anew
    open();
    want("");
  });
}

enhancing("[data-live]", listen);
