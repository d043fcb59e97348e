// The agents next to each other: their games as films, how long each had trained, their curves.

import { FilmPlayer } from "./canvas.js";
import { Chart } from "./charts.js";
import { get } from "./api.js";
import { button, byId, h, icon } from "./dom.js";
import { gameTitle, scoreText, short, t, whole } from "./page.js";
import { stateText } from "./runs.js";

const MOST = 3; // agents at a time
const SPEEDS = [0.25, 0.5, 1, 2];
const SCORE_TAG = "eval/mean_score";
const TERM_PREFIX = "eval/reward/";
const TERM_SUM = "eval/reward/weighted_sum";

/** Fires "shown" when other agents are shown. */
export class Stage extends EventTarget {
  #cards = new Map();

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    super();
    this.store = store;
    /** Ids of the runs that are shown, the first one on the left. */
    this.shown = [];
    this.transport = new Transport(byId("transport"), () => [...this.#cards.values()]);
    const empty = t("stage.no_curve");
    this.scores = new Chart(byId("score-chart"), { label: t("stage.score_curve_label"), empty });
    this.terms = new Chart(byId("term-chart"), { label: t("stage.term_curve_label"), empty });
    store.addEventListener("runs", ({ detail }) => this.#updateRun(detail));
    store.addEventListener("film", ({ detail }) => this.#cards.get(detail)?.update());
    store.addEventListener("points", () => this.#drawCurves());
    store.addEventListener("versions", () => this.#update());
    store.addEventListener("game", () => this.#showNewest());
  }

  /** Show a run, next to the one that was shown first. */
  show(id) {
    this.shown = [id, ...this.shown.filter((other) => other !== id)].slice(0, 2);
    this.#update();
  }

  /** Show or hide a run. */
  toggle(id) {
    if (this.shown.includes(id)) this.shown = this.shown.filter((other) => other !== id);
    else this.shown = [...this.shown, id].slice(-MOST);
    this.#update();
  }

  #showNewest() {
    this.shown = this.store
      .runsOfGame()
      .slice(0, 2)
      .map((run) => run.id);
    this.#update();
  }

  #updateRun(id) {
    if (this.store.runs.has(id)) {
      this.#cards.get(id)?.update();
      return;
    }
    this.shown = this.shown.filter((other) => this.store.runs.has(other));
    if (this.shown.length > 0) this.#update();
    else this.#showNewest();
  }

  #update() {
    for (const [id, card] of this.#cards) {
      if (this.shown.includes(id)) continue;
      card.end();
      this.#cards.delete(id);
    }
    for (const id of this.shown) {
      if (!this.#cards.has(id)) this.#cards.set(id, new Card(id, this.store, this.transport));
    }
    const cards = this.shown.map((id) => this.#cards.get(id));
    for (const card of cards) card.update();
    const agents = byId("agents");
    agents.replaceChildren(...cards.map((card) => card.element));
    agents.dataset.count = String(cards.length);
    byId("no-agents").hidden = cards.length > 0;
    this.transport.element.hidden = cards.length === 0;
    byId("curves").hidden = cards.length === 0;
    this.#drawCurves();
    this.dispatchEvent(new CustomEvent("shown"));
  }

  async #drawCurves() {
    const runs = this.shown.map((id) => this.store.runs.get(id)).filter(Boolean);
    const points = await Promise.all(runs.map((run) => this.store.pointsOf(run.id)));
    const nothing = { steps: [], values: [] };
    this.scores.set(
      runs.map((run, k) => ({
        name: this.store.nameOf(run),
        colour: `agent${this.store.colourOf(run)}`,
        ...(points[k][SCORE_TAG] ?? nothing),
      })),
    );
    if (runs.length === 0) return;
    const name = this.store.nameOf(runs[0]);
    byId("term-title").textContent = t("stage.term_curve", { name });
    const tags = Object.keys(points[0]).filter(
      (tag) => tag.startsWith(TERM_PREFIX) && tag !== TERM_SUM,
    );
    this.terms.set(
      tags.sort().map((tag, k) => ({
        name: tag.slice(TERM_PREFIX.length),
        colour: `term${k % 5}`,
        ...points[0][tag],
      })),
    );
  }
}

/** One agent: its name, its film, and the slider of how long it had trained. */
class Card {
  #film = null; // step of the film that is loaded, or null
  #chosen = null; // step that the student has chosen, or null for the newest

  constructor(id, store, transport) {
    this.id = id;
    this.store = store;
    this.transport = transport;
    this.name = h("h3", {});
    this.state = h("p", { class: "state" });
    this.score = h("p", { class: "score" });
    this.bar = h("progress", { max: "1", value: "0" });
    this.canvas = h("canvas", { width: "480", height: "480", role: "img" });
    this.waiting = h("p", { class: "waiting" }, t("stage.waiting_film"));
    this.after = h("output", {});
    this.moment = h("input", {
      type: "range",
      min: "0",
      value: "0",
      "aria-label": t("stage.moment"),
      oninput: () => this.#choose(),
    });
    this.dot = h("span", {});
    this.element = h(
      "article",
      { class: "agent" },
      h("header", {}, this.dot, this.name, this.state, this.score),
      h("div", { class: "screen" }, this.canvas, this.waiting, this.bar),
      h("div", { class: "moment" }, this.moment, this.after),
    );
    this.player = new FilmPlayer(this.canvas);
  }

  /** Show what is known of the run now. */
  update() {
    const run = this.store.runs.get(this.id);
    if (run === undefined) return;
    const training = ["queued", "running", "paused"].includes(run.state);
    this.dot.className = `dot agent${this.store.colourOf(run)}`;
    this.name.textContent = this.store.nameOf(run);
    this.state.textContent = stateText(run);
    this.score.textContent = run.score === null ? "" : scoreText(run.score, run.game, run.options);
    this.bar.hidden = !training;
    this.bar.value = run.steps > 0 ? run.step / run.steps : 0;
    this.moment.disabled = run.films.length < 2;
    this.moment.max = String(Math.max(run.films.length - 1, 0));
    this.#load(run);
  }

  /** Stop the film. */
  end() {
    this.player.pause();
  }

  #choose() {
    const run = this.store.runs.get(this.id);
    const index = Number(this.moment.value);
    this.#chosen = index === run.films.length - 1 ? null : run.films[index].step;
    this.#load(run);
  }

  async #load(run) {
    const chosen = run.films.find((film) => film.step === this.#chosen);
    const film = chosen ?? run.films.at(-1);
    this.waiting.hidden = film !== undefined;
    if (film === undefined) return;
    this.moment.value = String(run.films.indexOf(film));
    this.after.textContent = t("stage.after", { steps: whole(film.step) });
    this.moment.setAttribute("aria-valuetext", this.after.textContent);
    if (film.step === this.#film) return;
    this.#film = film.step;
    const content = await get(`/api/runs/${this.id}/films/${film.step}`).catch(() => null);
    if (content === null || this.#film !== film.step) return;
    this.player.load(content);
    this.transport.begin(this.player);
    this.canvas.setAttribute(
      "aria-label",
      t("stage.canvas", {
        name: this.store.nameOf(run),
        game: gameTitle(run.game, run.options),
        steps: whole(film.step),
        score: short(content.score),
      }),
    );
  }
}

/** The buttons that play, stop and step all shown films at the same time. */
class Transport {
  constructor(element, cards) {
    this.element = element;
    this.cards = cards;
    this.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.speed = 1;
    this.toggle = button("", { class: "quiet", iconName: "pause", onclick: () => this.#toggle() });
    this.position = h("input", {
      type: "range",
      min: "0",
      max: "0",
      value: "0",
      "aria-label": t("stage.position"),
      oninput: () => this.#seek(Number(this.position.value)),
    });
    const speeds = SPEEDS.map((speed) =>
      h("option", { value: speed, selected: speed === 1 }, `${short(speed)}×`),
    );
    const choice = h("select", { "aria-label": t("stage.speed") }, ...speeds);
    choice.addEventListener("change", () => this.#setSpeed(Number(choice.value)));
    const step = (text, name, by) =>
      button(text, { class: "quiet", iconName: name, label: false, onclick: () => this.#step(by) });
    element.append(
      this.toggle,
      step(t("stage.back"), "back", -1),
      step(t("stage.forward"), "forward", 1),
      this.position,
      choice,
    );
    this.#showToggle();
    this.#follow();
  }

  /** Start a film that was loaded, in the way the others play. */
  begin(player) {
    player.speed = this.speed;
    if (this.playing) player.play();
    else player.seek(0);
  }

  #toggle() {
    this.playing = !this.playing;
    for (const { player } of this.cards()) this.playing ? player.play() : player.pause();
    this.#showToggle();
  }

  #showToggle() {
    const text = t(this.playing ? "stage.pause" : "stage.play");
    this.toggle.setAttribute("aria-label", text);
    this.toggle.title = text;
    this.toggle.replaceChildren(icon(this.playing ? "pause" : "play"));
  }

  #pause() {
    if (this.playing) this.#toggle();
  }

  #step(by) {
    this.#pause();
    for (const { player } of this.cards()) player.step(by);
  }

  #seek(frame) {
    this.#pause();
    for (const { player } of this.cards()) player.seek(Math.min(frame, last(player)));
  }

  #setSpeed(speed) {
    this.speed = speed;
    for (const { player } of this.cards()) player.speed = speed;
  }

  /** Move the slider with the longest of the films. */
  #follow() {
    const players = this.cards().map(({ player }) => player);
    const longest = players.sort((a, b) => last(b) - last(a))[0];
    if (longest !== undefined && !this.element.hidden) {
      this.position.max = String(last(longest));
      this.position.value = String(longest.frame);
    }
    requestAnimationFrame(() => this.#follow());
  }
}

function last(player) {
  return Math.max((player.film?.frames.length ?? 1) - 1, 0);
}
