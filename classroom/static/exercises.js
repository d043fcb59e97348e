// The exercises of the reward lab: work on one, have it graded, read the verdict.

import { get, post } from "./api.js";
import { attempt, button, byId, h, say } from "./dom.js";
import { gameId, gameTitle, short, t } from "./page.js";

const PAUSE = 700; // ms between two looks at a grade

export class Exercises {
  #grades = new Map(); // exercise -> grade

  /**
   * @param {import("./store.js").Store} store
   * @param {import("./versions.js").Versions} versions
   * @param {{write: () => void}} actions
   */
  constructor(store, versions, actions) {
    this.store = store;
    this.versions = versions;
    this.actions = actions;
    this.exercises = [];
    store.addEventListener("game", () => this.draw());
  }

  /** Read the exercises. */
  async load() {
    if (this.exercises.length > 0) return;
    this.exercises = (await attempt(() => get("/api/exercises"))) ?? [];
    this.draw();
  }

  draw() {
    byId("exercise-list").replaceChildren(...this.exercises.map((one) => this.#item(one)));
  }

  #item(exercise) {
    const { name, options } = this.store.game;
    const chosen = gameId(exercise.game, exercise.options) === gameId(name, options);
    const grade = this.#grades.get(exercise.name);
    const busy = grade !== undefined && ["queued", "running"].includes(grade.state);
    const work = () => {
      this.store.chooseGame(exercise.game, exercise.options);
      this.actions.write();
    };
    const goals = (grade?.goals?.length ? grade.goals : exercise.goals).map((goal) =>
      this.#goal(goal),
    );
    const passed = exercise.passed || grade?.passed;
    return h(
      "li",
      { class: passed ? "exercise passed" : "exercise", id: `exercise-${exercise.name}` },
      h(
        "header",
        {},
        h("span", { class: "number" }, String(exercise.number)),
        h("h2", {}, exercise.title),
        h("span", { class: passed ? "badge good" : "badge" }, passed ? t("exercises.passed") : ""),
      ),
      h("p", { class: "quiet" }, gameTitle(exercise.game, exercise.options)),
      h("p", {}, exercise.task),
      h("ul", { class: "goals" }, ...goals),
      h("p", { class: "verdict-line", role: "status" }, this.#verdict(grade)),
      h(
        "div",
        { class: "row" },
        chosen
          ? button(t("exercises.grade"), {
              class: "primary",
              disabled: busy,
              onclick: () => this.#grade(exercise),
            })
          : button(t("exercises.open"), { onclick: work }),
      ),
    );
  }

  #goal({ name, asked, value = null, passed = null, hint = null }) {
    const measured = value === null ? asked : t("exercises.value", { value: short(value), asked });
    const mark = passed === null ? "" : t(passed ? "exercises.reached" : "exercises.missed");
    return h(
      "li",
      { class: passed === null ? null : passed ? "good" : "bad" },
      h("span", {}, `${name}: ${measured} `),
      h("strong", {}, mark),
      passed === false && hint ? h("p", { class: "hint" }, hint) : null,
    );
  }

  #verdict(grade) {
    if (grade === undefined) return "";
    if (grade.state === "queued") return t("exercises.queued");
    if (grade.state === "failed") return t("exercises.failed", { error: grade.error });
    if (grade.state === "done")
      return t(grade.passed ? "exercises.passed" : "exercises.not_passed");
    const percent = Math.floor((100 * (grade.step ?? 0)) / (grade.steps || 1));
    return t("exercises.grading", { percent });
  }

  async #grade(exercise) {
    await attempt(async () => {
      const version = await this.versions.save();
      const { id } = await post(`/api/exercises/${exercise.name}`, { version });
      await this.#follow(exercise, id);
    });
  }

  async #follow(exercise, id) {
    for (;;) {
      const grade = await get(`/api/grades/${id}`);
      this.#grades.set(exercise.name, grade);
      this.#redraw(exercise);
      if (["done", "failed"].includes(grade.state)) break;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    const verdict = this.#verdict(this.#grades.get(exercise.name));
    say(t("exercises.result", { number: exercise.number, verdict }));
  }

  #redraw(exercise) {
    byId(`exercise-${exercise.name}`)?.replaceWith(this.#item(exercise));
  }
}
