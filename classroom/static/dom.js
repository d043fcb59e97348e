// Elements without markup: every text is set as text, so that no name can become code.

import { t } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element: h("button", {class: "quiet", onclick: stop}, icon("stop"), "Stop").
 * Functions become listeners; true and false set and leave out an attribute.
 * @param {string} tag
 * @param {Object<string, any>} attributes
 * @param {...(Node | string | null)} children
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Make an SVG element, like `h`. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Return a decorative icon of icons.svg. @param {string} name */
export function icon(name) {
  const use = svg("use", { href: `/static/icons.svg#${name}` });
  return svg("svg", { class: "icon", "aria-hidden": "true" }, use);
}

/** Return a button with an icon, and its text as label or next to it. */
export function button(text, { iconName = null, label = true, ...attributes }) {
  const parts = [iconName === null ? null : icon(iconName), label ? text : null];
  const names = label ? {} : { "aria-label": text, title: text };
  return h("button", { type: "button", ...names, ...attributes }, ...parts);
}

/** Return the element with an id. @param {string} id */
export function byId(id) {
  return document.getElementById(id);
}

/** Say something to everyone: a line at the bottom for some seconds, read by screen readers. */
export function say(text, { bad = false } = {}) {
  const line = h("p", { class: bad ? "toast bad" : "toast" }, text);
  byId("toasts").append(line);
  setTimeout(() => line.remove(), bad ? 10_000 : 5_000);
}

/** Run something that asks the server; say what went wrong. @param {() => Promise<any>} action */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    say(error.message, { bad: true });
    return undefined;
  }
}

/** Show a dialog with a heading; it can be closed with Escape and with its button. */
export function showDialog(heading, ...children) {
  const close = button(t("page.close"), { class: "quiet", iconName: "close", label: false });
  const dialog = h(
    "dialog",
    { "aria-label": heading },
    h("header", {}, h("h2", {}, heading), close),
    h("div", { class: "dialog-content" }, ...children),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ask whether to do something. @returns {Promise<boolean>} */
export function ask(question, yes) {
  return new Promise((resolve) => {
    const confirm = h("button", { type: "button", class: "danger" }, yes);
    const cancel = h("button", { type: "button" }, t("page.cancel"));
    const dialog = showDialog(question, h("div", { class: "row end" }, cancel, confirm));
    let answer = false;
    confirm.addEventListener("click", () => {
      answer = true;
      dialog.close();
    });
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => resolve(answer));
    cancel.focus();
  });
}

/** Return a button that opens a list of actions, each [text, icon, function or address]. */
export function menu(label, actions) {
  const items = actions.map(([text, iconName, action]) => {
    if (typeof action === "string") {
      return h("a", { href: action, download: true }, icon(iconName), text);
    }
    return button(text, { iconName, onclick: action });
  });
  const summary = h("summary", { "aria-label": label, title: label }, icon("more"));
  const details = h("details", { class: "menu" }, summary, h("div", {}, ...items));
  details.addEventListener("click", (event) => {
    if (!summary.contains(event.target)) details.open = false;
  });
  details.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !details.contains(event.relatedTarget)) details.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    details.open = false;
    summary.focus();
  });
  return details;
}

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.menu[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
