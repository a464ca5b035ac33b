// The units of a form's prices follow the currency that is chosen: <select name="currency">, <span data-currency>.
import { enhancing } from "./enhance.js";

enhancing('select[name="currency"]', (select) => {
  const show = () => {
    for (const unit of select.form.querySelectorAll("[data-currency]")) unit.textContent = select.value;
  };
  select.addEventListener("change", show);
  show();
});
