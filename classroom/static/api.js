// Requests to the server: JSON in and out, one line for each error.

import { csrf, t } from "./page.js";

/** An answer of the server that says no. `problems` are those of a reward, if it has any. */
export class Refused extends Error {
  constructor(message, problems) {
    super(message);
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
    throw new Refused(t("page.unreachable"), []);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Refused(answer.error ?? `${response.status}`, answer.problems ?? []);
  }
  return answer;
}
