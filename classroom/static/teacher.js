// The teacher's page: the students, the league, limits, and every reward against every agent.

import { gameQuery, get, post } from "./api.js";
import { ask, attempt, byId, h, menu, say } from "./dom.js";
import { Live, showConnection } from "./live.js";
import { gameTitle, scoreText, short, t } from "./page.js";
import { rankingTable, rule } from "./ranking.js";

const PAUSE = 3_000; // ms between two looks at the class
const MATRIX_PAUSE = 1_000;
const STATES = ["idle", "editing", "queued", "training"];

let group = null;
let rowsShown = "";

/** Read the class and show it. */
async function refresh() {
  group = await get("/api/class");
  document.body.classList.toggle("is-paused", group.paused);
  byId("pause").lastChild.textContent = t(group.paused ? "teacher.resume" : "teacher.pause");
  const here = group.students.filter((student) => student.here).length;
  byId("here").textContent = t("teacher.here", { here, all: group.students.length });
  byId("nobody").hidden = group.students.length > 0;
  byId("students").hidden = group.students.length === 0;
  showLimits();
  showStudents();
  showLeague();
}

function showStudents() {
  const key = JSON.stringify(group.students);
  const body = byId("student-rows");
  if (key === rowsShown || body.querySelector("details[open]")) return;
  rowsShown = key;
  body.replaceChildren(...group.students.map(studentRow));
}

function studentRow(student) {
  const { name, here, state, stuck, error, best, runs } = student;
  const minutes = Math.floor(student.seen / 60);
  const doing = here && STATES.includes(state) ? state : "away";
  const parts = [h("span", { class: `badge ${doing}` }, t(`teacher.${doing}`))];
  if (here && stuck)
    parts.push(h("span", { class: "badge warn" }, t("teacher.stuck", { minutes: stuck })));
  if (!here && minutes > 0)
    parts.push(h("span", { class: "quiet" }, t("teacher.seen", { minutes })));
  const score = best ? scoreText(best.score, best.game, best.options) : "–";
  const shown = h("input", { type: "checkbox", "aria-label": `${t("teacher.show")}: ${name}` });
  shown.checked = student.shown;
  shown.addEventListener("change", () => change(student, "show", { shown: shown.checked }));
  return h(
    "tr",
    { class: here ? null : "gone" },
    h("th", { scope: "row" }, name),
    h("td", {}, ...parts),
    h("td", { class: "error" }, error ?? ""),
    h("td", { class: "score" }, score),
    h("td", { class: "score" }, String(runs)),
    h("td", { class: "centre" }, shown),
    h(
      "td",
      {},
      menu(`${t("teacher.actions")}: ${name}`, [
        [t("teacher.rejoin"), "right", () => change(student, "rejoin")],
        [t("teacher.reset"), "again", () => askAnd(student, "reset")],
        [t("teacher.remove"), "trash", () => askAnd(student, "remove")],
      ]),
    ),
  );
}

async function askAnd(student, action) {
  const question = t(`teacher.${action}_question`, { name: student.name });
  if (await ask(question, t(`teacher.${action}`))) await change(student, action);
}

function change(student, action, body = {}) {
  return act(`/api/class/students/${student.id}/${action}`, body);
}

/** Ask the server to do something, then show the class again. */
function act(path, body = {}) {
  return attempt(async () => {
    await post(path, body);
    await refresh();
    return true;
  });
}

function showLimits() {
  const form = byId("limits");
  if (form.contains(document.activeElement)) return;
  form.elements.steps.value = group.limits.steps ?? "";
  form.elements.runs.value = group.limits.runs ?? "";
}

function showLeague() {
  const { league } = group;
  const running = league?.running ?? false;
  byId("league-form").hidden = running;
  byId("league-end").hidden = !running;
  byId("league-now").hidden = league === null;
  if (league === null) return;
  byId("league-title").textContent = league.title;
  byId("league-state").textContent = t(running ? "league.running" : "league.ended");
  byId("league-rule").textContent = `${gameTitle(league.game, league.options)}. ${rule(league)}`;
  byId("league-rows").replaceChildren(
    league.rows.length === 0
      ? h("p", { class: "quiet" }, t("league.empty"))
      : h("div", { class: "scroll" }, rankingTable(league)),
  );
}

function chosenGame(select) {
  return JSON.parse(select.value);
}

async function makeMatrix() {
  const button = byId("matrix-make");
  const { game, options } = chosenGame(byId("matrix-game"));
  button.disabled = true;
  byId("matrix-state").textContent = t("teacher.matrix_making");
  await attempt(async () => {
    await post("/api/class/matrix", { game, options });
    const path = `/api/class/matrix${gameQuery(game, options)}`;
    let matrix = await get(path);
    while (matrix.state === "running") {
      await new Promise((resolve) => setTimeout(resolve, MATRIX_PAUSE));
      matrix = await get(path);
    }
    if (matrix.error) throw new Error(matrix.error);
    byId("matrix").replaceChildren(matrixTable(matrix));
  });
  byId("matrix-state").textContent = "";
  button.disabled = false;
}

function matrixTable({ rewards, agents, values }) {
  const head = [h("td", {}), ...agents.map((name) => h("th", { scope: "col" }, name))];
  const rows = values.map((row, i) => {
    const best = Math.max(...(row ?? []));
    const cells = agents.map((_, j) => {
      const value = row === null ? null : row[j];
      return h("td", { class: value === best ? "best" : null }, short(value));
    });
    const name = t("league.reward_of", { name: rewards[i] });
    return h("tr", {}, h("th", { scope: "row" }, name), ...cells);
  });
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": t("teacher.matrix_label") },
    h("table", { class: "numbers" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)),
  );
}

async function offerGames() {
  const { games } = await get("/api/state");
  for (const select of document.querySelectorAll("select.games")) {
    select.replaceChildren(
      ...games.flatMap(({ name, tasks }) =>
        tasks.map(({ options }) => {
          const value = JSON.stringify({ game: name, options });
          return h("option", { value, selected: name === "paddle" }, gameTitle(name, options));
        }),
      ),
    );
  }
}

byId("pause").addEventListener("click", () =>
  act(group.paused ? "/api/class/resume" : "/api/class/pause"),
);
byId("limits").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { steps, runs } = event.target.elements;
  document.activeElement.blur();
  const done = await act("/api/class/limits", {
    steps: Number(steps.value),
    runs: Number(runs.value),
  });
  if (done) say(t("teacher.limits_set"));
});
byId("league-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { title, game } = event.target.elements;
  const name = title.value.trim() || title.placeholder;
  act("/api/leagues", { title: name, ...chosenGame(game) });
});
byId("league-end").addEventListener("click", async () => {
  const question = t("teacher.league_end_question", { title: group.league.title });
  if (await ask(question, t("teacher.league_end"))) await act("/api/leagues/end");
});
byId("matrix-make").addEventListener("click", makeMatrix);

const live = new Live();
live.addEventListener("message", ({ detail }) => {
  if (["league", "class"].includes(detail.type)) attempt(refresh);
});
showConnection(live, byId("connection"), { lost: t("page.offline"), back: t("page.online") });

await attempt(async () => {
  await Promise.all([refresh(), offerGames()]);
  live.connect();
  setInterval(() => refresh().catch(() => undefined), PAUSE); // the connection says if it is lost
  document.body.dataset.ready = "";
});
