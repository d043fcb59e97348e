// What the server wrote into the page; texts and numbers for people.

/** @type {{lang: string, texts: any, local: boolean}} */
export const page = JSON.parse(document.getElementById("page").textContent);

/** The nonce of the page's Content-Security-Policy. */
export const nonce = document.querySelector("script[nonce]").nonce;

/** The token that every request that changes something has to carry. */
export const csrf = document.querySelector("meta[name=csrf]").content;

/**
 * Return the text with a key such as "runs.done", its placeholders replaced by values.
 * @param {string} key
 * @param {Object<string, any>} values
 */
export function t(key, values = {}) {
  const text = key.split(".").reduce((table, name) => table[name], page.texts);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Return a count with separators of thousands. @param {number} count */
export function whole(count) {
  return Math.round(count).toLocaleString(page.lang);
}

/** Return a round count in few letters: 300K, 30만. @param {number} count */
export function compact(count) {
  return count.toLocaleString(page.lang, { notation: "compact" });
}

/** Return a measured number with three significant digits. @param {number} value */
export function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (Math.abs(value) >= 100) return whole(value);
  return value.toLocaleString(page.lang, { maximumSignificantDigits: 3 });
}

/** Return the key of the texts of a game with its task: "paddle", "bicycle_goal". */
export function gameKey(game, options = {}) {
  return game === "paddle" ? game : `${game}_${options.task ?? "balance"}`;
}

/** Return a text that is the same for the same game with the same options. */
export function gameId(game, options = {}) {
  return `${game} ${JSON.stringify(Object.entries(options).sort())}`;
}

/** Return the title of a game with its task. */
export function gameTitle(game, options = {}) {
  return page.texts.games[gameKey(game, options)] ?? page.texts.games[game] ?? game;
}

/** Return a score with its unit. */
export function scoreText(score, game, options = {}) {
  const text = page.texts.units[gameKey(game, options)] ?? "{score}";
  return text.replace("{score}", short(score));
}
