// Tables of numbers as they come from the server.

import { h } from "./dom.js";
import { short } from "./page.js";

/** Return a table; it scrolls sideways in its own frame if it is wide. */
export function table({ title, columns, rows }) {
  const head = h("tr", {}, ...columns.map((column) => h("th", { scope: "col" }, column)));
  const body = rows.map(([first, ...rest]) =>
    h("tr", {}, h("th", { scope: "row" }, text(first)), ...rest.map(cell)),
  );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    h(
      "table",
      { class: "numbers" },
      h("caption", {}, title),
      h("thead", {}, head),
      h("tbody", {}, ...body),
    ),
  );
}

function cell(value) {
  return h("td", { class: value < 0 ? "minus" : null }, text(value));
}

function text(value) {
  if (value === null) return "–";
  return typeof value === "number" ? short(value) : value;
}
