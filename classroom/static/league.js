// The league as a student sees it: the ranking, and the button that submits the best agent.

import { byId, button, h } from "./dom.js";
import { Films } from "./films.js";
import { gameTitle, page, t } from "./page.js";
import { rankingTable, rule } from "./ranking.js";
import { submit } from "./runs.js";

export class League {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.films = new Films(byId("league-films"));
    for (const name of ["league", "runs", "versions"])
      store.addEventListener(name, () => this.draw());
  }

  draw() {
    const { league } = this.store;
    byId("league-none").hidden = league !== null;
    byId("league-some").hidden = league === null;
    if (league === null) {
      byId("league-hint").textContent = t(page.local ? "league.none_local" : "league.none_hint");
      return;
    }
    byId("league-title").textContent = league.title;
    byId("league-state").textContent = t(league.running ? "league.running" : "league.ended");
    byId("league-game").textContent = gameTitle(league.game, league.options);
    byId("league-rule").textContent = rule(league);
    byId("league-rows").replaceChildren(
      league.rows.length === 0
        ? h("p", { class: "quiet" }, t("league.empty"))
        : h("div", { class: "scroll" }, rankingTable(league)),
    );
    byId("league-submit").replaceChildren(...(league.running ? this.#offer(league) : []));
    this.films.show(league.rows);
  }

  #offer({ game, options }) {
    const best = this.store.bestRun(game, options);
    if (best === null) {
      const text = t("league.submit_nothing", { game: gameTitle(game, options) });
      return [h("p", { class: "quiet" }, text)];
    }
    const name = this.store.nameOf(best);
    const press = () => submit(best.id);
    return [
      h("p", { class: "quiet" }, t("league.submit_hint", { name })),
      button(t("league.submit", { name }), {
        class: "primary",
        iconName: "league",
        onclick: press,
      }),
    ];
  }
}
