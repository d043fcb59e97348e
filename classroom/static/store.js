// What the page knows: the state that the server sent, kept up to date by its messages.

import { get } from "./api.js";
import { gameId } from "./page.js";

const COLOURS = 5; // of agents, in style.css

/**
 * Fires "runs", "versions", "points" (detail: id of a run), "film" (detail: id), "league",
 * "class" and "game".
 */
export class Store extends EventTarget {
  student = null;
  group = { name: "", paused: false, limits: {} };
  games = [];
  versions = [];
  league = null;
  /** @type {Map<any, any>} runs by id */
  runs = new Map();
  /** @type {Map<any, Object<string, {steps: number[], values: number[]}>>} */
  points = new Map();
  /** The chosen game and its options. */
  game = { name: "paddle", options: {} };

  /** Read everything again. */
  async load() {
    const state = await get("/api/state");
    this.student = state.student;
    this.group = state.class;
    this.games = state.games;
    this.versions = state.versions;
    this.league = state.league;
    this.runs = new Map(state.runs.map((run) => [run.id, run]));
    this.points.clear();
    for (const name of ["class", "versions", "runs", "league"]) this.#fire(name);
  }

  /** Read the versions again. */
  async loadVersions() {
    this.versions = (await get("/api/state")).versions;
    this.#fire("versions");
  }

  /** Read the league again. */
  async loadLeague() {
    this.league = await get("/api/league").catch(() => null);
    this.#fire("league");
  }

  /** Take in a message of the server. */
  take(message) {
    if (message.type === "run") this.putRun(message.run);
    else if (message.type === "gone") this.dropRun(message.run);
    else if (message.type === "points") this.#addPoints(message);
    else if (message.type === "film") this.#addFilm(message);
    else if (message.type === "league") this.loadLeague();
    else if (message.type === "class") {
      Object.assign(this.group, message);
      this.#fire("class");
    }
  }

  putRun(run) {
    this.runs.set(run.id, run);
    this.#fire("runs", run.id);
  }

  dropRun(id) {
    this.runs.delete(id);
    this.points.delete(id);
    this.#fire("runs", id);
  }

  chooseGame(name, options) {
    this.game = { name, options };
    this.#fire("game");
  }

  /** Return the points of a run; read them once, then they grow by messages. */
  async pointsOf(id) {
    if (!this.points.has(id)) {
      this.points.set(id, {});
      const points = await get(`/api/runs/${id}/points`).catch(() => ({}));
      const since = this.points.get(id) ?? {};
      this.points.set(id, points);
      for (const [tag, { steps, values }] of Object.entries(since)) {
        steps.forEach((step, k) => addPoint(points, tag, step, values[k]));
      }
      this.#fire("points", id);
    }
    return this.points.get(id);
  }

  version(id) {
    return this.versions.find((version) => version.id === id);
  }

  /** Return the name of a run: that of its version. */
  nameOf(run) {
    return this.version(run.version)?.name ?? `#${run.id}`;
  }

  /** Return the colour of a run, 0 to 4; neighbours in the list differ. */
  colourOf(run) {
    return [...this.runs.keys()].sort((a, b) => a - b).indexOf(run.id) % COLOURS;
  }

  /** Return the runs of the chosen game, newest first. */
  runsOfGame(name = this.game.name, options = this.game.options) {
    const id = gameId(name, options);
    const same = [...this.runs.values()].filter((run) => gameId(run.game, run.options) === id);
    return same.sort((a, b) => b.id - a.id);
  }

  /** Return the run with the highest score of a game, or null. */
  bestRun(name, options) {
    const scored = this.runsOfGame(name, options).filter((run) => run.score !== null);
    return scored.sort((a, b) => b.score - a.score)[0] ?? null;
  }

  #addPoints({ run, step, values }) {
    const points = this.points.get(run);
    if (points === undefined) return; // read as a whole when they are shown
    for (const [tag, value] of Object.entries(values)) addPoint(points, tag, step, value);
    this.#fire("points", run);
  }

  #addFilm({ run, step, score }) {
    const films = this.runs.get(run)?.films;
    if (films === undefined || films.some((film) => film.step === step)) return;
    films.push({ step, score });
    this.#fire("film", run);
  }

  #fire(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Add a point to a curve, unless it was there already. */
function addPoint(points, tag, step, value) {
  points[tag] ??= { steps: [], values: [] };
  if (points[tag].steps.at(-1) >= step) return;
  points[tag].steps.push(step);
  points[tag].values.push(value);
}
