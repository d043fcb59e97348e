// The page for the projector: the code of the class, the ranking, and the agents at play.

import { get } from "./api.js";
import { attempt, byId, h } from "./dom.js";
import { Films } from "./films.js";
import { Live, showConnection } from "./live.js";
import { gameTitle, t } from "./page.js";
import { rankingTable, rule } from "./ranking.js";

const PAUSE = 5_000; // ms between two looks at the league

const films = new Films(byId("films"));
const live = new Live();

async function refresh() {
  const league = await get("/api/league").catch(() => null);
  const some = league !== null && league.title !== undefined;
  byId("league").textContent = some ? league.title : "";
  byId("rule").textContent = some
    ? `${gameTitle(league.game, league.options)}. ${rule(league)}`
    : "";
  const rows = some ? league.rows : [];
  const empty = h("p", { class: "quiet" }, t(some ? "league.empty" : "league.none"));
  byId("ranking").replaceChildren(rows.length > 0 ? rankingTable(league) : empty);
  byId("no-films").hidden = films.show(rows) > 0;
}

live.addEventListener("message", ({ detail }) => detail.type === "league" && refresh());
showConnection(live, byId("connection"), { lost: t("page.offline"), back: t("page.online") });
await attempt(refresh);
live.connect();
setInterval(refresh, PAUSE);
document.body.dataset.ready = "";
