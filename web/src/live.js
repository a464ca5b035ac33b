// Live pages: server-sent events name what changed, and the regions that show it are fetched anew from the same page.
//
//   <main data-live="/s/SECRET/live">          where the events come from
//     <section id="state" data-live-on="*">    fetched anew on every event ("sample status" names only some)
//     <b data-bind="power">                    its text is the event's field `power`, at once
//
// The page is the one source of truth: what a live region shows is what a reload would show. A lost line shows the banner
// [data-offline] with the time of the last sign of life; when it comes back, every region is fetched anew.
import { enhance, enhancing, locale } from "./enhance.js";

const PAUSE_MS = 800;
let lastLive = Date.now();

function showLife(alive) {
  if (alive) lastLive = Date.now();
  const time = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", timeZone: document.body.dataset.zone || undefined }).format(lastLive);
  for (const place of document.querySelectorAll("[data-last-live]")) place.textContent = time;
  for (const banner of document.querySelectorAll("[data-offline]")) banner.hidden = alive;
}

export async function refresh(regions, from = location.href) {
  const ids = [...regions].filter((region) => region.id && region.isConnected).map((region) => region.id);
  if (!ids.length) return;
  const answer = await fetch(from, { headers: { accept: "text/html", "x-live": "1" }, credentials: "same-origin" });
  if (answer.redirected && new URL(answer.url).pathname !== new URL(from, location.href).pathname) {
    location.assign(answer.url);
    return;
  }
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ids) {
    const before = document.getElementById(id);
    const after = fresh.getElementById(id);
    if (!before || !after || before.contains(document.querySelector("dialog[open]"))) continue;
    if (before.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) continue;
    for (const kept of before.querySelectorAll("[data-live-keep][id]")) {
      after.querySelector(`#${CSS.escape(kept.id)}`)?.replaceWith(kept);
    }
    keepState(before, after);
    const focused = before.contains(document.activeElement) ? document.activeElement.id : "";
    before.replaceWith(after);
    enhance(after);
    if (focused) document.getElementById(focused)?.focus();
  }
}

// What the reader unfolded, ticked or typed stays as it is.
function keepState(before, after) {
  const pairs = (selector) => {
    const later = [...after.querySelectorAll(selector)];
    return [...before.querySelectorAll(selector)].map((one, index) => [one, later[index]]).filter(([, other]) => other);
  };
  for (const [one, other] of pairs("details")) other.open = one.open;
  for (const [one, other] of pairs("input, textarea, select")) {
    if (one.name !== other.name) continue;
    if (one.type === "radio" || one.type === "checkbox") other.checked = one.value === other.value ? one.checked : other.checked;
    else if (one.type !== "hidden" && one.value !== one.defaultValue && one.tagName !== "SELECT") other.value = one.value;
  }
}

function listen(root) {
  const waiting = new Set();
  let timer = null;
  const regionsFor = (name) => [...root.querySelectorAll("[data-live-on]"), root].filter((region) =>
    region.dataset.liveOn !== undefined && (region.dataset.liveOn === "*" || !name || region.dataset.liveOn.split(" ").includes(name)));
  const flush = async () => {
    const ids = [...waiting];
    waiting.clear();
    try {
      await refresh(ids.map((id) => document.getElementById(id)).filter(Boolean), root.dataset.liveFrom || location.href);
      showLife(true);
    } catch { showLife(false); }
    timer = waiting.size ? setTimeout(flush, PAUSE_MS) : null;
  };
  const want = (name) => {
    for (const region of regionsFor(name)) waiting.add(region.id);
    if (waiting.size) timer ??= setTimeout(flush, PAUSE_MS / 4);
  };
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
  const open = () => {
    source = new AbortController();
    stream(source.signal);
  };
  const again = (pause) => {
    showLife(false);
    setTimeout(() => { if (!source.signal.aborted) open(); }, pause);
  };
  const stream = async (signal) => {
    let answer;
    try {
      const headers = { accept: "text/event-stream", ...(last ? { "last-event-id": last } : {}) };
      answer = await fetch(root.dataset.live, { headers, signal, credentials: "same-origin", cache: "no-store" });
    } catch { return signal.aborted || again(3000); }
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
  root.addEventListener("live:expired", () => want(""));
  addEventListener("offline", () => showLife(false));
  addEventListener("online", () => want(""));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) want(""); });
  addEventListener("pagehide", () => source.abort());
  addEventListener("pageshow", (event) => { if (event.persisted) { open(); want(""); } });
}

enhancing("[data-live]", listen);
