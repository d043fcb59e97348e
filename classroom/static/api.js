// Requests to the server: JSON in and out, one line for each error.

import { csrf, t } from "./page.js";

/** An answer of the server that says no; 0 if there is none. `problems` are those of a reward. */
export class Refused extends Error {
  constructor(message, status, problems) {
    super(message);
    this.status = status;
    this.problems = problems;
  }
}

/** @param {string} path */
export function get(path) {
  return request("GET", path);
}

/** @param {string} path */
export function post(path, body = {}) {
  return request("POST", path, body);
}

/** @param {string} path */
export function remove(path) {
  return request("DELETE", path);
}

/** Return "?game=bicycle&options={...}". */
export function gameQuery(game, options) {
  return `?${new URLSearchParams({ game, options: JSON.stringify(options) })}`;
}

async function request(method, path, body) {
  const headers = { Accept: "application/json", "X-CSRF": csrf };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Refused(t("page.unreachable"), 0, []);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    const text = answer.error ?? t("page.refused", { status: response.status });
    throw new Refused(text, response.status, answer.problems ?? []);
  }
  return answer;
}
