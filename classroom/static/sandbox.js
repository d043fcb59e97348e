// The student's page: puts its parts together.

import { get, post } from "./api.js";
import { Check } from "./check.js";
import { attempt, byId, h, say } from "./dom.js";
import { Editor } from "./editor.js";
import { Exercises } from "./exercises.js";
import { League } from "./league.js";
import { Live, showConnection } from "./live.js";
import { gameId, gameTitle, t } from "./page.js";
import { Play } from "./play.js";
import { Runs } from "./runs.js";
import { Stage } from "./stage.js";
import { Store } from "./store.js";
import { Train } from "./train.js";
import { Versions } from "./versions.js";

const SECTIONS = ["train", "play", "exercises", "league"];

const store = new Store();
const live = new Live();
const editor = new Editor(byId("editor"), {
  label: t("editor.label"),
  hint: t("editor.hint"),
  onChange: () => {
    versions.keepDraft();
    check.later();
  },
  onTrain: () => train.start(),
});
const check = new Check(editor, store);
const versions = new Versions(editor, store);
const stage = new Stage(store);
const train = new Train(store, versions, check, stage);
const goTo = (section) => (location.hash = section);
new Runs(store, stage, editor, {
  open: (version) => versions.open(version),
  play: () => goTo("play"),
});
const play = new Play(store);
const exercises = new Exercises(store, versions, { write: () => goTo("train") });
new League(store);

/** Show the section that the address names. */
function showSection() {
  const asked = location.hash.slice(1);
  const section = SECTIONS.includes(asked) ? asked : "train";
  for (const name of SECTIONS) {
    byId(name === "train" ? "training" : name).hidden = name !== section;
    const link = document.querySelector(`nav a[href="#${name}"]`);
    if (name === section) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (section !== "play") play.end();
  if (section === "exercises") exercises.load();
}

/** Offer all games with their tasks; return the one to begin with. */
function offerGames() {
  const choice = byId("game");
  const tasks = store.games.flatMap(({ name, tasks }) =>
    tasks.map(({ options }) => ({ name, options })),
  );
  const add = ({ name, options }, text) => {
    choice.append(h("option", { value: JSON.stringify({ name, options }) }, text));
  };
  for (const task of tasks) add(task, gameTitle(task.name, task.options));
  choice.addEventListener("change", () => {
    const { name, options } = JSON.parse(choice.value);
    store.chooseGame(name, options);
  });
  store.addEventListener("game", () => {
    const { name, options } = store.game;
    const title = t("games.exercise", { title: gameTitle(name, options) });
    if (!tasks.some((task) => isSame(task, store.game))) {
      tasks.push(store.game);
      add(store.game, title);
    }
    choice.selectedIndex = tasks.findIndex((task) => isSame(task, store.game));
    sessionStorage.setItem("game", JSON.stringify(store.game));
  });
  const before = JSON.parse(sessionStorage.getItem("game") ?? "null");
  return before ?? tasks.find(({ name }) => name === "paddle") ?? tasks[0];
}

function isSame(one, other) {
  return gameId(one.name, one.options) === gameId(other.name, other.options);
}

async function openGame() {
  await attempt(async () => {
    await Promise.all([versions.openGame(), check.loadCompletions()]);
    await check.now();
  });
}

/** Go to the form to join if the teacher has removed this student from the class. */
async function joinAgainIfRemoved() {
  await get("/api/state").catch(({ status }) => status === 401 && location.assign("/"));
}

function showClass() {
  const { student, group } = store;
  byId("paused").hidden = !group.paused;
  const name = byId("student");
  if (name !== null && student !== null) {
    name.textContent = student.name;
    name.title = t("page.hello", { name: student.name });
  }
}

byId("leave")?.addEventListener("click", () =>
  attempt(async () => {
    await post("/api/leave");
    sessionStorage.clear();
    location.assign("/");
  }),
);
window.addEventListener("hashchange", showSection);
store.addEventListener("class", showClass);
showSection();

live.addEventListener("message", ({ detail }) => store.take(detail));
live.addEventListener(
  "open",
  ({ detail: reconnected }) => reconnected && attempt(() => store.load()),
);
live.addEventListener("lost", joinAgainIfRemoved);
showConnection(live, byId("connection"), { lost: t("page.offline"), back: t("page.online") });

try {
  await store.load();
  const game = offerGames();
  store.addEventListener("game", openGame);
  store.chooseGame(game.name, game.options);
  live.connect();
  document.body.dataset.ready = "";
} catch (error) {
  say(t("page.failed", { error: error.message }), { bad: true });
}
