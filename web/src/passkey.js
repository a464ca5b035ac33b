// Passkeys (WebAuthn): <form data-passkey="register|sign-in" data-begin="/..." data-finish="/...">.
//
// `begin` answers the options as JSON (an object, or {"publicKey": ...}); the credential goes to `finish` as JSON together
// with the form's fields; its answer {"location": "/..."} says where to go, unless `data-then` names a form of the page
// to post instead. A problem comes as the card that a part of a page would get, in the reader's language; what happened is
// shown in [data-passkey-problem]. Who must prove first is led to do so and back.
import { csrf } from "./enhance.js";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const whatHappened = (card) => new DOMParser().parseFromString(card, "text/html").querySelector("[data-problem-what]")?.textContent;

async function ask(url, body) {
  const answer = await fetch(url, {
    method: "POST", credentials: "same-origin", body: JSON.stringify(body),
    headers: { "content-type": "application/json", accept: "application/json", "x-csrf-token": csrf(), "hx-request": "true" },
  });
  const elsewhere = answer.headers.get("hx-redirect");
  if (elsewhere) location.assign(elsewhere);
  if (!answer.ok) throw new Error(whatHappened(await answer.text()) || `${answer.status} ${answer.statusText}`);
  return answer.json().catch(() => ({}));
}

const withIds = (list) => (list ?? []).map((item) => ({ ...item, id: bytes(item.id) }));

function creation(options) {
  return { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: withIds(options.excludeCredentials) };
}

function assertion(options) {
  return { ...options, challenge: bytes(options.challenge), allowCredentials: withIds(options.allowCredentials) };
}

function written(credential) {
  const { response } = credential;
  const said = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) {
    said.attestationObject = text(response.attestationObject);
    said.transports = response.getTransports?.() ?? [];
  } else {
    said.authenticatorData = text(response.authenticatorData);
    said.signature = text(response.signature);
    said.userHandle = response.userHandle ? text(response.userHandle) : null;
  }
  return {
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response: said,
    authenticatorAttachment: credential.authenticatorAttachment ?? null,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

export function signing(form) {
  const problem = form.querySelector("[data-passkey-problem]");
  const button = form.querySelector("button[type=submit], button:not([type])");
  const say = (words) => {
    if (!problem) return;
    problem.textContent = words;
    problem.hidden = !words;
  };
  if (!window.PublicKeyCredential) say(form.dataset.unsupported ?? "");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say("");
    button.setAttribute("aria-busy", "true");
    try {
      const fields = Object.fromEntries(new FormData(form));
      const begun = await ask(form.dataset.begin, fields);
      const options = begun.publicKey ?? begun.options ?? begun;
      const credential = form.dataset.passkey === "register"
        ? await navigator.credentials.create({ publicKey: creation(options) })
        : await navigator.credentials.get({ publicKey: assertion(options) });
      const finished = await ask(form.dataset.finish, { ...fields, ...(begun.state ? { state: begun.state } : {}), credential: written(credential) });
      const then = form.dataset.then && document.getElementById(form.dataset.then);
      if (then) then.requestSubmit();
      else location.assign(finished.location ?? form.dataset.next ?? "/");
    } catch (error) {
      say(error.name === "NotAllowedError" ? form.dataset.declined ?? error.message : error.message);
      button.removeAttribute("aria-busy");
    }
  });
}
