// The owner's pages: everything of a passer-by page, htmx for parts that change in place, and the palette.
import htmx from "htmx.org";
import { csrf, enhance } from "./enhance.js";
import "./passer.js";
import "./currency.js";
import "./search.js";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["x-csrf-token"] = csrf(); });
htmx.onLoad((element) => enhance(element));
enhance();
