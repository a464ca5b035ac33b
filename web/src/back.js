// <a data-back>: returns to the page that one came from as it was, scrolled and filled in.
import { enhancing } from "./enhance.js";

enhancing("a[data-back]", (link) => {
  link.addEventListener("click", (event) => {
    if (history.length < 2) return;
    event.preventDefault();
    history.back();
  });
});
