// The list of trainings of the chosen game, and what can be done with each.

import { post, remove } from "./api.js";
import { ask, attempt, byId, h, menu, say, showDialog } from "./dom.js";
import { scoreText, short, t } from "./page.js";
import { table } from "./tables.js";

const GOING_ON = ["queued", "running", "paused"];

/** Return in words what a run does now. */
export function stateText(run) {
  const percent = Math.floor((100 * run.step) / run.steps);
  if (run.state === "queued") return t("runs.queued", { position: run.position ?? 1 });
  if (run.state === "running" && run.step === 0) return t("runs.starting");
  return t(`runs.${run.state}`, { percent });
}

export class Runs {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./stage.js").Stage} stage
   * @param {import("./editor.js").Editor} editor
   * @param {{open: (version: any) => void, play: () => void}} actions
   */
  constructor(store, stage, editor, actions) {
    this.store = store;
    this.stage = stage;
    this.editor = editor;
    this.actions = actions;
    this.states = new Map();
    this.items = new Map();
    for (const name of ["runs", "versions", "game", "league"]) {
      store.addEventListener(name, () => this.draw());
    }
    stage.addEventListener("shown", () => this.draw());
  }

  draw() {
    const runs = this.store.runsOfGame();
    byId("no-runs").hidden = runs.length > 0;
    byId("runs").replaceChildren(...runs.map((run) => this.#itemOf(run)));
    for (const run of runs) this.#announce(run);
  }

  /** Return the item of a run; a new one only if it would look different, to keep the focus. */
  #itemOf(run) {
    const name = this.store.nameOf(run);
    const shown = this.stage.shown.includes(run.id);
    const key = JSON.stringify([run, name, shown, this.store.league?.running]);
    const known = this.items.get(run.id);
    if (known?.key === key || known?.item.querySelector("details[open]")) return known.item;
    const item = this.#item(run, name, shown);
    const part = known?.item.contains(document.activeElement) && document.activeElement.className;
    if (part) queueMicrotask(() => item.querySelector(`.${part}, summary`)?.focus());
    this.items.set(run.id, { key, item });
    return item;
  }

  #item(run, name, shown) {
    const eye = h(
      "button",
      {
        type: "button",
        class: "show",
        "aria-pressed": String(shown),
        "aria-label": t("runs.show", { name }),
        onclick: () => this.stage.toggle(run.id),
      },
      h("span", { class: `dot agent${this.store.colourOf(run)}` }),
    );
    const lines = [h("strong", {}, name), h("span", { class: "quiet" }, stateText(run))];
    if (run.error) lines.push(h("span", { class: "bad" }, errorText(run.error)));
    const score = run.score === null ? "" : scoreText(run.score, run.game, run.options);
    const interval = run.score !== null && run.low !== null;
    const range = interval ? t("runs.score", { ...shortened(run) }) : "";
    return h(
      "li",
      { class: shown ? "run shown" : "run" },
      eye,
      h("div", { class: "lines" }, ...lines),
      h("span", { class: "score", title: range }, score),
      menu(t("runs.menu", { name }), this.#menuItems(run, name)),
    );
  }

  #menuItems(run, name) {
    const version = this.store.version(run.version);
    const items = [];
    const ask = (action) => () => attempt(action);
    if (GOING_ON.includes(run.state)) {
      items.push([t("runs.stop"), "stop", ask(() => post(`/api/runs/${run.id}/stop`))]);
    } else if (run.exercise === null || run.state !== "done") {
      const text = t(run.state === "done" ? "runs.longer" : "runs.continue");
      items.push([text, "play", ask(() => post(`/api/runs/${run.id}/continue`))]);
    }
    if (run.state === "done" && this.store.league?.running) {
      items.push([t("runs.submit"), "league", () => submit(run.id)]);
    }
    if (version !== undefined) {
      items.push([t("runs.open"), "code", () => this.actions.open(version)]);
    }
    if (run.score !== null) {
      items.push([t("runs.rescore"), "scales", () => this.#rescore(run, name)]);
      items.push([t("runs.play_against"), "gamepad", () => this.actions.play()]);
    }
    if (run.films.length > 0) {
      items.push([t("runs.film_gif"), "film", `/api/runs/${run.id}/film.gif`]);
    }
    items.push([t("runs.run_zip"), "download", `/api/runs/${run.id}/run.zip`]);
    items.push([t("runs.reward_py"), "download", `/api/versions/${run.version}/reward.py`]);
    items.push([t("runs.delete"), "trash", () => this.#delete(run, name)]);
    return items;
  }

  async #rescore(run, name) {
    const source = this.editor.source;
    const answer = await attempt(() => post(`/api/runs/${run.id}/rescore`, { source }));
    if (answer === undefined) return;
    const problems = answer.problems ?? [];
    const lines = [...problems.map(({ message }) => message), answer.summary ?? ""];
    showDialog(
      t("runs.rescored", { name }),
      ...lines.filter((line) => line !== "").map((line) => h("p", {}, line)),
      ...(answer.tables ?? []).map(table),
    );
  }

  async #delete(run, name) {
    if (!(await ask(t("runs.delete_question", { name }), t("runs.delete")))) return;
    await attempt(async () => {
      await remove(`/api/runs/${run.id}`);
      this.store.dropRun(run.id);
    });
  }

  /** Say once when a training ends. */
  #announce(run) {
    const before = this.states.get(run.id);
    this.states.set(run.id, run.state);
    if (!GOING_ON.includes(before)) return;
    const name = this.store.nameOf(run);
    const score = run.score === null ? "–" : scoreText(run.score, run.game, run.options);
    if (run.state === "done") say(t("runs.finished", { name, score }));
    if (run.state === "failed") {
      say(t("runs.broken", { name, error: errorText(run.error) }), { bad: true });
    }
  }
}

/** Submit the agent of a run to the league. */
export async function submit(id) {
  const answer = await attempt(() => post(`/api/runs/${id}/submit`));
  if (answer !== undefined) say(t("runs.submitted"));
}

function errorText(error) {
  if (!error) return "";
  if (typeof error === "string") return error;
  return error.line ? t("runs.error_line", error) : error.message;
}

function shortened({ score, low, high }) {
  return { score: short(score), low: short(low), high: short(high) };
}
