// A button that reads a list on, a page at a time, as long as there is more.

import { button, element } from "./dom.js";

// `addPage` takes where to go on, shows that page, and returns what comes next and what to say.
export function readOn(text, first, addPage, name) {
  let next = first;
  const told = element("span", { class: "quiet", role: "status" });
  const more = button(text, async () => {
    more.disabled = true; // one page at a time
    try {
      const page = await addPage(encodeURIComponent(next), next);
      ({ next } = page);
      told.textContent = ` ${page.told}`;
      more.hidden = !next;
    } catch (error) {
      told.textContent = ` ${error.message}`;
    } finally {
      more.disabled = false;
    }
  }, { class: `plain ${name}` });
  more.hidden = !next;
  return element("p", { hidden: !next }, more, told);
}
