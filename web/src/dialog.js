// A <details data-dialog> asks before it acts. Without script it unfolds in place; with script its body is a modal dialog.
import { enhance, enhancing } from "./enhance.js";

enhancing("details[data-dialog]", (details) => {
  const summary = details.querySelector("summary");
  const body = details.querySelector(".dialog-body");
  if (!summary || !body || !window.HTMLDialogElement) return;
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  const title = body.querySelector("h2");
  if (title) {
    title.id ||= `dialog-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    dialog.setAttribute("aria-labelledby", title.id);
  }
  details.removeAttribute("open");
  dialog.append(body);
  details.after(dialog);
  enhance(dialog);
  summary.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
});

enhancing("form[data-once]", (form) => {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button:not([type=button])")) {
      button.setAttribute("aria-busy", "true");
      setTimeout(() => { button.disabled = true; });
    }
  });
});

enhancing("details.menu, .tabbar details", (details) => {
  document.addEventListener("click", (event) => { if (!details.contains(event.target)) details.open = false; });
  details.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      details.open = false;
      details.querySelector("summary").focus();
    }
  });
});

enhancing(".toast", (toast) => {
  toast.querySelector("[data-close]")?.addEventListener("click", () => toast.remove());
  let timer;
  const start = () => { timer = setTimeout(() => toast.remove(), 10000); };
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, start);
  start();
});

enhancing("[data-print]", (button) => button.addEventListener("click", () => window.print()));
enhancing("[data-submit-on-change]", (field) => field.addEventListener("change", () => field.form.requestSubmit()));
