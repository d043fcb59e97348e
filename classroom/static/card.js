// One agent on the stage: its name and score, its film, and how long it had trained.

import { get } from "./api.js";
import { FilmPlayer } from "./canvas.js";
import { h } from "./dom.js";
import { gameTitle, scoreText, short, t, whole } from "./page.js";
import { stateText } from "./runs.js";

export class Card {
  #film = null; // step of the film that is loaded, or null
  #chosen = null; // step that the student has chosen, or null for the newest

  /**
   * @param {any} id of the run
   * @param {import("./store.js").Store} store
   * @param {import("./transport.js").Transport} transport
   */
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
