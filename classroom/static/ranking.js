// The ranking of a league as a table: scores with intervals, and how the ranks have changed.

import { h, icon, svg } from "./dom.js";
import { page, scoreText, short, t } from "./page.js";

/** Return the table of a league. */
export function rankingTable({ game, options = {}, rows }) {
  const low = Math.min(0, ...rows.map((row) => row.low));
  const high = Math.max(1e-9, ...rows.map((row) => row.high));
  const place = (value) => (100 * (value - low)) / (high - low);
  const heads = ["rank", "name", "score", "interval", "history"].map((name) =>
    h("th", { scope: "col", class: name === "score" ? name : null }, t(`league.${name}`)),
  );
  return h(
    "table",
    { class: "ranking" },
    h("thead", {}, h("tr", {}, ...heads)),
    h(
      "tbody",
      {},
      ...rows.map((row) =>
        h(
          "tr",
          { class: row.me ? "me" : null },
          h("td", { class: "rank" }, String(row.rank)),
          h(
            "th",
            { scope: "row" },
            row.name,
            row.me ? h("em", {}, ` ${t("league.me")}`) : null,
            row.version ? rewardLink(row) : null,
          ),
          h("td", { class: "score" }, scoreText(row.score, game, options)),
          h("td", {}, interval(row, place)),
          h("td", {}, history(row.history ?? [])),
        ),
      ),
    ),
  );
}

/** Return a link to a reward that the class may read. */
function rewardLink({ name, version }) {
  const label = t("league.reward_of", { name });
  const href = `/api/versions/${version}/reward.py`;
  const names = { "aria-label": label, title: label };
  return h("a", { class: "reward", href, download: true, ...names }, icon("code"));
}

function interval({ score, low, high }, place) {
  const label = t("league.interval_label", { low: short(low), high: short(high) });
  return svg(
    "svg",
    {
      class: "interval",
      viewBox: "0 0 100 12",
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
    },
    svg("title", {}, label),
    svg("line", { x1: 0, x2: 100, y1: 6, y2: 6, class: "axis" }),
    svg("rect", {
      x: place(low),
      y: 3,
      width: Math.max(place(high) - place(low), 0.5),
      height: 6,
      rx: 1.5,
    }),
    svg("rect", { x: place(score) - 0.4, y: 1, width: 0.8, height: 10, class: "mean" }),
  );
}

function history(ranks) {
  if (ranks.length < 2) return "";
  const label = t("league.history_label", { ranks: ranks.join(", ") });
  const worst = Math.max(...ranks, 2);
  const points = ranks.map((rank, k) => {
    const x = 2 + (56 * k) / (ranks.length - 1);
    return `${x},${2 + (14 * (rank - 1)) / (worst - 1)}`;
  });
  return svg(
    "svg",
    { class: "history", viewBox: "0 0 60 18", role: "img", "aria-label": label },
    svg("title", {}, label),
    svg("polyline", { points: points.join(" ") }),
  );
}

/** Return one line that says how the league is decided. */
export function rule(league) {
  if (!league.episodes) return t("league.rule_plain");
  return t("league.rule", { episodes: league.episodes.toLocaleString(page.lang) });
}
