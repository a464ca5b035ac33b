// What every page has; charts, the scanner and passkeys are fetched when the page holds one.
import { enhance, enhancing } from "./enhance.js";
import "./theme.js";
import "./back.js";
import "./copy.js";
import "./dialog.js";
import "./time.js";
import "./live.js";

enhancing("[data-chart]", (figure) => import("./charts.js").then((module) => module.draw(figure)));
enhancing("[data-scan]", (button) => import("./scan.js").then((module) => module.scanning(button)));
enhancing("[data-passkey]", (form) => import("./passkey.js").then((module) => module.signing(form)));

document.documentElement.classList.remove("no-script");
enhance();
